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
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from qstill.contract.distillations.datasets import UNLABELLED, Images
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from qstill.contract.tables.cells import numbers_first
from workers.distillation.data.files.archives import is_folder, is_litter, parts_of, quoted
from workers.distillation.data.files.table import SPLITS, Table, own_split, with_classes
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.stored.shelf import IN_MEMORY, MOST_BYTES, ArrayLayout, Shelf, digest_of_file

MAX_MEMBERS = 200_000  # of an archive, folders too
MAX_IMAGE_BYTES = 32 << 20  # of one file
MAX_BYTES = 16 << 30  # of all files, which are read one by one
MAX_PIXELS = 1 << 24  # of one image: 48 MB as it is decoded, whatever the few bytes of its file
ENDINGS = (".png", ".jpg", ".jpeg")
FORMATS = ("PNG", "JPEG")  # Pillow tries no other decoder; which of them it is the content says, and not its name
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF's Orientation: how the camera was held


@dataclass(frozen=True)
class Member:
    """An image of the archive. name: with its folders. folder: of its class. split: the folder of it, if there is."""

    name: str
    folder: str
    split: str | None
    info: zipfile.ZipInfo


def read_images(path: Path, how: Images, shelf: Shelf = IN_MEMORY) -> Table:
    """Rows in the order of their names, bytes from 0 to 255. Raises Unreadable, Problem dataset_invalid."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            folders = {member.folder for member in members} - {UNLABELLED}
            classes = sorted(folders, key=numbers_first)
            code = {name: number for number, name in enumerate(classes)} | {UNLABELLED: UNKNOWN}
            labels = np.array([code[member.folder] for member in members], dtype=np.int64)
            table = replace(with_classes(_pixels(archive, members, how, shelf), labels, classes), pixels=True)
            return _divided(table, [member.split for member in members])
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Unreadable("The file is not a readable zip archive.") from error


def _divided(table: Table, splits: list[str | None]) -> Table:
    """The table with its rows in the splits that their folders name, where there are such folders."""
    if None in splits:
        return table
    parts = np.array([SPLITS[(split or "").lower()] for split in splits], dtype=np.int8)
    return replace(table, parts=parts, notes=(*table.notes, own_split(parts, "as their folders say")))


def _members(archive: zipfile.ZipFile) -> list[Member]:
    """The images, sorted by name; an archive that was packed in another order has the same."""
    found = archive.infolist()
    if len(found) > MAX_MEMBERS:
        raise Unreadable(f"The archive has {len(found)} members; at most {MAX_MEMBERS} are read.")
    named = [(parts_of(info), info) for info in found]
    named = [(parts, info) for parts, info in named if not is_litter(parts)]
    folders = ["/".join(parts) for parts, info in named if is_folder(info)]
    files = sorted((("/".join(parts), parts, info) for parts, info in named if not is_folder(info)), key=itemgetter(0))
    for name, _, info in files:
        _refuse_other(name, info)
    for (name, _, _), (after, _, _) in pairwise(files):
        if name == after:
            raise Unreadable(f"The archive has two members {quoted(name)}.")
    within = [parts for _, parts, _ in files]
    around = 1 if len({parts[0] for parts in within}) == 1 and all(len(parts) >= 3 for parts in within) else 0
    split = all(len(parts) == around + 3 and parts[around].lower() in SPLITS for parts in within)
    members = []
    for name, parts, info in files:
        if len(parts) != around + 2 + split:
            raise Unreadable(f"Member {quoted(name)} does not lie in the folder of a class, as in `daisy/1.png`.")
        members.append(Member(name, parts[around + split], parts[around] if split else None, info))
    if not members:
        raise Unreadable("The archive holds neither images in folders nor the arrays x and y.")
    _refuse_empty_folders(folders, [member.name for member in members])
    return members


def _refuse_empty_folders(folders: list[str], names: list[str]) -> None:
    """Raises Unreadable for the folder of a class without an image: left out in silence, it would change the others."""
    filled = {name[:at] for name in names for at, sign in enumerate(name) if sign == "/"}
    for folder in folders:
        if folder not in filled and UNLABELLED not in folder.split("/"):
            raise Unreadable(f"Folder {quoted(f'{folder}/')} holds no image: remove it, or fill it.")


def _refuse_other(name: str, info: zipfile.ZipInfo) -> None:
    """Raises Unreadable for what belongs in no archive of images."""
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Unreadable(f"Member {quoted(name)} is a link.")
    if info.flag_bits & 1:
        raise Unreadable(f"Member {quoted(name)} is encrypted.")
    if Path(name).suffix.lower() not in ENDINGS:
        raise Unreadable(f"Member {quoted(name)} is no image: {', '.join(ENDINGS)} are read.")


def _pixels(archive: zipfile.ZipFile, members: list[Member], how: Images, shelf: Shelf) -> NDArray[np.uint8]:
    """(rows, channels, height, width), in memory or mapped. The first image tells how large all are."""
    first = next(_decoded_images(archive, members[:1], how))
    layout = ArrayLayout((len(members), *first.shape), np.dtype(np.uint8))
    if layout.bytes > MOST_BYTES:
        raise Unreadable(f"The images have shape {layout.shape}: more than {MOST_BYTES} bytes. Give a smaller size.")
    if shelf.holds(layout.bytes):
        pixels = np.empty(layout.shape, dtype=np.uint8)
        for row, image in enumerate(_decoded_images(archive, members, how)):
            pixels[row] = image
        return pixels
    assert archive.filename is not None
    key = f"{digest_of_file(Path(archive.filename))}/{how.model_dump_json()}"
    return shelf.array(key, layout, lambda: (image[None] for image in _decoded_images(archive, members, how)))


def _decoded_images(archive: zipfile.ZipFile, members: list[Member], how: Images) -> Iterator[NDArray[np.uint8]]:
    """Of all members, in their order, each of the shape of the first."""
    shape: tuple[int, ...] | None = None
    for member, content in _contents(archive, members):
        image = _decoded(member.name, content, how)
        shape = shape or image.shape
        if image.shape != shape:
            first, this = ("x".join(map(str, sides[1:])) for sides in (shape, image.shape))
            title = f"Member {quoted(member.name)} has {this} pixels and the first image {first}: give a size."
            ways_out = [{"image": {"size": list(shape[1:]), "mode": how.mode}}]
            raise Problem("dataset_invalid", title, pointer="/dataset/image", ways_out=ways_out)
        yield image


def _contents(archive: zipfile.ZipFile, members: list[Member]) -> Iterator[tuple[Member, bytes]]:
    """Each with its bytes, which are counted as they come."""
    total = 0
    for member in members:
        name = member.name
        try:
            with archive.open(member.info) as stream:
                content = stream.read(MAX_IMAGE_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Unreadable(f"Member {quoted(name)} is damaged.") from error
        total += len(content)
        if len(content) > MAX_IMAGE_BYTES or total > MAX_BYTES:
            title = f"Member {quoted(name)} goes beyond {MAX_IMAGE_BYTES} bytes of one image or {MAX_BYTES} of all."
            raise Unreadable(title)
        yield member, content


def _decoded(name: str, content: bytes, how: Images) -> NDArray[np.uint8]:
    """(channels, height, width) of the upright image. Its size is looked at before it is decoded."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                title = f"Member {quoted(name)} has {image.width}x{image.height} pixels; at most {MAX_PIXELS} are read."
                raise Unreadable(title)
            if image.mode.startswith(("I", "F")):
                raise Unreadable(f"Member {quoted(name)} has more than 8 bits for each channel.")
            plain, turn = image.convert(how.mode), UPRIGHT.get(_orientation(image))
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise Unreadable(f"Member {quoted(name)} is neither a PNG nor a JPEG image, whatever its name says.") from error
    except Exception as error:  # decoders raise a dozen kinds at what is damaged, and word them for themselves
        raise Unreadable(
            f"Member {quoted(name)} is no whole image: it is damaged, or a part of it is missing."
        ) from error
    if turn is not None:
        plain = plain.transpose(turn)
    if how.size is not None and [plain.height, plain.width] != how.size:
        plain = plain.resize((how.size[1], how.size[0]), Image.Resampling.BILINEAR)
    values = np.asarray(plain, dtype=np.uint8)
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))


def _orientation(image: Image.Image) -> int:
    """What a camera noted of how it was held; 1, upright, where it noted nothing that can be read."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - notes that nobody can read turn no image, here as in every viewer
        return 1
    return found if isinstance(found, int) else 1
