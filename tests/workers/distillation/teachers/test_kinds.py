"""Answers whose kind nobody named are read as what they are, or asked about; never as something else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import NodeProto
from torch import Tensor
from torch.nn.functional import logsigmoid
from torch.testing import assert_close

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from tests.workers.distillation.teachers.onnx_models import model, node
from workers.distillation.data.dataset import Data, load
from workers.distillation.teachers import Teacher
from workers.distillation.teachers.base import SMALLEST_PROBABILITY
from workers.distillation.teachers.kinds import as_logits, misnamed, recognised

Load = Callable[..., Teacher]

HIDING = [node("Identity", ["v"], ["hidden"]), node("Max", ["hidden"], ["z"])]  # which operator made it, nothing shows


@pytest.fixture(scope="module")
def cancer() -> Data:
    return load(BuiltinData(source="builtin", name="breast_cancer"), {})


def of_one_column(cancer: Data, nodes: list[NodeProto]) -> Any:
    """A network on the first feature, standardised: u, its logits of both signs, then `nodes` from u."""
    x = cancer.train.raw[:, 0]
    w = np.zeros((30, 1), np.float32)
    w[0] = -2 / float(x.std())
    given = [node("MatMul", ["x", "w"], ["m"]), node("Add", ["m", "b"], ["u"])]
    return model([*given, *nodes], shape=("n", 30), columns=1, w=w, b=[2 * float(x.mean()) / float(x.std())])


def logits_of(cancer: Data) -> Tensor:
    x = cancer.train.raw[:, 0]
    return -2 * (cancer.test.raw[:, :1] - x.mean()) / x.std()


@pytest.mark.parametrize(
    ("kind", "nodes"),
    [
        ("logits", [node("Identity", ["u"], ["z"])]),
        ("logits", [node("Identity", ["u"], ["v"]), *HIDING]),
        ("probabilities", [node("Sigmoid", ["u"], ["z"])]),
        ("probabilities", [node("Sigmoid", ["u"], ["v"]), node("Unsqueeze", ["v", "o"], ["w1"]),
                           node("Squeeze", ["w1", "o"], ["z"])]),
        ("asked", [node("Sigmoid", ["u"], ["v"]), *HIDING]),
        ("asked", [node("Sigmoid", ["u"], ["s"]), node("Log", ["s"], ["v"]), *HIDING]),
    ],
)  # fmt: skip
def test_one_column_is_known_for_what_it_is_or_asked_about(
    from_model: Load, cancer: Data, kind: str, nodes: list[NodeProto]
) -> None:
    made = of_one_column(cancer, nodes)
    from onnx import numpy_helper

    made.graph.initializer.append(numpy_helper.from_array(np.array([0]), "o"))
    expected = torch.sigmoid(logits_of(cancer)).flatten()
    if kind == "asked":
        refused = problem_of(from_model, made, cancer)
        assert (refused.code, refused.pointer) == ("kind_mismatch", "/teacher/kind")
        told, other = (way["kind"] for way in refused.ways_out)
        assert (told in ("probabilities", "log_probabilities"), other) == (True, "logits")
        teacher = from_model(made, cancer, kind=told)
    else:
        teacher = from_model(made, cancer)
        assert any(f"as {kind}, which it shows by itself" in note for note in teacher.notes)
    said = torch.softmax(teacher.logits(cancer.test), 1)[:, 1]
    assert_close(said, expected, atol=1e-4, rtol=1e-4)
    assert_close(teacher.logits(cancer.test.some(slice(0, 1))), teacher.logits(cancer.test)[:1])  # one row alone


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ([node("Identity", ["m"], ["z"])], lambda z: z.softmax(1)),
        ([node("Softmax", ["m"], ["z"], axis=1)], lambda z: z.softmax(1)),
        ([node("LogSoftmax", ["m"], ["z"], axis=1)], lambda z: z.softmax(1)),
        ([node("Softmax", ["m"], ["v"], axis=1), *HIDING], lambda z: z.softmax(1)),
        ([node("LogSoftmax", ["m"], ["v"], axis=1), *HIDING], lambda z: z.softmax(1)),
        ([node("Sigmoid", ["m"], ["z"])], lambda z: z.sigmoid() / z.sigmoid().sum(1, keepdim=True)),
        ([node("Sigmoid", ["m"], ["v"]), *HIDING], None),
    ],
)
def test_a_column_for_each_class_is_known_or_asked_about(
    from_model: Load, iris: Data, operator: list[NodeProto], expected: Callable[[Tensor], Tensor] | None
) -> None:
    w = np.array([[1, -1, 0.5], [0, 1, -1], [-1, 0.5, 1], [-2, 0, 2]], np.float32)
    made = model([node("MatMul", ["x", "w"], ["m"]), *operator], w=w)
    if expected is None:
        refused = problem_of(from_model, made, iris)
        assert refused.code == "kind_mismatch"
        assert refused.ways_out == [{"kind": "sigmoid"}, {"kind": "logits"}]
        return
    said = torch.softmax(from_model(made, iris).logits(iris.test), 1)
    assert_close(said, expected(iris.test.raw @ torch.from_numpy(w)), atol=1e-5, rtol=1e-4)


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(2, 20), st.integers(1, 4)), elements=st.floats(-20, 20, width=32)),
    st.sampled_from(["logits", "probabilities", "log_probabilities", "sigmoid"]),
)
def test_no_kind_is_taken_for_one_that_is_another_teacher(values: Any, kind: str) -> None:
    z = torch.from_numpy(values)
    classes = max(2, z.shape[1])
    full = torch.cat([torch.zeros_like(z), z], 1) if z.shape[1] == 1 else z
    written = {
        "logits": z,
        "probabilities": full.softmax(1)[:, -z.shape[1] :],
        "log_probabilities": full.log_softmax(1)[:, -z.shape[1] :],
        "sigmoid": z.sigmoid(),
    }[kind]
    truth = full.softmax(1)
    if kind == "sigmoid" and z.shape[1] > 1:
        truth = z.sigmoid() / z.sigmoid().sum(1, keepdim=True)
    try:
        found = recognised(written)
    except Problem:
        return  # asked
    said = as_logits(written, found, classes, lambda title: Problem("wrong", title)).softmax(1)
    assert_close(said, truth, atol=3e-3, rtol=1e-2)  # rows whose values sum to 1 within a thousandth


@given(arrays.arrays(np.float32, (5, 1), elements=st.floats(-30, 30, width=32)))
def test_one_column_of_every_kind_says_the_same(values: Any) -> None:
    z = torch.from_numpy(values)
    written = {"probabilities": z.sigmoid(), "sigmoid": z.sigmoid(), "log_probabilities": logsigmoid(z), "logits": z}
    for kind, numbers in written.items():
        logits = as_logits(numbers, kind, 2, lambda title: Problem("wrong", title))  # type: ignore[arg-type]
        assert_close(logits.softmax(1)[:, 1:], z.sigmoid(), atol=1e-6, rtol=1e-5)


def test_log_probabilities_of_nothing_stay_finite() -> None:
    logs = torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]])
    found = as_logits(logs, recognised(logs), 2, lambda title: Problem("wrong", title))
    assert float(found.min()) == pytest.approx(float(np.log(SMALLEST_PROBABILITY)))


def test_logits_that_look_like_probabilities_are_warned_of() -> None:
    assert misnamed(torch.tensor([[0.2, 0.9], [0.7, 0.1]]))
    assert not misnamed(torch.tensor([[0.2, 1.1], [0.7, 0.1]]))
    assert not misnamed(torch.tensor([[0.2, 0.9]]).log())
