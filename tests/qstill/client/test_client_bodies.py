"""What people write becomes what the contract accepts."""

import json
from pathlib import Path
from typing import Any

import pytest

from qstill.client.bodies import circuit_job, distillation_job, listed, question, sweep_job
from qstill.client.contents import content_of, library
from qstill.client.errors import MissingLibrary
from qstill.contract.answers.files import FileView, Purpose
from qstill.contract.circuits.formats import BELL_OPERATIONS, BELL_SOURCE, BELL_SOURCE_2, CIRQ_EXAMPLE, JsonCircuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.noise.model import DepolarizingNoise
from qstill.contract.circuits.outputs import Observable, PauliTerm
from qstill.contract.circuits.templates.textbook import Ghz
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.sweeps.sweep import Sweep

BELL = {"format": "json", "qubits": 2, "operations": BELL_OPERATIONS}
MLP = {"kind": "mlp", "hidden": [16]}
FILE = FileView(
    id="file_" + "0" * 32,
    name="a.csv",
    purpose=Purpose.DATASET,
    bytes=1,
    sha256="0",
    created_at="2026-03-14T09:26:53Z",
    links={},
)


@pytest.mark.parametrize(
    ("given", "format"),
    [
        (BELL, "json"),
        (JsonCircuit.model_validate(BELL), "json"),
        (json.dumps(BELL), "json"),
        (json.dumps({"circuit": BELL}), "json"),
        (BELL_SOURCE, "openqasm3"),
        (f"// a comment\n/* and\nanother */ {BELL_SOURCE}", "openqasm3"),
        ("qubit q; h q;", "openqasm3"),
        (BELL_SOURCE_2, "openqasm2"),
        (CIRQ_EXAMPLE, "cirq"),
        ("bell", "template"),
        (Ghz(name="ghz", qubits=4), "template"),
    ],
)
def test_a_circuit_is_told_by_how_it_looks(given: Any, format: str) -> None:
    job = CircuitJob.model_validate(circuit_job(given, shots=10))
    assert job.circuit is not None
    assert job.circuit.format == format
    assert CircuitJob.model_validate(circuit_job([given, given])).runs == 2


def test_files_hold_circuits(tmp_path: Path) -> None:
    (tmp_path / "a.qasm").write_text(BELL_SOURCE)
    (tmp_path / "b.json").write_text(json.dumps({"circuit": BELL, "shots": 3}))
    assert circuit_job(tmp_path / "a.qasm") == {"circuit": {"format": "openqasm3", "source": BELL_SOURCE}}
    assert circuit_job(tmp_path / "b.json") == {"circuit": BELL}


def test_a_whole_job_goes_as_it_is_and_what_is_said_beside_counts() -> None:
    job = CircuitJob.model_validate({"circuit": BELL, "shots": 5})
    assert circuit_job(job, seed=3)["seed"] == 3
    assert circuit_job({"circuit": BELL, "shots": 5}, shots=7) == {"circuit": BELL, "shots": 7}


def test_settings_may_be_models_of_the_contract() -> None:
    observable = Observable(terms=[PauliTerm(paulis="ZZ")])
    noise = DepolarizingNoise(model="depolarizing", one_qubit=0.1, two_qubit=0.2)
    body = circuit_job("ghz", parameters={"qubits": 3}, noise=noise, observables=[observable, "XX", [("ZI", 0.5)]])
    job = CircuitJob.model_validate(body)
    assert [each.terms[0].paulis for each in job.observables] == ["ZZ", "XX", "ZI"]
    assert job.noise == noise


