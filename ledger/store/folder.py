"""Artifact and upload bytes in a folder, which API and workers share. Paths are relative, with forward slashes.

Bytes become visible only through a row of the ledger, which is written after them; what no row names is nobody's.
"""

import builtins
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """Bytes that were kept: under a path of the store, or as `content` where the ledger keeps them itself."""

    path: str | None
    bytes: int
    sha256: str
    content: "builtins.bytes | None" = None  # the field above hides the type


class FolderStore:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir(parents=True, exist_ok=True)

    def locate(self, path: str) -> Path:
        """Where the bytes of a path lie. Raises ValueError for a path that leaves the store."""
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root.resolve()) or place == self.root.resolve():
            raise ValueError(f"not a path of the store: {path!r}")
        return place

    def put(self, source: Path, path: str) -> Stored:
        """Copy a file into the store, durably: it is complete under its name, or not there at all."""
        place = self.locate(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_name(f"{place.name}.partial")
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as reader, partial.open("wb") as writer:
            while block := reader.read(CHUNK):
                digest.update(block)
                size += writer.write(block)
            writer.flush()
            os.fsync(writer.fileno())
        partial.replace(place)
        return Stored(path, size, digest.hexdigest())

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all that is in it. What is gone already is no error."""
        place = self.locate(path)
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)
