"""Models of Keras, which hold Python to be run: their owner makes an ONNX of them."""

import zipfile
from pathlib import Path

from qstill.contract.errors import Problem

HDF5 = b"\x89HDF\r\n\x1a\n"  # a model of Keras 2, or weights alone
OF_KERAS = {"config.json", "model.weights.h5"}  # in the zip that a .keras is
COMMAND = 'model.export("teacher.onnx", format="onnx")'


def refuse_keras(path: Path) -> None:
    """Raise Problem keras_file. A file that cannot be read is left to those who know its format."""
    with path.open("rb") as file:
        is_keras = file.read(len(HDF5)) == HDF5
    if not is_keras and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                is_keras = set(archive.namelist()) >= OF_KERAS
        except (zipfile.BadZipFile, OSError, ValueError):
            return
    if is_keras:
        title = f"This is a model of Keras, which is not run here. In Keras, {COMMAND} makes a file that is."
        raise Problem("keras_file", title, pointer="/file", ways_out=[{"format": "onnx"}])
