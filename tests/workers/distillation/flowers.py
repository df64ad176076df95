"""Archives of small images, in a folder for each of two classes."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from qstill.contract.distillations.datasets import UploadedData
from workers.distillation.data.dataset import Data, load

FILE = "file_1"
Members = dict[str, bytes]


def picture(value: int = 0, *, size: tuple[int, int] = (6, 5), mode: str = "RGB", format: str = "PNG") -> bytes:
    """size: (width, height), as Pillow has it."""
    content = io.BytesIO()
    Image.new(mode, size, value if mode in ("L", "I;16") else (value,) * len(mode)).save(content, format)
    return content.getvalue()


def flowers(each: int = 3) -> Members:
    """Two classes with `each` images, which are dark and bright."""
    classes = (("daisy", 40), ("rose", 200))
    return {f"{name}/{i}.png": picture(value + i) for name, value in classes for i in range(each)}


def packed(folder: Path, members: Members, *, name: str = "flowers.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def uploaded(path: Path, **given: Any) -> Data:
    return load(UploadedData(source="file", file=FILE, **given), {FILE: path})


def noise(format: str) -> bytes:
    """What does not compress, in 60x50 pixels."""
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, format)
    return content.getvalue()
