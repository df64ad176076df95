"""Circuits to be made shorter, at the door: what is accepted and kept, and what is refused with a way out."""

import json
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.domains import AnyJob, Job
from tests.testing.in_process import DIGITS, refused

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];'
DATA = {"source": "circuit", "circuit": {"format": "openqasm3", "source": BELL}, "keep": "state"}
ARCHITECTURE: dict[str, Any] = {"kind": "quantum", "layers": {"from": 1, "to": 3}}
BODY: dict[str, Any] = {"dataset": DATA, "student": {"architecture": ARCHITECTURE}}
NOISE = {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}


def wide(qubits: int) -> dict[str, Any]:
    return {"format": "json", "qubits": qubits, "operations": [{"gate": "h", "target": 0}]}


def test_a_circuit_is_a_domain_of_its_own() -> None:
    assert isinstance(JOBS.validate_python(BODY), ShorteningJob)


def test_what_is_kept_is_read_back_as_it_was() -> None:
    conditional = {"gate": "x", "target": 1, "if": {"clbit": 0, "value": 1}}
    operations = [{"gate": "measure", "target": 0, "clbit": 0}, conditional]
    data = DATA | {"circuit": {"format": "json", "qubits": 2, "operations": operations}}
    for body in (BODY, BODY | {"dataset": data}, BODY | {"student": {"architecture": ARCHITECTURE | {"layers": 4}}}):
        kept = JOBS.validate_json(json.dumps(body)).model_dump(mode="json", exclude_none=True)
        assert JOBS.validate_json(json.dumps(kept)) == JOBS.validate_json(json.dumps(body))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"student": {"architecture": {"kind": "mlp", "hidden": [4]}}}, "wrong_domain"),
        ({"student": {"architecture": ARCHITECTURE | {"layers": {"from": 3, "to": 2}}}}, "reversed"),
        ({"student": {"architecture": ARCHITECTURE | {"layers": {"from": 1, "to": 40}}}}, "too_many_depths"),
        ({"student": {"architecture": ARCHITECTURE | {"layers": True}}}, "model_type"),
        ({"dataset": DATA | {"keep": "observables"}}, "missing"),
        ({"dataset": DATA | {"observables": ["ZZ"]}}, "superfluous"),
        ({"dataset": DATA | {"keep": "shape"}}, "literal_error"),
        ({"objective": {"kind": "kd"}}, "extra_forbidden"),
        ({"teacher": {"source": "train"}}, "extra_forbidden"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        JOBS.validate_python(BODY | changes)
    assert [error["type"] for error in caught.value.errors()] == [code]


def test_a_circuit_is_accepted_and_kept(client: httpx.Client) -> None:
    answer = client.post("/v1/distillations", json=BODY | {"evaluation": {"noise": "aria-1"}})
    assert answer.status_code == 202, answer.text
    kept = client.get(answer.json()["links"]["request"]).json()
    assert kept["student"]["architecture"]["layers"] == {"from": 1, "to": 3}
    again = client.post("/v1/distillations", json=kept).json()
    assert client.get(again["links"]["request"]).json() == kept


@pytest.mark.parametrize(
    ("changes", "code", "pointer", "way"),
    [
        ({"dataset": DATA | {"circuit": wide(13)}}, "too_many_qubits", "/dataset/circuit", {"qubits": 12}),
        (
            {"dataset": DATA | {"circuit": wide(11)}, "evaluation": {"noise": NOISE}},
            "too_many_qubits",
            "/dataset/circuit",
            {"evaluation": {"noise": None}},
        ),
        (
            {"dataset": DATA | {"circuit": wide(9), "keep": "unitary"}, "evaluation": {"noise": NOISE}},
            "too_many_qubits",
            "/dataset/circuit",
            {"dataset": {"keep": "state"}},
        ),
        (
            {"dataset": DATA | {"circuit": {"format": "openqasm2", "source": "OPENQASM 2.0; qreg q[10000000];"}}},
            "too_many_qubits",
            "/dataset/circuit/source",
            None,
        ),
        (
            {
                "dataset": DATA | {"circuit": wide(3)},
                "evaluation": {"device": {"coupling_map": {"shape": "line", "qubits": 2}}},
            },
            "too_few_device_qubits",
            "/evaluation/device/coupling_map",
            None,
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    client: httpx.Client, changes: dict[str, Any], code: str, pointer: str, way: Any
) -> None:
    problem = refused(client.post("/v1/distillations", json=BODY | changes), 422, code)
    assert problem["pointer"] == pointer
    assert way is None or way in problem["try"]


def test_a_sweep_says_that_a_circuit_has_a_range_of_its_own(client: httpx.Client) -> None:
    sweep = {"base": BODY, "space": {"/training/learning_rate": [0.1, 0.2]}}
    problem = refused(client.post("/v1/sweeps", json=sweep), 422, "validation_failed")
    assert "range of `layers`" in json.dumps(problem)


def test_rows_are_no_circuit() -> None:
    with pytest.raises(ValidationError):
        JOBS.validate_python(DIGITS | {"dataset": DATA})
