"""A zip of images in one folder for each class, read within bounds: what an archive says of itself is not believed.

flowers.zip: daisy/1.png, daisy/2.jpg, rose/1.png, _unlabelled/1.png
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.distillations.datasets import UNLABELLED, Images
from app.errors import Problem
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.read import MAX_BYTES, MAX_VALUES, Table, Unreadable, numbers_first, with_classes

MAX_MEMBERS = 200_000  # of an archive, folders too
MAX_IMAGE_BYTES = 32 << 20  # of one file
MAX_PIXELS = 1 << 24  # of one image: 48 MB as it is decoded, whatever the few bytes of its file
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}  # Pillow tries no other decoder
PASSED_OVER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # what file managers leave behind


@dataclass(frozen=True)
class Member:
    """An image of the archive. folder: of its class."""

    folder: str
    info: zipfile.ZipInfo


def read_images(path: Path, how: Images) -> Table:
    """Rows in the order of their names, values from 0 to 1. Raises Unreadable, Problem dataset_invalid."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            folders = {member.folder for member in members} - {UNLABELLED}
            classes = sorted(folders, key=numbers_first)
            code = {name: number for number, name in enumerate(classes)} | {UNLABELLED: UNKNOWN}
            labels = np.array([code[member.folder] for member in members], dtype=np.int64)
            return replace(with_classes(_pixels(archive, members, how), labels, classes), pixels=True)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable("The file is not a readable zip archive.") from error


def _members(archive: zipfile.ZipFile) -> list[Member]:
    """The images, sorted by name; an archive that was packed in another order has the same."""
    found = archive.infolist()
    if len(found) > MAX_MEMBERS:
        raise Unreadable(f"The archive has {len(found)} members; at most {MAX_MEMBERS} are read.")
    files = sorted((info for info in found if _is_wanted(info)), key=lambda info: info.filename)
    names = [info.filename for info in files]
    for name, after in pairwise(names):
        if name == after:
            raise Unreadable(f"The archive has two members {_shown(name)}.")
    parts = [name.split("/") for name in names]
    around = 1 if len({part[0] for part in parts}) == 1 and all(len(part) == 3 for part in parts) else 0
    members = []
    for info, part in zip(files, parts, strict=True):
        if len(part) != around + 2:
            title = f"Member {_shown(info.filename)} does not lie in the folder of a class, as in `daisy/1.png`."
            raise Unreadable(title)
        members.append(Member(part[around], info))
    if not members:
        raise Unreadable("The archive holds neither images in folders nor the arrays x and y.")
    _refuse_empty_folders(found, names)
    return members


def _refuse_empty_folders(found: list[zipfile.ZipInfo], names: list[str]) -> None:
    """Raises Unreadable for the folder of a class without an image: left out in silence, it would change the others."""
    filled = {name[: at + 1] for name in names for at, sign in enumerate(name) if sign == "/"}
    for info in found:
        parts = info.filename.split("/")
        if info.is_dir() and info.filename not in filled and not {"__MACOSX", UNLABELLED} & set(parts):
            raise Unreadable(f"Folder {_shown(info.filename)} holds no image: remove it, or fill it.")


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    """Whether it is an image. Raises Unreadable for what belongs in no archive of images."""
    name = info.orig_filename
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in parts or parts[0][1:2] == ":":
        raise Unreadable(f"Member {_shown(name)} has a name that leads out of the archive.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Unreadable(f"Member {_shown(name)} is a link.")
    if info.is_dir() or parts[0] == "__MACOSX" or parts[-1] in PASSED_OVER or parts[-1].startswith("._"):
        return False
    if info.flag_bits & 1:
        raise Unreadable(f"Member {_shown(name)} is encrypted.")
    if Path(name).suffix.lower() not in FORMATS:
        raise Unreadable(f"Member {_shown(name)} is no image: {', '.join(FORMATS)} are read.")
    return True


def _pixels(archive: zipfile.ZipFile, members: list[Member], how: Images) -> NDArray[np.float32]:
    """(rows, channels, height, width). Memory for all rows is taken once the first one tells their size."""
    pixels: NDArray[np.float32] | None = None
    for row, (member, content) in enumerate(_contents(archive, members)):
        image = _decoded(member.info.filename, content, how)
        if pixels is None:
            if len(members) * image.size > MAX_VALUES:
                shape = (len(members), *image.shape)
                raise Unreadable(f"The images have shape {shape}: more than {MAX_VALUES} values. Give a smaller size.")
            pixels = np.empty((len(members), *image.shape), dtype=np.float32)
        if image.shape != pixels.shape[1:]:
            first, this = ("x".join(map(str, shape[1:])) for shape in (pixels.shape[1:], image.shape))
            title = f"Member {_shown(member.info.filename)} has {this} pixels and the first image {first}: give a size."
            ways_out = [{"image": {"size": list(pixels.shape[2:]), "mode": how.mode}}]
            raise Problem("dataset_invalid", title, pointer="/dataset/image", ways_out=ways_out)
        pixels[row] = image
    assert pixels is not None
    return pixels


def _contents(archive: zipfile.ZipFile, members: list[Member]) -> Iterator[tuple[Member, bytes]]:
    """Each with its bytes, which are counted as they come."""
    total = 0
    for member in members:
        name = member.info.filename
        try:
            with archive.open(member.info) as stream:
                content = stream.read(MAX_IMAGE_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Unreadable(f"Member {_shown(name)} is damaged.") from error
        total += len(content)
        if len(content) > MAX_IMAGE_BYTES or total > MAX_BYTES:
            title = f"Member {_shown(name)} goes beyond {MAX_IMAGE_BYTES} bytes of one image or {MAX_BYTES} of all."
            raise Unreadable(title)
        yield member, content


def _decoded(name: str, content: bytes, how: Images) -> NDArray[np.float32]:
    """(channels, height, width), from 0 to 1. Its size is looked at before it is decoded."""
    try:
        with Image.open(BytesIO(content), formats=(FORMATS[Path(name).suffix.lower()],)) as image:
            if image.width * image.height > MAX_PIXELS:
                title = f"Member {_shown(name)} has {image.width}x{image.height} pixels; at most {MAX_PIXELS} are read."
                raise Unreadable(title)
            if image.mode.startswith(("I", "F")):
                raise Unreadable(f"Member {_shown(name)} has more than 8 bits for each channel.")
            plain = image.convert(how.mode)
    except Unreadable:
        raise
    except Exception as error:  # decoders raise a dozen kinds at what is damaged
        ending = Path(name).suffix.lower()
        raise Unreadable(f"Member {_shown(name)} is not a whole {ending} image: {_first_line(error)}.") from error
    if how.size is not None and [plain.height, plain.width] != how.size:
        plain = plain.resize((how.size[1], how.size[0]), Image.Resampling.BILINEAR)
    values = np.asarray(plain, dtype=np.float32) / np.float32(255)
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))


def _shown(name: str) -> str:
    return repr(name if len(name) <= 100 else f"…{name[-99:]}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
