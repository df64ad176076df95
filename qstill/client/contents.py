"""What people have as data, as the bytes of a file: a path, arrays, a frame."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qstill.client.errors import MissingLibrary
from qstill.contract.answers.artifacts import CheckpointView, ExportView

ONE_BODY_BYTES = 16 << 20  # what is larger goes in parts, each of which is sent again when its connection breaks
HASHED_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Content:
    """name: with the ending that tells the format. held: the bytes, or the path of a file that holds them.

    sha256: of what is so large that it goes in parts, by which one that was broken off is found again.
    """

    name: str
    held: bytes | Path
    size: int
    sha256: str | None = None

    def bytes(self, start: int, size: int) -> bytes:
        if not isinstance(self.held, Path):
            return self.held[start : start + size]
        with self.held.open("rb") as file:
            file.seek(start)
            return file.read(size)


@dataclass(frozen=True)
class Part:
    """Bytes that are read when they are sent, and again when they are sent again."""

    content: Content
    start: int
    size: int

    def read(self) -> bytes:
        return self.content.bytes(self.start, self.size)


def content_of(data: Any, name: str | None, arrays: Mapping[str, Any]) -> Content:
    """data: a path; a pandas frame, which goes as csv; an array. arrays: by names, as an npz. Raises TypeError."""
    own_name, held = _held(data, name, arrays)
    size = held.stat().st_size if isinstance(held, Path) else len(held)
    made = Content(name or own_name, held, size)
    return made if size <= ONE_BODY_BYTES else replace(made, sha256=_digest(made))


def _held(data: Any, name: str | None, arrays: Mapping[str, Any]) -> tuple[str, bytes | Path]:
    """(a name for it, the bytes or the path of a file)."""
    if arrays:
        if data is not None:
            raise TypeError("give a file, a frame or one array, or arrays by their names, not both")
        return "arrays.npz", _npz(arrays)
    if isinstance(data, str | Path):
        path = Path(data).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        return path.name, path
    if isinstance(data, bytes):
        if name is None:
            raise TypeError("bytes need a name, whose ending tells the format: upload(content, name='flowers.csv')")
        return name, data
    if hasattr(data, "to_csv") and hasattr(data, "columns"):
        return "frame.csv", data.to_csv(index=False).encode()
    if hasattr(data, "__array__"):
        return "array.npy", _npy(data)
    raise TypeError(f"a {type(data).__name__} is nothing to upload: give a path, bytes, a pandas frame, or arrays")


def _digest(content: Content) -> str:
    digest = hashlib.sha256()
    for start in range(0, content.size, HASHED_AT_ONCE):
        digest.update(content.bytes(start, HASHED_AT_ONCE))
    return digest.hexdigest()


def library(name: str, why: str, install: str | None = None) -> Any:
    """A module that is needed for this alone. Raises MissingLibrary, which says what to install."""
    try:
        return import_module(name)
    except ImportError:
        package = install or name.partition(".")[0]
        raise MissingLibrary(f"{why} needs {package}, which is not installed: pip install {package}") from None


def installed(name: str) -> bool:
    return find_spec(name) is not None


def place_of(place: str | Path, artifact: CheckpointView | ExportView) -> Path:
    """Where a download goes: into a folder under the artifact's name, or to a path."""
    to = Path(place).expanduser()
    return to / Path(artifact.name).name if to.is_dir() else to


def _npz(arrays: Mapping[str, Any]) -> bytes:
    written = io.BytesIO()
    numpy = library("numpy", "an upload of arrays")
    numpy.savez_compressed(written, **{name: numpy.asarray(each) for name, each in arrays.items()})
    return written.getvalue()


def _npy(array: Any) -> bytes:
    written = io.BytesIO()
    numpy = library("numpy", "an upload of an array")
    numpy.save(written, numpy.asarray(array), allow_pickle=False)
    return written.getvalue()
