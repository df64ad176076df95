"""Shots to be learned, at the door: what is accepted and kept, and what is refused with a way out."""

import json
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.domains import AnyJob, Job
from tests.testing.in_process import refused

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
CIRCUIT = {"format": "openqasm3", "source": BELL}
EMPTY = {"source": "circuit", "keep": "distribution"}
DATA: dict[str, Any] = EMPTY | {"counts": {"00": 512, "11": 488}}
RUN: dict[str, Any] = EMPTY | {"circuit": CIRCUIT}
ARCHITECTURE: dict[str, Any] = {"kind": "autoregressive", "hidden": [16]}
BODY: dict[str, Any] = {"dataset": DATA, "student": {"architecture": ARCHITECTURE}}


def test_shots_are_a_domain_of_their_own() -> None:
    assert isinstance(JOBS.validate_python(BODY), DistributionJob)
    assert isinstance(JOBS.validate_python({"dataset": RUN}), DistributionJob)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataset": EMPTY}, "missing"),
        ({"dataset": DATA | {"circuit": CIRCUIT}}, "twice"),
        ({"dataset": DATA | {"shots": 10}}, "superfluous"),
        ({"dataset": DATA | {"noise": "aria-1"}}, "superfluous"),
        ({"dataset": DATA | {"index": 2}}, "superfluous"),
        ({"dataset": EMPTY | {"counts": {"0x1": 4}}}, "string_pattern_mismatch"),
        ({"dataset": EMPTY | {"counts": {"00": 0.5}}}, "int_type"),
        ({"dataset": DATA | {"held_out": 0.9}}, "less_than_equal"),
        ({"student": {"architecture": {"kind": "mlp", "hidden": [4]}}}, "wrong_domain"),
        ({"student": {"architecture": {"kind": "quantum", "layers": 3}}}, "wrong_domain"),
        ({"teacher": {"source": "train"}}, "extra_forbidden"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        JOBS.validate_python(BODY | changes)
    assert [error["type"] for error in caught.value.errors()] == [code]


@pytest.mark.parametrize("data", [DATA, RUN | {"shots": 400, "noise": "aria-1"}])
def test_shots_are_accepted_and_kept(client: httpx.Client, data: dict[str, Any]) -> None:
    answer = client.post("/v1/distillations", json=BODY | {"dataset": data})
    assert answer.status_code == 202, answer.text
    kept = client.get(answer.json()["links"]["request"]).json()
    again = client.post("/v1/distillations", json=kept).json()
    assert client.get(again["links"]["request"]).json() == kept


@pytest.mark.parametrize(
    ("data", "code", "pointer"),
    [
        (EMPTY | {"counts": {}}, "no_counts", "/dataset/counts"),
        (EMPTY | {"counts": {"00": 0}}, "no_counts", "/dataset/counts"),
        (EMPTY | {"counts": {"00": 500, "1": 500}}, "keys_differ", "/dataset/counts/1"),
        (EMPTY | {"counts": {"0" * 31: 500}}, "too_many_bits", "/dataset/counts"),
        (EMPTY | {"counts": {"00": 30, "11": 20}}, "too_few_shots", "/dataset/held_out"),
        (DATA | {"held_out": 0.05, "validation": 0.05, "counts": {"0": 325}}, "too_few_shots", "/dataset/validation"),
        (EMPTY | {"counts": {"0": 600_000, "1": 600_000}}, "too_many_shots", "/dataset"),
        (RUN | {"shots": 20}, "too_few_shots", "/dataset/held_out"),
        (RUN | {"circuit": {"format": "openqasm2", "source": "OPENQASM 2.0; qreg q[10000000];"}}, None, "/dataset/"),
        (EMPTY | {"file": "file_none"}, "file_not_found", "/dataset/file"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_way_out(
    client: httpx.Client, data: dict[str, Any], code: str | None, pointer: str
) -> None:
    answer = client.post("/v1/distillations", json=BODY | {"dataset": data})
    problem = refused(answer, 422, code or answer.json()["code"])
    assert problem["pointer"].startswith(pointer)
    if code is not None:
        assert problem["try"]


def test_a_file_of_counts_is_uploaded_as_data(client: httpx.Client) -> None:
    content = json.dumps({"00": 512, "11": 488}).encode()
    url = "/v1/files?purpose=dataset&name=counts.json"
    file = client.post(url, content=content, headers={"content-type": "application/octet-stream"}).json()
    answer = client.post("/v1/distillations", json=BODY | {"dataset": EMPTY | {"file": file["id"]}})
    assert answer.status_code == 202, answer.text


def test_a_sweep_has_no_shots(client: httpx.Client) -> None:
    sweep = {"base": BODY, "space": {"/training/learning_rate": [0.1, 0.2]}}
    problem = refused(client.post("/v1/sweeps", json=sweep), 422, "validation_failed")
    assert "one by one" in json.dumps(problem)
