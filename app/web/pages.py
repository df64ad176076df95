"""The dashboard at /: files that were built from `app/web/dashboard` and come with the package. `make dashboard`.

Every address of a page answers with the same document; the script in it reads the address.
"""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

BUILT = Path(__file__).parent / "built"
PATHS = ("/", "/jobs/{job}", "/circuits/new", "/distillations/new", "/models", "/files")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def install(application: FastAPI) -> None:
    application.mount("/dashboard", Built(directory=BUILT), name="dashboard")
    for path in PATHS:
        application.add_api_route(path, _page, include_in_schema=False, response_class=FileResponse)


def _page() -> FileResponse:
    return FileResponse(BUILT / "index.html", headers={"Cache-Control": "no-cache", **HEADERS})


class Built(StaticFiles):
    """What the document names by a hash of its content may be kept for ever."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        response.headers["Cache-Control"] = kept
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
