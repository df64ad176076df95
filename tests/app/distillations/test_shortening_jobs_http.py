"""Circuits to be made shorter, at the door: what is accepted and kept, and what is refused with a way out."""

import json
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.circuits.report import ShorteningReport
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.reports import read_any
from qstill.contract.kinds import Queue
from tests.testing.examples import examples
from tests.testing.in_process import DIGITS, Worker, refused
from tests.testing.stored_report import document

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


KEYS = st.sampled_from(["source", "circuit", "keep", "format", "layers", "from", "to", "kind", "observables"])
JUNK = st.recursive(
    st.none() | st.integers(65) | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@given(JUNK)
@settings(max_examples=examples(60))
def test_no_body_breaks_what_is_read_of_it(junk: Any) -> None:
    architectures = (junk, ARCHITECTURE | {"layers": junk}, ARCHITECTURE | {"layers": {"from": junk, "to": junk}})
    bodies = [BODY | {"dataset": DATA | {"keep": junk}}, BODY | {"dataset": DATA | {"circuit": junk}}]
    for body in (*bodies, *(BODY | {"student": {"architecture": each}} for each in architectures)):
        with pytest.raises(ValidationError):
            JOBS.validate_python(body)


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
            {
                "dataset": DATA | {"circuit": wide(8), "keep": "unitary"},
                "student": {"architecture": ARCHITECTURE | {"layers": 64}},
                "training": {"restarts": 8},
            },
            "needs_more_memory",
            "/training/restarts",
            {"training": {"restarts": 4}},
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


def report(**changes: Any) -> dict[str, Any]:
    """As a worker writes it."""
    cost = {"cx_before": 200, "cx": 200, "depth": 241, "swaps": 0}
    short = cost | {"cx": 13, "layers": 5, "restart": 1, "parameters": 78}
    short |= {"fidelity_ideal": 0.997, "fidelity_noisy": 0.857}
    scales = [(0.01, 0.99, 0.99, 0.98), (1.0, 0.197, 0.21, 0.857), (8.0, 0.02, 0.02, 0.3)]
    points = [{"scale": s, "given": g, "transpiled": t, "short": f} for s, g, t, f in scales]
    job = JOBS.validate_python(BODY | {"evaluation": {"noise": NOISE}}).model_dump(mode="json")
    return {
        "measure": "state_fidelity",
        "chosen_layers": 5,
        "cx": [200, 13],
        "cx_transpiled": 200,
        "fidelity_ideal": 0.997,
        "fidelity_noisy": [0.197, 0.857],
        "fidelity_transpiled": 0.21,
        "gain": True,
        "verdict": "gain: 13 two-qubit gates instead of 200",
        "break_even": {"scale": 0.02, "two_qubit": 0.0002, "range": [0.001, 32.0], "said": "equal at p2 = 0.0002"},
        "certificate": "job_0190",
        "seconds": 4.2,
        "qubits": 6,
        "given": cost | {"fidelity_noisy": 0.197},
        "transpiled": cost | {"fidelity_noisy": 0.21},
        "students": [short, short | {"restart": 0, "fidelity_noisy": 0.5}],
        "chosen": short,
        "fits": {"5": [{"step": 0, "best": 0.1, "mean": 0.05}, {"step": 399, "best": 0.997, "mean": 0.99}]},
        "noise_curve": points,
        "observables": [{"name": None, "given": 0.4, "short": 0.41, "given_noisy": 0.1, "short_noisy": None}],
        "certificate_of": {"name": "certificate.json", "compares": "expectations/0/value", "expected": 0.857},
        "notes": ["Nothing was sampled."],
        "job": job | {"name": "chain | <b>"},
        "seed": 0,
        "digests": {"given": "02c7", "short": "f196"},
        "versions": {"qiskit": "2.6.2"},
    } | changes


def finished(client: httpx.Client, worker: Worker, written: dict[str, Any]) -> str:
    """The path of a finished job."""
    job = client.post("/v1/distillations", json=BODY).json()
    held = worker.claim(Queue.DISTILLATION)
    worker.publish(held, "export", "certificate.json", b'{"circuit": 1}', format="circuit_job")
    worker.publish(held, "report", "report.json", json.dumps(written).encode())
    worker.finish(held, {})
    return f"/v1/distillations/{job['id']}"


def test_a_finished_one_has_a_card_pictures_and_a_certificate(client: httpx.Client, worker: Worker) -> None:
    path = finished(client, worker, report())
    assert isinstance(read_any(client.get(f"{path}/report").json()), ShorteningReport)
    card = client.get(f"{path}/report.md").text
    for said in ("# Card: chain \\| \\<b\\>", "**GAIN**", "| given | 200 |", "0.8570", "equal at p2", "0.857000"):
        assert said in card
    for plot in ("noise", "curves"):
        picture = client.get(f"{path}/plots/{plot}.svg")
        assert picture.headers["content-type"] == "image/svg+xml"
        ElementTree.fromstring(picture.text)  # noqa: S314 - our own
    refused(client.get(f"{path}/plots/ranking.svg"), 404, "nothing_to_draw")
    assert client.get(f"{path}/exports/certificate.json").json() == {"circuit": 1}
    quiet = finished(client, worker, report(noise_curve=[], break_even=None, observables=[]))
    assert "Break-even" not in client.get(f"{quiet}/report.md").text
    refused(client.get(f"{quiet}/plots/noise.svg"), 404, "nothing_to_draw")


def test_other_reports_have_no_picture_of_noise(client: httpx.Client, worker: Worker) -> None:
    client.post("/v1/distillations", json=DIGITS)
    (job,) = [each for each in client.get("/v1/jobs").json()["data"] if each["kind"] == "distillation"]
    held = worker.claim(Queue.DISTILLATION)
    worker.publish(held, "report", "report.json", json.dumps(document(quantum=None)).encode())
    worker.finish(held, {})
    refused(client.get(f"/v1/distillations/{job['id']}/plots/noise.svg"), 404, "nothing_to_draw")


def test_a_sweep_says_that_a_circuit_has_a_range_of_its_own(client: httpx.Client) -> None:
    sweep = {"base": BODY, "space": {"/training/learning_rate": [0.1, 0.2]}}
    problem = refused(client.post("/v1/sweeps", json=sweep), 422, "validation_failed")
    assert "range of `layers`" in json.dumps(problem)


def test_rows_are_no_circuit() -> None:
    with pytest.raises(ValidationError):
        JOBS.validate_python(DIGITS | {"dataset": DATA})
