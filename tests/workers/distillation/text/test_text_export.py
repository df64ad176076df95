"""Models of text as ONNX: the same answers as PyTorch for any number of rows, of any length, however much padding."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file

from app.distillations.card import card
from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.texts import BagOfEmbeddings, Lstm, TextCnn
from qstill.contract.distillations.architectures.transformers import Decoder, Encoder, TextTransformer
from qstill.contract.distillations.datasets import BuiltinText
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.report.document import read_report
from qstill.contract.distillations.tokenizers import CharacterTokenizer
from workers.distillation.artifacts.student_onnx import described, onnx_logits, to_int8, to_onnx
from workers.distillation.data.dataset import Data
from workers.distillation.data.texts import filled, load_text
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.families import build
from workers.distillation.networks.network import Network
from workers.distillation.objectives.terms import UNKNOWN

pytestmark = pytest.mark.training

Make = Callable[..., Any]
JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
LENGTH = 20

CLASSIFIERS: list[AnyArchitecture] = [
    BagOfEmbeddings(kind="bag_of_embeddings", width=8, hidden=[6], dropout=0.5),
    TextCnn(kind="text_cnn", width=8, filters=4, sizes=[1, 3], dropout=0.5),
    Lstm(kind="lstm", width=8, hidden=6, depth=2, dropout=0.5),
    TextTransformer(kind="text_transformer", width=8, depth=1, heads=2, dropout=0.5),
]
SPEAKER = Decoder(kind="decoder", width=8, depth=1, heads=2, dropout=0.5)
FILLER = Encoder(kind="encoder", width=8, depth=1, heads=2, dropout=0.5)


@cache
def topics(task: Any) -> Data:
    spec = BuiltinText(
        source="builtin_text",
        name="python_topics",
        task=task,
        tokenizer=CharacterTokenizer(kind="character", vocabulary=50),
        max_length=LENGTH,
    )
    return load_text(spec, {})


def network_of(architecture: AnyArchitecture, data: Data) -> Network:
    """Untrained, but of strong opinions, so that a difference is one."""
    network = build(
        architecture, data.input_shape, len(data.classes), seed=1, pointer="", vocabulary=data.inputs.vocabulary
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    return network


def said(session: ort.InferenceSession, tokens: list[list[int]], length: int) -> Any:
    return session.run(["logits"], {"tokens": filled(tokens, length).numpy()})[0]


@pytest.mark.parametrize("architecture", CLASSIFIERS, ids=lambda each: str(each.kind))
def test_a_classifier_answers_tokens_of_any_number_and_length(architecture: AnyArchitecture) -> None:
    data = topics("classification")
    network = network_of(architecture, data)
    content = to_onnx(network, data, architecture)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = ort.InferenceSession(content)
    for rows, length in ((1, 1), (1, LENGTH), (3, 7), (8, 2)):
        tokens = torch.randint(1, 40, (rows, length))
        expected = logits_of(network, tokens)
        for filling in (0, LENGTH - length):  # padding is deaf to
            found = said(session, tokens.tolist(), length + filling)
            np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-4)
    facts = described(content, network, data, 1)
    assert facts["max_logit_difference"] < 1e-4
    assert (facts["accuracy"], facts["agreement"]) == (facts["pytorch_accuracy"], 1.0)

    small = to_int8(content, architecture, data.train.raw[:2])
    facts, answers = described(small, network, data, 1), onnx_logits(small, data.test.raw, 1)
    tables = {each.name: each.data_type for each in onnx.load_from_string(small).graph.initializer}
    assert tables["embedding.weight_quantized"] == onnx.TensorProto.UINT8  # and none beside it in 32 bits
    assert "embedding.weight" not in tables
    assert facts["accuracy"] == pytest.approx(float((answers.argmax(1) == data.test.y).double().mean()))
    assert 1e-5 < facts["max_logit_difference"] < 1
    expected = logits_of(network, data.test.x)
    assert facts["max_logit_difference"] == pytest.approx(float((answers - expected).abs().max()), rel=1e-4)


@pytest.mark.parametrize(
    ("task", "architecture"), [("language_modelling", SPEAKER), ("masked_language_modelling", FILLER)]
)
def test_a_language_model_answers_every_token_and_is_judged_where_there_is_one(
    task: str, architecture: AnyArchitecture
) -> None:
    data = topics(task)
    network = network_of(architecture, data)
    content = to_onnx(network, data, architecture)
    session = ort.InferenceSession(content)
    for rows, length in ((1, 1), (2, LENGTH), (5, 3)):
        tokens = torch.randint(1, 40, (rows, length))
        found = said(session, tokens.tolist(), length)
        assert found.shape == (rows, length, data.inputs.vocabulary)
        np.testing.assert_allclose(found.reshape(rows * length, -1), logits_of(network, tokens), atol=1e-4, rtol=1e-4)
        padded = said(session, tokens.tolist(), LENGTH)[:, :length]
        np.testing.assert_allclose(padded, found, atol=1e-4, rtol=1e-4)
    known = data.test.y.flatten() != UNKNOWN
    for file in (content, to_int8(content, architecture, data.train.raw[:2])):
        facts, answers = described(file, network, data, 1), onnx_logits(file, data.test.raw, 1)[known]
        labels = data.test.y.flatten()[known]
        assert facts["accuracy"] == pytest.approx(float((answers.argmax(1) == labels).double().mean()))
        loss = torch.nn.functional.cross_entropy(answers.double(), labels)
        assert facts["negative_log_likelihood"] == pytest.approx(float(loss))
        assert facts["max_logit_difference"] < (1e-3 if file is content else 3)


SHOP: dict[str, Any] = {
    "dataset": {
        "source": "text_file",
        "file": "file_1",
        "task": "classification",
        "tokenizer": {"kind": "word", "vocabulary": 30},
        "max_length": 5,
    },
    "teacher": {"source": "train", "architecture": {"kind": "bag_of_embeddings", "width": 8}},
    "student": {"architecture": {"kind": "bag_of_embeddings", "width": 4}},
    "training": {"epochs": 8, "batch_size": 8, "learning_rate": 0.05},
    "evaluation": {"seeds": 1},
    "export": ["onnx", "onnx_int8"],
}
WITHOUT_US = """
import json, sys
import numpy, onnxruntime, tokenizers

