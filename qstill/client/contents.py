"""What people have as data, as the bytes of a file: a path, arrays, a frame."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qstill.client.errors import MissingLibrary
from qstill.contract.answers.artifacts import CheckpointView, ExportView


@dataclass(frozen=True)
class Content:
    """name: with the ending that tells the format. bytes: or the path of a file that holds them."""

    name: str
    bytes: bytes | Path


def content_of(data: Any, name: str | None, arrays: Mapping[str, Any]) -> Content:
    """data: a path; a pandas frame, which goes as csv; an array. arrays: by names, as an npz. Raises TypeError."""
    if arrays:
        if data is not None:
            raise TypeError("give a file, a frame or one array, or arrays by their names, not both")
        return Content(name or "arrays.npz", _npz(arrays))
    if isinstance(data, str | Path):
        path = Path(data).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        return Content(name or path.name, path)
    if isinstance(data, bytes):
        if name is None:
            raise TypeError("bytes need a name, whose ending tells the format: upload(content, name='flowers.csv')")
        return Content(name, data)
    if hasattr(data, "to_csv") and hasattr(data, "columns"):
        return Content(name or "frame.csv", data.to_csv(index=False).encode())
    if hasattr(data, "__array__"):
        return Content(name or "array.npy", _npy(data))
    raise TypeError(f"a {type(data).__name__} is nothing to upload: give a path, bytes, a pandas frame, or arrays")


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
