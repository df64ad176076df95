"""Data to teach, and a house to load teachers in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.teachers import UploadedTeacher
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from workers.distillation import teachers
from workers.distillation.data.dataset import Data, load
from workers.distillation.teachers import Teacher

FILE = "file_1"
Load = Callable[..., Teacher]


@pytest.fixture(scope="session")
def iris() -> Data:
    return load(BuiltinData(source="builtin", name="iris"), {})


@pytest.fixture(scope="session")
def digits() -> Data:
    return load(BuiltinData(source="builtin", name="digits"), {})


@pytest.fixture
def load_teacher(house: Callable[..., Any]) -> Load:
    """A teacher from its specification; a file of it is called file_1."""

    def make(spec: Any, data: Data, path: Path | None = None, **given: Any) -> Teacher:
        given.setdefault("files", {} if path is None else {FILE: path})
        return teachers.loaded(spec, data, house(**given))

    return make


@pytest.fixture
def refusal() -> Callable[..., Problem]:
    """The problem that an act raises, which must point to a field of the teacher."""

    def refused(act: Callable[[], Any], pointer: str = "/teacher/file") -> Problem:
        raised = problem_of(act)
        assert raised.pointer == pointer
        return raised

    return refused


@pytest.fixture
def from_model(load_teacher: Load, tmp_path: Path) -> Load:
    def make(model: onnx.ModelProto | bytes, data: Data, **given: Any) -> Teacher:
        content = model if isinstance(model, bytes) else model.SerializeToString()
        (tmp_path / "t.onnx").write_bytes(content)
        spec = UploadedTeacher.model_validate({"source": "file", "file": FILE, "format": "onnx"} | given)
        return load_teacher(spec, data, tmp_path / "t.onnx")

    return make
