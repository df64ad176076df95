"""A model is given the numbers that it takes: real ones of any precision, whole ones, pixels."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto
from PIL import Image
from torch.testing import assert_close

from qstill.contract.distillations.datasets import UploadedData
from tests.testing.refusals import problem_of
from tests.workers.distillation.teachers.onnx_models import model, node
from workers.distillation.data.dataset import Data, load
from workers.distillation.teachers import Teacher

Load = Callable[..., Teacher]

W = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)
TO_FLOAT = [
    node("Cast", ["x"], ["c"], to=TensorProto.FLOAT),
    node("Flatten", ["c"], ["f"]),
    node("MatMul", ["f", "w"], ["z"]),
]
WHOLE = [
    getattr(TensorProto, name)
    for name in ("UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "UINT64", "INT64")
]  # fmt: skip


@pytest.mark.parametrize("takes", [*WHOLE, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16])
@pytest.mark.parametrize("shape", [("n", 1, 8, 8), ("n", 8, 8, 1), ("n", 64)])
def test_numbers_of_any_type_are_fed_as_they_are(
    from_model: Load, digits: Data, takes: int, shape: tuple[int | str, ...]
) -> None:
    teacher = from_model(model(TO_FLOAT, shape=shape, takes=takes, columns=10, w=W), digits)
    expected = digits.test.raw.flatten(1) @ torch.from_numpy(W)
    assert_close(teacher.logits(digits.test), expected, atol=1e-2, rtol=1e-4)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Data, torch.Tensor]:
    """Images of two classes, and their bytes in the order of the data set."""
    draw = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("photos") / "photos.zip"
    written = []
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(40):
            pixels = draw.integers(0, 256, (4, 4, 3), dtype=np.uint8) if number % 2 else np.zeros((4, 4, 3), np.uint8)
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, "PNG")
            archive.writestr(f"{'ab'[number >= 20]}/{number:02}.png", content.getvalue())
            written.append(pixels)
    data = load(UploadedData(source="file", file="file_" + "0" * 32), {"file_" + "0" * 32: Path(path)})
    return data, torch.from_numpy(np.stack(written))


def test_pixels_of_images_are_given_as_bytes_to_a_model_of_bytes(
    from_model: Load, photos: tuple[Data, torch.Tensor]
) -> None:
    data, pixels = photos
    w = np.random.default_rng(1).normal(size=(48, 2)).astype(np.float32)
    teacher = from_model(model(TO_FLOAT, shape=("n", 4, 4, 3), takes=TensorProto.UINT8, columns=2, w=w), data)
    expected = pixels.float().flatten(1) @ torch.from_numpy(w)
    assert_close(teacher.logits(data.train), expected[data.train.index], atol=1e-2, rtol=1e-4)
    assert any("pixels from 0 to 255" in note for note in teacher.notes)


@pytest.mark.parametrize(
    ("takes", "inputs", "scale", "ways_out"),
    [
        (TensorProto.UINT8, "raw", 0.3, []),
        (TensorProto.UINT8, "raw", -1, []),
        (TensorProto.UINT8, "raw", 100, []),
        (TensorProto.INT8, "raw", 9, []),
        (TensorProto.INT64, "standardised", 1, [{"inputs": "raw"}]),
        (TensorProto.FLOAT16, "raw", 1e6, [{"inputs": "standardised"}]),
    ],
)
def test_numbers_that_the_model_cannot_hold_are_refused(
    from_model: Load, digits: Data, takes: int, inputs: str, scale: float, ways_out: list[Any]
) -> None:
    from dataclasses import replace

    train = replace(digits.train, raw=digits.train.raw * scale)
    made = model(TO_FLOAT, shape=("n", 64), takes=takes, columns=10, w=W)
    refused = problem_of(from_model(made, replace(digits, train=train), inputs=inputs, kind="logits").logits, train)
    assert (refused.code, refused.pointer) == ("inputs_mismatch", "/teacher/inputs")
    assert refused.ways_out == ways_out
