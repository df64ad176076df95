"""Bad data and bad teachers: a job and its preflight refuse them alike, with the field, before anything is trained."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from qstill.contract.distillations.architectures.texts import BagOfEmbeddings
from qstill.contract.distillations.datasets import BuiltinText
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import Preflight, PreflightQuestion
from qstill.contract.distillations.tokenizers import WordTokenizer
from qstill.contract.errors import Problem
from tests.testing.refusals import problem_of
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.data.texts import load_text
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job
from workers.distillation.networks.families import build

Make = Callable[..., Any]
Json = dict[str, Any]

ONNX = {"source": "file", "file": "file_2", "format": "onnx"}
UPLOADED = {"source": "file", "file": "file_1", "labelled": None}
TEXTS = {"source": "builtin_text", "name": "python_topics", "task": "classification"}
BAG = {"architecture": {"kind": "bag_of_embeddings"}}
DAY = 86400.0


def rows_of(count: int = 30, features: int = 4) -> Json:
    draw = np.random.default_rng(0)
    return {"x": draw.normal(size=(count, features)).astype(np.float32), "y": np.arange(count) % 3}


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def bomb(size: int) -> bytes:
    """The beginning of an npy of so many bytes."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": (size - 128,)})
    return stream.getvalue()


def archive(content: bytes = bytes(1000), *, declared: int) -> bytes:
    """An archive whose directory declares so many bytes of its one member, which has fewer."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("x.npy", content)
        zipped.filelist[0].file_size = declared
    return stream.getvalue()


def linear(weights: Any = None, *, opset: int = 17, kind: str = "MatMul", domain: str = "") -> onnx.ModelProto:
    weights = np.eye(4, 3) if weights is None else weights
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w"], ["z"], domain=domain)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", np.shape(weights)[1]])],
        [numpy_helper.from_array(np.asarray(weights, np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def external() -> bytes:
    model = linear()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return bytes(model.SerializeToString())


def of_another_tokenizer() -> bytes:
    """A checkpoint whose tokens are not the job's."""
    tokenizer = WordTokenizer(kind="word", vocabulary=50)
    data = load_text(
        BuiltinText(source="builtin_text", name="python_topics", task="classification", tokenizer=tokenizer), {}
    )
    bag = BagOfEmbeddings(kind="bag_of_embeddings")
    network = build(bag, data.input_shape, len(data.classes), seed=0, pointer="", vocabulary=data.inputs.vocabulary)
    return to_bytes(network.state_dict(), bag, data)


def bytes_of(model: onnx.ModelProto) -> bytes:
    return bytes(model.SerializeToString())


DATA: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "one sample": (lambda: b"a,kind\n1,x\n", "/dataset/file", "1 classes"),
    "one sample of each class": (lambda: b"a,kind\n1,x\n2,y\n", "/dataset/file", "Class 'x' has 1 labelled rows"),
    "one class": (lambda: npz(x=np.ones((9, 2)), y=np.zeros(9)), "/dataset/file", "1 classes"),
    "no labels at all": (lambda: npz(x=np.ones((9, 2)), y=-np.ones(9)), "/dataset/file", "0 classes"),
    "a label that is infinite": (
        lambda: npz(x=np.ones((4, 2)), y=np.array([0, 1, np.inf, 1])),
        "/dataset/file",
        "Label inf of row 2",
    ),
    "an input without end": (lambda: b"a,kind\n1,x\ninf,y\n", "/dataset/file", "no numbers: 'inf'"),
    "10^6 columns": (lambda: b",".join([b"a"] * 1_000_000) + b"\n", "/dataset/file", "1000000 columns"),
    "a csv with NUL": (lambda: b"a,kind\n1,x\n2,\0\n", "/dataset/file", "NUL"),
    "a class that no picture can name": (lambda: b"a,kind\n" + b"1,x\n2,\x07\n" * 9, "/dataset/file", "control"),
    "a csv in UTF-16 without its mark": (lambda: "a,kind\n1,x\n".encode("utf-16-le"), "/dataset/file", "UTF-8"),
    "an npz of objects": (
        lambda: npz(x=np.array([[object()]], dtype=object), y=np.zeros(1)),
        "/dataset/file",
        "only numbers",
    ),
    "an npz that unpacks to 32 GiB": (lambda: archive(bomb(32 << 30), declared=32 << 30), "/dataset/file", "limits"),
    "an npz that declares less than it holds": (lambda: archive(declared=10), "/dataset/file", "not a readable"),
    "a member outside the archive": (
        lambda: npz(**{"../x": np.ones((9, 2)), "y": np.arange(9) % 3}),
        "/dataset/file",
        "'../x'",
    ),
    "half an npz": (lambda: npz(**rows_of())[:300], "/dataset/file", "its end is missing"),
}
TEACHERS: dict[str, tuple[Callable[[], bytes], Json, str, str, str]] = {
    "half an ONNX model": (lambda: bytes_of(linear())[:-9], ONNX, "teacher_invalid", "/teacher/file", "not a whole"),
    "an opset of the future": (
        lambda: bytes_of(linear(opset=999)),
        ONNX,
        "teacher_invalid",
        "/teacher/file",
        "opset",
    ),
    "weights in a file elsewhere": (external, ONNX, "teacher_invalid", "/teacher/file", "external"),
    "an operator of nobody": (
        lambda: bytes_of(linear(kind="Steal", domain="evil")),
        ONNX,
        "teacher_invalid",
        "/teacher/file",
        "evil",
    ),
    "inputs of another width": (
        lambda: bytes_of(linear(np.eye(7, 3))),
        ONNX,
        "teacher_invalid",
        "/teacher/file",
        "Incompatible dimensions",
    ),
    "another number of classes": (
        lambda: bytes_of(linear(np.eye(4, 5))),
        ONNX,
        "class_mismatch",
        "/teacher/file",
        "a column for each of the 3 classes",
    ),
    "classes of another name": (
        lambda: bytes_of(linear()),
        ONNX | {"classes": ["0", "1", "cat"]},
        "class_mismatch",
        "/teacher/classes",
        "'cat'",
    ),
    "soft labels of other rows": (
        lambda: npz(z=np.ones((7, 3))),
        {"source": "soft_labels", "file": "file_2", "kind": "logits"},
        "soft_labels_mismatch",
        "/teacher/file",
        "(7, 3)",
    ),
}