folder, texts = sys.argv[1], json.loads(sys.argv[2])
for name in ("student-seed-0.onnx", "student-seed-0.int8.onnx"):
    session = onnxruntime.InferenceSession(f"{folder}/{name}")
    card = json.loads(session.get_modelmeta().custom_metadata_map["qstill"])
    tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/{card['tokenizer']['file']}")
    tokenizer.encode_special_tokens = True
    rows = [each.ids[: card["max_length"]] for each in tokenizer.encode_batch(texts, add_special_tokens=False)]
    tokens = numpy.full((len(rows), max(map(len, rows))), card["padding"], dtype=numpy.int64)
    for row, ids in zip(tokens, rows):
        row[: len(ids)] = ids
    logits = session.run(["logits"], {"tokens": tokens})[0]
    print(json.dumps({"classes": card["classes"], "logits": logits.tolist()}))
assert not {"torch", "app", "workers"} & set(sys.modules)
"""


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Path]:
    words = {"fruit": ["apple", "pear", "plum"], "tool": ["saw", "drill", "plane"]}
    rows = [{"text": " ".join([words[kind][i % 3]] * 2), "label": kind} for i in range(30) for kind in words]
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return {"file_1": path}


def test_exports_of_text_are_used_with_onnxruntime_and_their_tokenizer_alone(
    house: Make, shop: dict[str, Path], tmp_path: Path
) -> None:
    told = house(files=shop)
    spec = JOBS.validate_json(json.dumps(SHOP))
    distil_job(spec, told)
    names = {"student-seed-0.onnx", "student-seed-0.int8.onnx", "tokenizer.json"}
    for name in names:
        (tmp_path / name).write_bytes(told.published[name])
    texts = ["pear <pad> plum", "Saw", "drill saw drill saw drill saw apple pear"]
    command = [sys.executable, "-I", "-c", WITHOUT_US, str(tmp_path), json.dumps(texts)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    exact, small = map(json.loads, done.stdout.splitlines())
    data = load_text(spec.dataset, shop)  # type: ignore[arg-type]
    assert data.text is not None
    tokens = filled([row[:5] for row in Tokenizer(data.text.tokenizer).encode(texts)], 5)
    (tmp_path / "s").write_bytes(told.published["student-seed-0.safetensors"])
    network = build(spec.student.architecture, (5,), 2, seed=0, pointer="", vocabulary=data.inputs.vocabulary)  # type: ignore[union-attr,arg-type]
    network.load_state_dict(load_file(tmp_path / "s"))
    np.testing.assert_allclose(exact["logits"], logits_of(network, tokens), atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(small["logits"], logits_of(network, tokens), atol=0.3)
    assert exact["classes"] == data.classes == ["fruit", "tool"]

    report = json.loads(told.published["report.json"])
    assert [each["name"] for each in report["exports"]] == ["student-seed-0.onnx", "student-seed-0.int8.onnx"]
    assert {each["tokenizer"] for each in report["exports"]} == {"tokenizer.json"}
    assert report["exports"][0]["pytorch_accuracy"] == report["student"]["runs"][0]["accuracy"]
    assert told.metas["tokenizer.json"]["format"] == "tokenizer"
    shown = card(read_report(report))
    assert '{"tokens": tokens}' in shown
    assert "tokenizer.json" in shown
