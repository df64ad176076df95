"""Shots to be learned, at the door: what is accepted and kept, and what is refused with a way out."""

import json
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.distribution.report import DistributionReport
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.reports import read_any
from qstill.contract.kinds import Queue
from tests.testing.in_process import Service, Worker, refused

JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
CIRCUIT = {"format": "openqasm3", "source": BELL}
EMPTY = {"source": "circuit", "keep": "distribution"}
NO_JOB = "job_" + "0" * 32
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


def report(**changes: Any) -> dict[str, Any]:
    """As a worker writes it."""
    apart = {"total_variation": 0.2, "hellinger": 0.21}
    shared = {"nll": 1.2, "standard_error": 0.1, "exact": apart, "held_out": apart, "parameters": 9}
    point = {"epoch": 0, "loss": 1.4, "validation_nll": 1.3}
    numbers = {"student": 1.2, "histogram": 1.3, "independent": 1.4}
    likely = {"key": "00", "count": 512, "student": 0.5, "histogram": 0.51, "exact": 0.5}
    return {
        "measure": "held_out_nll",
        "returned": "student",
        "why": "the student's held-out NLL is below",
        "bits": 2,
        "shots": 1000,
        "outcomes": 2,
        "nll": numbers,
        "gain": {"nats": 0.1, "low": 0.05, "high": 0.15},
        "total_variation": numbers,
        "checkpoints": 1,
        "student_sha256": "9f86",
        "seconds": 4.2,
        "parts": {"training": 600, "validation": 150, "held_out": 250},
        "models": [shared | {"model": name} for name in numbers],
        "gain_over_independent": 0.2,
        "entropy": 0.69,
        "all_shots": apart,
        "shot_floor": 0.03,
        "unseen": 0.01,
        "epoch": 1,
        "parameters": 9,
        "curve": [point, point | {"epoch": 1, "validation_nll": 1.2}],
        "top": [likely, likely | {"key": "11", "exact": None}],
        "exports": [{"name": "distribution.json"}],
        "notes": ["250 shots judge."],
        "job": JOBS.validate_python(BODY).model_dump(mode="json") | {"name": "cat | <b>"},
        "seed": 0,
        "digests": {"shots": "02c7"},
        "versions": {"torch": "2.9.1"},
    } | changes


def finished(client: httpx.Client, worker: Worker, written: dict[str, Any]) -> str:
    """The path of a finished job."""
    job = client.post("/v1/distillations", json=BODY).json()
    held = worker.claim(Queue.DISTILLATION)
    worker.publish(held, "report", "report.json", json.dumps(written).encode())
    worker.finish(held, {})
    return f"/v1/distillations/{job['id']}"


def test_a_finished_one_has_a_card_and_pictures(client: httpx.Client, worker: Worker) -> None:
    path = finished(client, worker, report())
    assert isinstance(read_any(client.get(f"{path}/report").json()), DistributionReport)
    card = client.get(f"{path}/report.md").text
    for said in ("# Card: cat \\| \\<b\\>", "**Use the STUDENT**", "| **student** | 1.2000 ± 0.1000 |", "torch.nn.GRU"):
        assert said in card
    for plot in ("distribution", "curves"):
        picture = client.get(f"{path}/plots/{plot}.svg")
        assert picture.headers["content-type"] == "image/svg+xml"
        ElementTree.fromstring(picture.text)  # noqa: S314 - our own
    refused(client.get(f"{path}/plots/noise.svg"), 404, "nothing_to_draw")
    wide = finished(client, worker, report(top=[], total_variation=None, all_shots=None, entropy=None))
    assert "held-out histogram" in client.get(f"{wide}/report.md").text
    refused(client.get(f"{wide}/plots/distribution.svg"), 404, "nothing_to_draw")
    old = finished(client, worker, {"measure": "held_out_nll"})
    refused(client.get(f"{old}/report.md"), 409, "no_card")


def finished_circuit(client: httpx.Client, worker: Worker, counts: dict[str, int]) -> str:
    """The id of a circuit job that succeeded."""
    job: str = client.post("/v1/circuits", json={"circuit": CIRCUIT, "shots": sum(counts.values()) or 1}).json()["id"]
    worker.run_circuit(counts)
    return job


def test_the_counts_of_a_finished_job_are_copied_and_outlive_it(client: httpx.Client, worker: Worker) -> None:
    source = finished_circuit(client, worker, {"00": 512, "11": 488})
    headers = {"Idempotency-Key": f"copied-{source}"}
    body = BODY | {"dataset": EMPTY | {"job": source}}
    answer = client.post("/v1/distillations", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    assert client.delete(f"/v1/jobs/{source}").status_code == 204
    kept = client.get(answer.json()["links"]["request"]).json()
    assert kept["dataset"]["counts"] == {"00": 512, "11": 488}
    assert kept["dataset"]["counts_of"] == source
    assert "job" not in kept["dataset"]
    assert client.post("/v1/distillations", json=kept).status_code == 202
    replayed = client.post("/v1/distillations", json=body, headers=headers)
    assert (replayed.json()["id"], replayed.headers["Idempotency-Replayed"]) == (answer.json()["id"], "true")
    gone = refused(client.post("/v1/distillations", json=body), 422, "job_not_found")
    assert gone["pointer"] == "/dataset/job"


def test_a_job_whose_counts_cannot_be_read_is_refused_in_its_own_words(client: httpx.Client, worker: Worker) -> None:
    def answer(job: str, **given: Any) -> httpx.Response:
        return client.post("/v1/distillations", json=BODY | {"dataset": EMPTY | {"job": job} | given})

    assert refused(answer(NO_JOB), 422, "job_not_found")["try"]
    waiting = client.post("/v1/circuits", json={"circuit": CIRCUIT, "shots": 100}).json()["id"]
    assert refused(answer(waiting), 422, "no_result_yet")["pointer"] == "/dataset/job"
    worker.run_circuit({"00": 1000})
    assert refused(answer(waiting, index=3), 422, "no_such_index")["pointer"] == "/dataset/index"
    distillation = client.post("/v1/distillations", json=BODY).json()["id"]
    assert refused(answer(distillation), 422, "job_not_found")["pointer"] == "/dataset/job"
    few = finished_circuit(client, worker, {"00": 10, "11": 10})
    refused(answer(few), 422, "too_few_shots")
    silent = finished_circuit(client, worker, {"": 100})
    refused(answer(silent), 422, "nothing_measured")


@pytest.mark.parametrize("changes", [{"counts": {"0": 100}}, {"counts_of": NO_JOB}, {"file": "file_1"}])
def test_a_job_is_one_source_among_others(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        JOBS.validate_python(BODY | {"dataset": EMPTY | {"job": NO_JOB} | changes})
    assert [error["type"] for error in caught.value.errors()] in (["twice"], ["superfluous"])


def test_the_counts_of_another_owner_are_not_there(service: Service) -> None:
    ada, eve = (service.connect(service.make_key(name)[1]) for name in ("ada", "eve"))
    source = finished_circuit(ada, service.worker, {"00": 512, "11": 488})
    body = BODY | {"dataset": EMPTY | {"job": source}}
    assert refused(eve.post("/v1/distillations", json=body), 422, "job_not_found")["pointer"] == "/dataset/job"
    assert ada.post("/v1/distillations", json=body).status_code == 202