@pytest.mark.parametrize(("given", "said"), [("what is this", "no OpenQASM"), (3, "is no circuit")])
def test_what_is_no_circuit_is_said(given: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        circuit_job(given)
    with pytest.raises(ValueError, match="has 1j"):
        circuit_job("bell", observables=[[("Z", 1j)]])


@pytest.mark.parametrize(
    ("parts", "dataset"),
    [
        ({"dataset": "digits"}, {"source": "builtin", "name": "digits"}),
        ({"dataset": {"name": "iris", "labelled": 15}}, {"source": "builtin", "name": "iris", "labelled": 15}),
        ({"dataset": FILE}, {"source": "file", "file": FILE.id}),
        ({"dataset": {"file": FILE, "label": "y"}}, {"source": "file", "file": FILE.id, "label": "y"}),
        ({"dataset": {"file": FILE.id}}, {"source": "file", "file": FILE.id}),
    ],
)
def test_a_distillation_in_short(parts: dict[str, Any], dataset: dict[str, Any]) -> None:
    body = distillation_job(teacher=MLP, student=Mlp(kind="mlp", hidden=[4]), **parts)
    assert body["dataset"] == dataset
    assert body["teacher"] == {"source": "train", "architecture": MLP}
    assert body["export"] == ["onnx"]
    DistillationJob.model_validate(body)


@pytest.mark.parametrize("example", DistillationJob.model_config["json_schema_extra"]["examples"])  # type: ignore[index, arg-type]
def test_whole_distillations_go_as_they_are_but_for_the_onnx(example: dict[str, Any]) -> None:
    body = distillation_job(example)
    assert {**body, "export": None} == {**example, "export": None}
    job = DistillationJob.model_validate(body)
    assert distillation_job(job)["dataset"] == job.model_dump(mode="json", exclude_none=True)["dataset"]


def test_teachers_are_networks_models_or_files() -> None:
    for given, source in (
        (MLP, "train"),
        ("model_1", "model"),
        ("ckpt_1", "model"),
        ("file_1", "file"),
        (FILE, "file"),
    ):
        assert distillation_job(teacher=given)["teacher"]["source"] == source
    given = {"source": "ensemble", "members": []}
    assert distillation_job(teacher=given)["teacher"] == given


def test_a_sweep_is_as_short_as_its_base() -> None:
    body = sweep_job(
        base={"dataset": "digits", "teacher": MLP, "student": MLP}, space={"/objective/temperature": [1.0, 2.0]}
    )
    assert "export" not in body["base"]
    Sweep.model_validate(body)


class Frame:
    """As much of a pandas frame as is asked for."""

    columns = ("age", "job")

    def to_dict(self, kind: str) -> list[dict[str, Any]]:
        assert kind == "records"
        return [{"age": float("nan"), "job": "nurse"}, {"age": 3.0, "job": None}]

    def to_csv(self, index: bool) -> str:
        assert not index
        return "age,job\n,nurse\n3.0,\n"


def test_questions_are_told_by_their_rows() -> None:
    assert question([[1.0, 2.0]], {}) == {"inputs": [[1.0, 2.0]]}
    assert question(["a text"], {}) == {"texts": ["a text"]}
    assert question([{"a": 1}], {}) == {"rows": [{"a": 1}]}
    assert question(Frame(), {}) == {"rows": [{"age": None, "job": "nurse"}, {"age": 3.0, "job": None}]}
    assert question(None, {"prompts": ["The "], "top_k": 3}) == {"prompts": ["The "], "top_k": 3}


def test_arrays_and_frames_are_files(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    assert listed(numpy.ones((2, 1, 2))) == [[1, 1], [1, 1]]
    content = content_of(None, None, {"x": numpy.ones((3, 2)), "y": [0, 1, 0]})
    assert content.name == "arrays.npz"
    (tmp_path / content.name).write_bytes(content.bytes(0, content.size))
    assert numpy.load(tmp_path / content.name)["x"].shape == (3, 2)
    assert content_of(numpy.ones(2), "labels.npy", {}).name == "labels.npy"
    assert content_of(Frame(), None, {}).held == b"age,job\n,nurse\n3.0,\n"
    assert content_of(str(tmp_path / content.name), None, {}).held == tmp_path / content.name
    for wrong in (b"no name", 3, str(tmp_path / "gone")):
        with pytest.raises((TypeError, FileNotFoundError)):
            content_of(wrong, None, {})


def test_a_library_that_is_missing_is_named() -> None:
    with pytest.raises(MissingLibrary, match=r"a dream needs dreams, which .* pip install dreams"):
        library("no_such_library", "a dream", "dreams")
