"""The bytes of an upload: a part on its way in, and all of them made into one file."""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from fastapi.concurrency import run_in_threadpool

from app.files.upload import look, look_at_beginning, must_fit, write
from ledger.database import Record
from ledger.store.folder import CHUNK, FolderStore, Stored
from ledger.uploads import folder
from qstill.contract.errors import Problem

DIGEST = "sha-256=:"  # RFC 9530, as a structured field: base64 between colons


def digest_of(header: str | None) -> str | None:
    """The SHA-256 that a client says of a part, as hexadecimal digits. Raises Problem (400)."""
    if header is None:
        return None
    for said in header.split(","):
        value = said.strip()
        if value.lower().startswith(DIGEST) and value.endswith(":"):
            try:
                digest = base64.b64decode(value[len(DIGEST) : -1], validate=True)
            except binascii.Error:
                break
            if len(digest) == hashlib.sha256().digest_size:
                return digest.hex()
            break
    title = "Say the digest of the part as `Content-Digest: sha-256=:BASE64:`, or leave it out."
    raise Problem("bad_digest", title, status=400)


async def receive_part(
    store: FolderStore, chunks: AsyncIterator[bytes], upload: Record, number: int, size: int, said: str | None
) -> Stored:
    """Write a part, durably, under a name of its own. said: its SHA-256, where the client says it.

    Raises Problem: 404 where the upload ended meanwhile, 422 for a part that is not what it should be, 507.
    """
    path = f"{folder(upload.id)}/{number}.{secrets.token_hex(4)}"
    place = store.locate(path)
    try:
        await run_in_threadpool(place.parent.mkdir, parents=True, exist_ok=True)
        stored = await write(_no_more_than(chunks, size, number), place, path, size)
        if stored.bytes != size:
            raise _wrong_size(number, size, f"{stored.bytes:,} came")
        if said is not None and said != stored.sha256:
            title = f"Part {number} came with the SHA-256 {stored.sha256}, not {said}: send it again."
            raise Problem("digest_differs", title)
        if number == 1:
            await run_in_threadpool(look_at_beginning, place, upload.name)
        await run_in_threadpool(_flush_folder, place.parent)
    except FileNotFoundError:
        raise Problem("upload_not_found", "There is no such upload any more.", status=404) from None
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return stored


def join(store: FolderStore, upload: Record, parts: Sequence[Record]) -> Stored:
    """All parts as one file, in its place before a row names it. Raises Problem: 422, 507; FileNotFoundError.

    Two that do this at once write the same bytes; one that dies leaves what goes with the upload.
    """
    partial = store.locate(f"{folder(upload.id)}/whole.{secrets.token_hex(4)}")
    path = f"files/{upload.file_id}"
    place = store.locate(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    must_fit(partial.parent, upload.bytes)
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("wb") as file:
            for part in parts:
                with store.locate(part.path).open("rb") as reader:
                    while block := reader.read(CHUNK):
                        digest.update(block)
                        size += file.write(block)
            file.flush()
            os.fsync(file.fileno())
        _must_be(upload, size, digest.hexdigest())
        look(partial, upload.name, size)
        partial.replace(place)
        _flush_folder(place.parent)
    finally:
        partial.unlink(missing_ok=True)
    return Stored(path, size, digest.hexdigest())


def _must_be(upload: Record, size: int, sha256: str) -> None:
    anew = [{"method": "DELETE", "path": f"/v1/uploads/{upload.id}"}, {"method": "POST", "path": "/v1/uploads"}]
    if size != upload.bytes:
        raise Problem("size_differs", f"The parts have {size:,} bytes, not {upload.bytes:,}.", ways_out=anew)
    if upload.sha256 is not None and sha256 != upload.sha256:
        title = f"The parts together have the SHA-256 {sha256}, not {upload.sha256}: did the file change on the way?"
        raise Problem("digest_differs", title, ways_out=anew)


async def _no_more_than(chunks: AsyncIterator[bytes], size: int, number: int) -> AsyncIterator[bytes]:
    came = 0
    async for chunk in chunks:
        came += len(chunk)
        if came > size:
            raise _wrong_size(number, size, "more came")
        yield chunk


def _wrong_size(number: int, size: int, came: str) -> Problem:
    return Problem("wrong_part_size", f"Part {number} has {size:,} bytes; {came}. Send it again, whole.")


def _flush_folder(place: Path) -> None:
    """Make the names in a folder durable, too."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
