"""Bytes out of the store: ranges, a strong ETag, and the digest to check them by (RFC 9530)."""

import base64
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import FileResponse

from app.http.etag import etag, unchanged
from app.http.refusals.problems import problems
from qstill.contract.errors import Problem

BYTES = "application/octet-stream"
CONTENT: dict[int | str, dict[str, Any]] = problems(400, 404, 410, 416) | {
    200: {"description": "The content.", "content": {BYTES: {}}},
    206: {"description": "The part that `Range` asked for.", "content": {BYTES: {}}},
    304: {"description": "Unchanged since the ETag that you have."},
}


def send_bytes(request: Request, content: bytes, *, sha256: str, media_type: str) -> Response:
    """Answer with bytes at hand, or 304."""
    tag = etag(sha256)
    if unchanged(tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, media_type=media_type, headers=_headers(sha256))


def _headers(sha256: str) -> dict[str, str]:
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    return {
        "ETag": etag(sha256),
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, immutable, max-age=31536000",
    }


def send_file(request: Request, place: Path, *, sha256: str, media_type: str, filename: str | None = None) -> Response:
    """Answer with a file, or the part of it that `Range` asks for, or 304."""
    tag = etag(sha256)
    if unchanged(tag, request.headers.get("if-none-match")):
        return Response(status_code=304, headers={"ETag": tag})
    if not place.is_file():
        raise Problem("content_gone", "The content was deleted.", status=410)
    return FileResponse(place, headers=_headers(sha256), media_type=media_type, filename=filename)
