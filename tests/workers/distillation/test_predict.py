"""Predictions are what PyTorch says of the same rows, whatever form the model has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.cnn import Cnn
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.models.answers import Prediction
from qstill.contract.models.questions import MAX_ROWS, AskRows, Question
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.artifacts.student_onnx import to_onnx
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.predict.rows import predict

pytestmark = pytest.mark.training

Make = Callable[..., Any]

DIGITS = load(BuiltinData(source="builtin", name="digits"), {})
IRIS = load(BuiltinData(source="builtin", name="iris"), {})
MLP, CNN = Mlp(kind="mlp", hidden=[5]), Cnn(kind="cnn", channels=[3])
NAME = "model_" + "0" * 32


def network_of(architecture: AnyArchitecture, data: Data) -> Any:
    return build(architecture, data.input_shape, len(data.classes), seed=3, pointer="")


def said(house: Make, content: bytes, reading: dict[str, Any], **rows: Any) -> Prediction:
    run = house(models={NAME: reading})
    path = run.scratch / "model"
    path.write_bytes(content)
    run.files = {NAME: path}
    return Prediction.model_validate(predict(Question(model=NAME, rows=AskRows(**rows)), run))


def flat(data: Data, rows: slice) -> list[list[float]]:
    return [[float(number) for number in row] for row in data.test.raw[rows].flatten(1)]


@pytest.mark.parametrize(("architecture", "data"), [(MLP, IRIS), (MLP, DIGITS), (CNN, DIGITS)])
def test_a_checkpoint_says_what_pytorch_says(house: Make, architecture: AnyArchitecture, data: Data) -> None:
    network = network_of(architecture, data)
    found = said(house, to_bytes(network.state_dict(), architecture, data), {}, inputs=flat(data, slice(0, 20)))
    expected = logits_of(network, data.test.x[:20])
    torch.testing.assert_close(torch.tensor(found.logits), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.tensor(found.probabilities), expected.softmax(1), atol=1e-5, rtol=1e-5)
    assert found.predicted == [data.classes[code] for code in expected.argmax(1)]
    assert (found.classes, found.model) == (data.classes, NAME)


@given(start=st.integers(0, 10), rows=st.integers(1, 20))
@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_row_is_answered_alike_in_any_company(house: Make, start: int, rows: int) -> None:
    network = network_of(MLP, IRIS)
    content = to_bytes(network.state_dict(), MLP, IRIS)
    found = said(house, content, {}, inputs=flat(IRIS, slice(start, start + rows)))
    expected = logits_of(network, IRIS.test.x)[start : start + rows]
    torch.testing.assert_close(torch.tensor(found.logits), expected, atol=1e-5, rtol=1e-5)


def test_an_export_says_it_too_and_numbers_its_classes(house: Make) -> None:
    network = network_of(CNN, DIGITS)
    content = to_onnx(network, DIGITS, CNN)
    found = said(house, content, {"format": "onnx"}, inputs=flat(DIGITS, slice(0, 9)))
    expected = logits_of(network, DIGITS.test.x[:9])
    torch.testing.assert_close(torch.tensor(found.logits), expected, atol=1e-4, rtol=1e-4)
    assert found.classes == [str(number) for number in range(10)]


def test_an_onnx_file_is_looked_at_before_anything_runs_it(house: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = onnx.load_model_from_string(to_onnx(network_of(MLP, IRIS), IRIS, MLP))
    tensor = model.graph.initializer[0]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: pytest.fail("it was run"))
    caught = problem_of(said, house, model.SerializeToString(), {"format": "onnx"}, inputs=flat(IRIS, slice(0, 1)))
    assert caught.code == "teacher_invalid"
    assert "lies in another file" in caught.title


def test_weights_without_a_card_are_told_the_shape_and_the_classes(house: Make, tmp_path: Path) -> None:
    network = network_of(CNN, DIGITS)
    torch.save(network.state_dict(), tmp_path / "m.pt")
    names = [f"class-{number}" for number in range(10)]
    reading = {"format": "torch", "architecture": CNN.model_dump(mode="json"), "classes": names}
    rows = flat(DIGITS, slice(0, 3))
    found = said(house, (tmp_path / "m.pt").read_bytes(), reading, inputs=rows, shape=[1, 8, 8])
    torch.testing.assert_close(torch.tensor(found.logits), logits_of(network, DIGITS.test.raw[:3]))
    assert found.classes == names
    caught = problem_of(said, house, (tmp_path / "m.pt").read_bytes(), reading, inputs=rows)
    assert caught.code == "architecture_mismatch"


@pytest.mark.parametrize("inputs", [[[1.0]], [[1.0] * 5], [[1e39, 0.0, 0.0, 0.0]]])
def test_rows_that_do_not_fit_are_refused_with_the_shape(house: Make, inputs: list[list[float]]) -> None:
    content = to_bytes(network_of(MLP, IRIS).state_dict(), MLP, IRIS)
    caught = problem_of(said, house, content, {}, inputs=inputs)
    assert (caught.code, caught.pointer) == ("inputs_mismatch", "/inputs")


def test_a_shape_that_is_not_the_models_own_is_told(house: Make) -> None:
    content = to_bytes(network_of(CNN, DIGITS).state_dict(), CNN, DIGITS)
    rows = flat(DIGITS, slice(0, 2))
    assert said(house, content, {}, inputs=rows, shape=[1, 8, 8]).logits == said(house, content, {}, inputs=rows).logits
    caught = problem_of(said, house, content, {}, inputs=rows, shape=[1, 4, 16])
    assert (caught.code, caught.pointer) == ("inputs_mismatch", "/shape")


def test_answers_that_are_no_numbers_are_not_sent(house: Make) -> None:
    content = to_bytes(network_of(Mlp(kind="mlp", hidden=[]), IRIS).state_dict(), Mlp(kind="mlp", hidden=[]), IRIS)
    assert problem_of(said, house, content, {}, inputs=[[3e38, -3e38, 3e38, -3e38]] * 2).code == "not_finite"


def test_a_deleted_model_says_so(house: Make) -> None:
    assert problem_of(predict, Question(model=NAME, rows=AskRows(inputs=[[1.0]])), house()).code == "model_not_found"


@pytest.mark.parametrize("inputs", [[], [[]], [[1.0], [1.0, 2.0]], [[1.0]] * (MAX_ROWS + 1), [[0.0] * 2000] * 200])
def test_what_is_no_table_is_refused_at_the_door(inputs: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="inputs"):
        AskRows(inputs=inputs)
