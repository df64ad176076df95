"""Receiving a file: streamed to disk, hashed and bounded on the way, and looked at before it is believed."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from fastapi.concurrency import run_in_threadpool

from app.files.columns import TABLES, refuse_too_wide
from ledger.store.folder import FolderStore, Stored
from qstill.contract.answers.files import SUFFIXES, Purpose
from qstill.contract.errors import Problem

BLOCK = 1 << 20  # bytes written at once
FREE_BYTES = 256 << 20  # the ledger shares this disk, and needs some of it
MAX_SAFETENSORS_HEADER = 4 << 20  # bytes of JSON, parsed here; a network of 10,000 tensors needs one
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
ONNX = tuple(bytes([field << 3 | wire]) for field, wire in ((1, 0), (2, 2), (3, 2), (7, 2), (8, 2)))  # of a ModelProto
MAGIC = {
    ".npz": ZIP,
    ".zip": ZIP,
    ".npy": (b"\x93NUMPY",),
    ".parquet": (b"PAR1",),
    ".feather": (b"ARROW1",),
    ".arrow": (b"ARROW1",),
    ".gz": (b"\x1f\x8b",),
    ".pt": ZIP,
    ".pth": ZIP,
    ".onnx": ONNX,
}


def check_name(name: str, purpose: Purpose) -> None:
    """Raises Problem (415) for a format that is not read for this purpose."""
    allowed = SUFFIXES[purpose]
    if not name.lower().endswith(allowed):
        raise Problem(
            "unsupported_format",
            f"A {purpose} is a file of the kind {' or '.join(allowed)}; {name!r} is not. "
            "Formats that run code when they are read (pickle, TorchScript, .pt2) are not accepted.",
            status=415,
        )


def check_size(size: int, limit: int) -> None:
    """Raises Problem (413)."""
    if size > limit:
        raise Problem("file_too_large", f"A file may have {limit:,} bytes.", status=413)


async def receive(store: FolderStore, chunks: AsyncIterator[bytes], path: str, *, name: str, limit: int) -> Stored:
    """Write the chunks under a path of the store. Raises Problem: 413, 422 for a broken file, 507 for a full disk."""
    place = store.locate(path)
    await run_in_threadpool(place.parent.mkdir, parents=True, exist_ok=True)
    partial = place.with_name(f"{place.name}.{secrets.token_hex(4)}.partial")
    try:
        stored = await write(chunks, partial, path, limit)
        await run_in_threadpool(look, partial, name, stored.bytes)
        partial.replace(place)
        return stored
    finally:
        partial.unlink(missing_ok=True)


async def write(chunks: AsyncIterator[bytes], partial: Path, path: str, limit: int) -> Stored:
    """Write the chunks to a file, durably. path: under which they will lie in the store. Raises Problem: 413, 507."""
    digest, size, waiting = hashlib.sha256(), 0, bytearray()

    def append(file: BinaryIO, block: bytes) -> None:
        must_fit(partial.parent)
        digest.update(block)
        file.write(block)
        file.flush()

    with partial.open("wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            check_size(size, limit)
            waiting += chunk
            if len(waiting) >= BLOCK:
                await run_in_threadpool(append, file, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(append, file, bytes(waiting))
        await run_in_threadpool(os.fsync, file.fileno())
    return Stored(path, size, digest.hexdigest())


def must_fit(folder: Path, size: int = 0) -> None:
    """Raises Problem (507) where the disk has no room for so many bytes more."""
    if shutil.disk_usage(folder).free < FREE_BYTES + size:
        raise Problem("disk_full", "The service has no room for this file.", status=507)


def look(place: Path, name: str, size: int) -> None:
    """Raises Problem (422) for a file that is plainly not what its name says; its content is checked by the job."""
    if name.lower().endswith(".safetensors"):
        with place.open("rb") as file:
            _look_at_safetensors(file, size)
    else:
        look_at_beginning(place, name)
    if size == 0:
        raise Problem("broken_file", "The file is empty.")


def look_at_beginning(place: Path, name: str) -> None:
    """What `look` can say of a file by its first part alone. Raises Problem (422)."""
    lower = name.lower()
    suffix = lower[lower.rindex(".") :]
    with place.open("rb") as file:
        if suffix in MAGIC and not file.read(8).startswith(MAGIC[suffix]):
            raise Problem("broken_file", f"This is no {suffix} file: its first bytes say otherwise.")
    if lower.endswith(TABLES):
        refuse_too_wide(place)


def _look_at_safetensors(file: BinaryIO, size: int) -> None:
    """Eight bytes of header length, a JSON header with each tensor's place, and exactly as many bytes as it says."""
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, MAX_SAFETENSORS_HEADER):
        raise Problem("broken_file", "This is no safetensors file, or it was cut off within its header.")
    try:
        header = json.loads(file.read(length))
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        if not all(isinstance(end, int) for end in ends):
            raise TypeError("an offset is a whole number")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise Problem("broken_file", "The header of this safetensors file is damaged.") from None
    end = max(ends, default=0)
    if end != size - 8 - length:
        title = f"This safetensors file holds {size - 8 - length:,} bytes of tensors; its header tells of {end:,}."
        raise Problem("broken_file", title + " Upload it again.")
