"""ONNX models of three frameworks teach."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.testing import assert_close

from tests.testing.refusals import problem_of
from tests.workers.distillation.teachers.onnx_models import model, node
from workers.distillation.data.dataset import Data
from workers.distillation.quality import Size, quality
from workers.distillation.report.measure import teacher_cost
from workers.distillation.teachers import Teacher

pytestmark = pytest.mark.training

Load = Callable[..., Teacher]


def exported(network: nn.Module, example: torch.Tensor, path: Path, *, batch: bool = True) -> bytes:
    """By PyTorch. batch: whether any number of rows may be asked."""
    shapes = ({0: torch.export.Dim("batch")},) if batch else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), (example,), path, dynamo=True, external_data=False, verbose=False, dynamic_shapes=shapes
        )
    return path.read_bytes()


def test_a_model_of_pytorch_teaches(from_model: Load, iris: Data, tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    teacher = from_model(exported(network, torch.zeros(2, 4), tmp_path / "m"), iris)
    assert_close(teacher.logits(iris.train), network(iris.train.raw).detach(), atol=1e-5, rtol=1e-5)
    assert teacher.parameters == 4 * 8 + 8 + 8 * 3 + 3
    assert teacher.multiply_adds == 4 * 8 + 8 * 3
    cost = teacher_cost(teacher, iris)
    assert cost is not None
    assert cost.size == Size(teacher.parameters, len((tmp_path / "m").read_bytes()), teacher.multiply_adds)
    assert 0 < cost.latency.p50_ms <= cost.latency.p95_ms
    assert cost.timed == "one row by onnxruntime"
    standardised = from_model((tmp_path / "m").read_bytes(), iris, inputs="standardised")
    assert_close(standardised.logits(iris.train), network(iris.train.x).detach(), atol=1e-5, rtol=1e-5)
    assert standardised.digest != teacher.digest


def test_a_model_that_fixes_its_batch_answers_any_number_of_rows(from_model: Load, iris: Data, tmp_path: Path) -> None:
    network = nn.Linear(4, 3)
    teacher = from_model(exported(network, torch.zeros(7, 4), tmp_path / "m", batch=False), iris)
    assert len(iris.train.y) % 7 != 0
    assert teacher.multiply_adds == 4 * 3
    assert_close(teacher.logits(iris.train), network(iris.train.raw).detach(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_model_of_scikit_learn_teaches(from_model: Load, iris: Data, zipmap: bool, named: bool) -> None:
    """ZipMap says which class is which where labels are names; numbers need the names in order."""
    from skl2onnx import to_onnx

    x, y = iris.train.raw.numpy(), iris.train.y.numpy()
    classifier = LogisticRegression(max_iter=1000).fit(x, np.array(iris.classes)[y] if named else y)
    model = to_onnx(classifier, x[:1], options={"zipmap": zipmap}).SerializeToString()
    if zipmap and not named:
        refused = problem_of(from_model(model, iris, kind="probabilities").logits, iris.test)
        assert (refused.code, refused.pointer) == ("class_mismatch", "/teacher/classes")
        assert refused.ways_out == [{"classes": iris.classes}]
    teacher = from_model(model, iris, kind="probabilities", classes=None if named else iris.classes)
    expected = classifier.predict_proba(iris.test.raw.numpy())
    expected = torch.from_numpy(expected).float()
    assert_close(torch.softmax(teacher.logits(iris.test), 1), expected, atol=1e-5, rtol=1e-4)
    cost = teacher_cost(teacher, iris)
    assert cost is not None
    assert cost.size is not None
    assert cost.size.multiply_adds is None  # its operator is no product of matrices that could be counted
    recognised = from_model(model, iris, classes=None if named else iris.classes)
    assert_close(torch.softmax(recognised.logits(iris.test), 1), expected, atol=1e-5, rtol=1e-4)
    refused = problem_of(
        from_model(model, iris, kind="logits", classes=None if named else iris.classes).logits, iris.test
    )
    assert (refused.code, refused.pointer) == ("kind_mismatch", "/teacher/kind")


def test_a_model_of_keras_teaches_with_its_channels_last(from_model: Load, digits: Data, tmp_path: Path) -> None:
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        keras.utils.set_random_seed(0)
        layers = [keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu")]
        model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(10)])
        images = digits.test.raw.numpy().transpose(0, 2, 3, 1)
        expected = np.asarray(model.predict(images, verbose=0))
        model.export(tmp_path / "k.onnx", format="onnx", verbose=False)
    teacher = from_model((tmp_path / "k.onnx").read_bytes(), digits)
    assert_close(teacher.logits(digits.test), torch.from_numpy(expected), atol=1e-3, rtol=1e-4)
    assert any("channels last" in note for note in teacher.notes)
    assert teacher.multiply_adds == 4 * 9 * 36 + 4 * 36 * 10


def test_images_are_flattened_or_stripped_of_their_channel_where_the_model_wants_it(
    from_model: Load, digits: Data
) -> None:
    weights = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)
    flat = model([node("MatMul", ["x", "w"], ["z"])], shape=("n", 64), columns=10, w=weights)
    expected = digits.test.raw.flatten(1) @ torch.from_numpy(weights)
    teacher = from_model(flat, digits)
    assert_close(teacher.logits(digits.test), expected, atol=1e-2, rtol=1e-4)
    assert any("flattened" in note for note in teacher.notes)
    nodes = [node("Flatten", ["x"], ["f"]), node("MatMul", ["f", "w"], ["z"])]
    stripped = from_model(model(nodes, shape=("n", 8, 8), columns=10, w=weights), digits)
    assert_close(stripped.logits(digits.test), expected, atol=1e-2, rtol=1e-4)


def test_one_column_is_enough_for_two_classes(from_model: Load, load_teacher: Load) -> None:
    from qstill.contract.distillations.datasets import BuiltinData
    from workers.distillation.data.dataset import load

    cancer = load(BuiltinData(source="builtin", name="breast_cancer"), {})
    x, y = cancer.train.raw.numpy(), cancer.train.y.numpy()
    fitted = LogisticRegression(max_iter=10_000).fit(x, y)
    given = {"w": fitted.coef_.T.astype(np.float32), "b": fitted.intercept_.astype(np.float32)}
    nodes = [node("MatMul", ["x", "w"], ["u"]), node("Add", ["u", "b"], ["z"])]
    logits = from_model(model(nodes, shape=("n", 30), columns=1, **given), cancer).logits(cancer.test)
    nodes = [nodes[0], node("Add", ["u", "b"], ["v"]), node("Sigmoid", ["v"], ["z"])]
    sure = from_model(model(nodes, shape=("n", 30), columns=1, **given), cancer, kind="probabilities")
    assert quality(logits, cancer.test.y).accuracy > 0.9
    assert_close(torch.softmax(logits, 1), torch.softmax(sure.logits(cancer.test), 1), atol=1e-5, rtol=1e-3)