def refusals(body: DistillationJob, house: Make, files: dict[str, Path]) -> list[Problem]:
    """What a job and its preflight say, after which nothing was trained."""
    found = []
    for ask in (lambda told: distil_job(body, told), lambda told: inspect(question(body), told)):
        told = house(files=files)
        refused = problem_of(ask, told)
        assert (told.events, told.published) == ([], {})
        found.append(refused)
    return found


def question(body: DistillationJob) -> PreflightQuestion:
    return PreflightQuestion(job=body, seconds_limit=DAY)


def looked(body: DistillationJob, told: Any) -> Preflight:
    return Preflight.model_validate(inspect(question(body), told))


@pytest.mark.parametrize("name", DATA)
def test_bad_data_is_refused_before_anything_is_trained(job: Make, house: Make, tmp_path: Path, name: str) -> None:
    content, pointer, said = DATA[name]
    (tmp_path / "data").write_bytes(content())
    first, second = refusals(job(dataset=UPLOADED), house, {"file_1": tmp_path / "data"})
    assert (first.code, first.pointer) == ("dataset_invalid", pointer)
    assert said in first.title
    assert second.document() == first.document()


@pytest.mark.parametrize("name", TEACHERS)
def test_a_bad_teacher_is_refused_before_anything_is_trained(job: Make, house: Make, tmp_path: Path, name: str) -> None:
    content, teacher, code, pointer, said = TEACHERS[name]
    (tmp_path / "data").write_bytes(npz(**rows_of()))
    (tmp_path / "teacher").write_bytes(content())
    files = {"file_1": tmp_path / "data", "file_2": tmp_path / "teacher"}
    first, second = refusals(job(dataset=UPLOADED, teacher=teacher), house, files)
    assert (first.code, first.pointer) == (code, pointer)
    assert said in first.title
    assert second.document() == first.document()


def test_a_teacher_of_other_tokens_is_refused(job: Make, house: Make, tmp_path: Path) -> None:
    (tmp_path / "teacher").write_bytes(of_another_tokenizer())
    body = job(dataset=TEXTS, teacher={"source": "file", "file": "file_2"}, student=BAG)
    first, second = refusals(body, house, {"file_2": tmp_path / "teacher"})
    assert (first.code, first.pointer) == ("tokenizer_mismatch", "/teacher/file")
    assert second.document() == first.document()


def test_a_csv_with_a_byte_order_mark_is_read_as_one_without(job: Make, house: Make, tmp_path: Path) -> None:
    text = "kind,a\n" + "".join(f"{'xy'[i % 2]},{i * 0.5}\n" for i in range(30))
    (tmp_path / "data").write_text(text, encoding="utf-8-sig")
    body = job(dataset=UPLOADED | {"label": "kind"})
    found = looked(body, house(files={"file_1": tmp_path / "data"}))
    assert found.shapes.class_names == ["x", "y"]


@pytest.mark.parametrize("standardise", ["feature", "none"])
def test_features_that_never_change_harm_nothing(job: Make, house: Make, tmp_path: Path, standardise: str) -> None:
    rows = rows_of()
    rows["x"][:, [0, 3]] = [7.0, 0.0]
    (tmp_path / "data").write_bytes(npz(**rows))
    body = job(dataset=UPLOADED | {"standardise": standardise})
    told = house(files={"file_1": tmp_path / "data"})
    found = looked(body, told)
    assert found.data.constant_features == 2
    assert "constant_features" in {advice.code for advice in found.advice}
    distil_job(body, told)
    report = json.loads(told.published["report.json"])  # which holds no NaN, or it were not written
    assert 0 <= report["student"]["summary"]["accuracy"]["mean"] <= 1


def test_inputs_that_are_all_the_same_end_in_an_honest_report(job: Make, house: Make, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(npz(x=np.full((30, 4), 3.0), y=np.arange(30) % 3))
    told = house(files={"file_1": tmp_path / "data"})
    said = {advice.code: advice.severity for advice in looked(job(dataset=UPLOADED), told).advice}
    assert said["constant_features"] == "problem"
    assert distil_job(job(dataset=UPLOADED), told)["verdict"] != "BEATS"


def test_a_teacher_worse_than_chance_is_warned_of(job: Make, house: Make, tmp_path: Path) -> None:
    (tmp_path / "teacher").write_bytes(bytes_of(linear(np.zeros((4, 3)))))
    found = looked(job(teacher=ONNX), house(files={"file_2": tmp_path / "teacher"}))
    assert "teacher_worse_than_chance" in {advice.code for advice in found.advice}


def test_a_student_larger_than_its_teacher_is_noted(job: Make, house: Make) -> None:
    body = job(student={"architecture": {"kind": "mlp", "hidden": [64]}})
    found = looked(body, house())
    assert found.capacity.ratio is not None
    assert found.capacity.ratio < 1
    assert ("student_larger", "note") in {(advice.code, advice.severity) for advice in found.advice}


def test_a_failed_look_leaves_the_threads_as_they_were(job: Make, house: Make) -> None:
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with pytest.raises(Problem):
        inspect(question(job(dataset={"leave_out": ["nobody"]})), house())
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
