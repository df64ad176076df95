"""Students as ONNX: the same answers as PyTorch from raw inputs, and figures that running the file gives again."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.cnn import Cnn
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.architectures.resnet import ResNet, WideResNet
from qstill.contract.distillations.architectures.vit import Vit
from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.teachers import ModelFormat
from tests.testing.examples import examples
from workers.distillation.artifacts.onnx_file import notes_of_exports
from workers.distillation.artifacts.student_onnx import described, onnx_logits, to_int8, to_onnx
from workers.distillation.data.dataset import Data, load
from workers.distillation.inputs.values import Raw
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.networks.network import Features, Network
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.teachers.onnx.model import from_onnx

pytestmark = pytest.mark.training

Make = Callable[..., Any]

ARCHITECTURES: list[tuple[AnyArchitecture, str]] = [
    (Mlp(kind="mlp", hidden=[16], activation="tanh", dropout=0.5), "feature"),
    (Cnn(kind="cnn", channels=[4, 8], dropout=0.5), "none"),
    (ResNet(kind="resnet", depth=8, width=2), "channel"),
    (WideResNet(kind="wide_resnet", depth=10, widen=1), "feature"),
    (Vit(kind="vit", patch=4, width=8, depth=1, heads=2), "channel"),
]


def digits(standardise: Any) -> Data:
    return load(BuiltinData(source="builtin", name="digits", standardise=standardise), {})


def network_of(architecture: AnyArchitecture, data: Data) -> Network:
    """With normalisation that has seen something, so that a wrong one is noticed."""
    network = build(architecture, data.input_shape, len(data.classes), seed=1, pointer="")
    with torch.no_grad():
        for _ in range(3):
            network(data.train.x[:64])
    return network


@pytest.mark.parametrize(("architecture", "standardise"), ARCHITECTURES, ids=lambda each: getattr(each, "kind", each))
def test_a_file_answers_raw_rows_as_the_network_answers_standardised_ones(
    architecture: AnyArchitecture, standardise: str
) -> None:
    data = digits(standardise)
    network = network_of(architecture, data)
    content = to_onnx(network, data, architecture)
    session = ort.InferenceSession(content)
    expected = logits_of(network, data.test.x)
    for rows in (1, 2, 7, len(data.test.y)):
        found = session.run(["logits"], {"inputs": data.test.raw[:rows].numpy()})[0]
        np.testing.assert_allclose(found, expected[:rows], atol=1e-4, rtol=1e-4)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    assert json.loads(session.get_modelmeta().custom_metadata_map["qstill"])["classes"] == data.classes
    assert described(content, network, data, 1)["max_logit_difference"] < 1e-3

    small = to_int8(content, architecture, data.train.raw[:64])
    kinds = {tensor.data_type for tensor in onnx.load_from_string(small).graph.initializer if np.prod(tensor.dims) > 64}
    assert kinds & {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    facts = described(small, network, data, 1)
    answers = ort.InferenceSession(small).run(["logits"], {"inputs": data.test.raw.numpy()})[0]
    assert facts["accuracy"] == pytest.approx(np.mean(answers.argmax(1) == data.test.y.numpy()), abs=2 / len(answers))
    assert facts["agreement"] > 0.8
    assert facts["bytes"] == len(small)


class Nothing(Network):
    """Its logits are its inputs."""

    def forward(self, x: torch.Tensor, seen: Features | None = None) -> torch.Tensor:
        return x


@given(
    mean=st.floats(-1e6, 1e6),
    std=st.floats(1e-3, 1e3),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=examples(40), deadline=None)
def test_standardising_inside_is_standardising_before(mean: float, std: float, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    raw = (torch.randn(20, 5, generator=draw, dtype=torch.float64) * std + mean).float()
    standardise = Standardisation(raw.double().mean(0), raw.double().std(0).clamp(min=1e-6))
    inside = Raw(Nothing(), standardise)
    torch.testing.assert_close(inside(raw), standardise(raw), atol=1e-4, rtol=1e-4)


def test_an_export_teaches_as_the_student_that_it_was(house: Make, job: Make) -> None:
    data = digits("feature")
    architecture = ARCHITECTURES[0][0]
    network = network_of(architecture, data)
    path = house().scratch / "m.onnx"
    path.write_bytes(to_onnx(network, data, architecture))
    teacher = from_onnx(ModelFormat(format="onnx"), path, data, 1)
    torch.testing.assert_close(teacher.logits(data.test), logits_of(network, data.test.x), atol=1e-4, rtol=1e-4)


def test_a_job_publishes_what_it_was_asked_for_and_says_what_it_measured(house: Make, job: Make) -> None:
    told = house()
    distil_job(job().model_copy(update={"export": ["onnx", "onnx_int8"]}), told)
    report = json.loads(told.published["report.json"])
    assert [each["name"] for each in report["exports"]] == ["student-seed-0.onnx", "student-seed-0.int8.onnx"]
    data = load(job().dataset, {})
    for each in report["exports"]:
        answers = onnx_logits(told.published[each["name"]], data.test.raw, 1)
        assert each["accuracy"] == float((answers.argmax(1) == data.test.y).double().mean())
        assert each["pytorch_accuracy"] == report["student"]["runs"][0]["accuracy"]
        assert each["bytes"] == len(told.published[each["name"]])
        assert told.metas[each["name"]] == {name: fact for name, fact in each.items() if name != "name"}
    exact, small = report["exports"]
    assert exact["max_logit_difference"] < 1e-4 < small["max_logit_difference"] < 2
    assert small["quantisation"] == "dynamic"


def test_a_difference_is_seen(house: Make) -> None:
    """Of the file to the network; a parity that could not fail would say nothing."""
    data = digits("feature")
    architecture = ARCHITECTURES[0][0]
    network = network_of(architecture, data)
    content = to_onnx(network, data, architecture)
    with torch.no_grad():
        network.head.bias[3] += 0.25
    assert described(content, network, data, 1)["max_logit_difference"] == pytest.approx(0.25, abs=1e-3)
    shifted = replace(data, test=Rows(data.test.raw + 1, data.test.x, data.test.y, data.test.index))
    assert described(content, network, shifted, 1)["max_logit_difference"] > 0.3


def test_a_file_of_8_bits_that_is_larger_has_a_note(job: Make, house: Make) -> None:
    told = house()
    distil_job(job().model_copy(update={"export": ["onnx", "onnx_int8"]}), told)
    report = json.loads(told.published["report.json"])
    plain, small = (each["bytes"] for each in report["exports"])
    assert small > plain  # of a network this small
    [note] = notes_of_exports(report["exports"])
    assert note in report["notes"]
    assert f"{small:,} bytes" in note
    assert notes_of_exports([{"format": "onnx", "bytes": 9}, {"format": "onnx_int8", "bytes": 9}]) == []
    assert notes_of_exports([{"format": "onnx_int8", "bytes": 9}]) == []
