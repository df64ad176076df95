"""Every artifact of a job is what the schema of its format says."""

from typing import Any

import httpx
import jsonschema_rs
import pytest

from app.ionq.endpoints.formats import FORMATS
from qstill.contract.circuits.results.document import results_json
from qstill.contract.kinds import Queue
from tests.app.ionq.answers import refused_as_by_ionq
from tests.app.ionq.asking import BELL, get, submit
from tests.testing.in_process import Worker
from tests.testing.stored_counts import results

Json = dict[str, Any]

EXAMPLES: dict[str, Any] = {  # those of IonQ's own document
    "ionq.result.probabilities.json.v1": {"0": 0.5, "1": 0.25, "3": 0.25},
    "ionq.result.probabilities.json.v2": {"probabilities": {"registers": {"output_all": {"11": 0.5, "00": 0.5}}}},
    "ionq.result.histogram.json.v1": {"0": 500, "1": 250, "3": 250},
    "ionq.result.histogram.json.v2": {"histogram": {"registers": {"output_all": {"11": 500, "00": 500}}}},
    "ionq.result.shots.json.v1": ["2", "1", "3", "0"],
    "ionq.result.shots.json.v2": {
        "shots": [{"registers": {"output_all": [1, 0]}}, {"registers": {"output_all": [0, 1]}}]
    },
    "ionq.result.probabilities-aggregate.json.v1": {"06a2099c-f845": {"2": 1}, "06a2099c-f846": {"0": 0.5, "1": 0.5}},
    "ionq.native.v1": {
        "qubits": 2,
        "circuit": [
            {"gate": "ms", "targets": [0, 1], "phases": [0, 0.25]},
            {"gate": "gpi2", "target": 0, "phase": 0.75},
        ],
    },
}


def schema(client: httpx.Client, name: str) -> Json:
    answer = client.get(f"schemas/formats/{name}")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    assert {"$schema", "$id", "type", "description"} <= set(found)
    assert found["$id"] == name
    return found


def test_every_format_of_ionqs_document_has_a_schema() -> None:
    assert set(FORMATS) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_schema_takes_ionqs_example_of_its_format_and_no_other(ionq: httpx.Client, name: str) -> None:
    described = schema(ionq, name)
    jsonschema_rs.validate(described, EXAMPLES[name])
    others = [example for other, example in EXAMPLES.items() if other.split(".")[2] != name.split(".")[2]]
    assert not any(jsonschema_rs.is_valid(described, example) for example in others)


def test_an_unknown_format_is_refused_with_those_that_there_are(ionq: httpx.Client) -> None:
    assert "ionq.native.v1" in refused_as_by_ionq(ionq.get("schemas/formats/ionq.mir.v1"), 404)["message"]


@pytest.mark.parametrize("circuits", [1, 2])
def test_results_are_what_their_schemas_say(ionq: httpx.Client, worker: Worker, circuits: int) -> None:
    body = BELL
    if circuits > 1:
        body = BELL | {
            "type": "ionq.multi-circuit.v1",
            "input": {"qubits": 2, "circuits": [{"circuit": []}] * circuits},
        }
    job_id = submit(ionq, body)
    held = worker.claim(Queue.CIRCUITS)
    registers = [{"name": "a", "clbits": [0]}, {"name": "b", "clbits": [1]}]
    exact = {"01": 0.6000000000000001, "10": 0.3999999999999999}
    each = results({"01": 600, "10": 400}, registers=registers, probabilities=exact)
    worker.publish(held, "results", "results.json", results_json([each] * circuits).encode())
    worker.finish(held, {"shots": 1000})
    seen = set()
    for own in [job_id, *(get(ionq, job_id)["child_job_ids"] or ())]:
        for found in get(ionq, own)["results"].values():
            answer = ionq.get(f"http://localhost:8400{found['url']}").json()
            jsonschema_rs.validate(schema(ionq, found["format"]), answer)
            seen.add(found["format"].removeprefix("ionq.result."))
    assert {"probabilities.json.v1", "shots.json.v1", "shots.json.v2"} <= seen
    assert ("probabilities-aggregate.json.v1" in seen) == (circuits > 1)


def test_scalar_bits_are_registers_of_their_own(ionq: httpx.Client, worker: Worker) -> None:
    program = "OPENQASM 3.0; bit a; bit b; qubit[2] q; U(pi, 0, pi) q[0]; a = measure q[0]; b = measure q[1];"
    job_id = submit(ionq, {"type": "ionq.qasm3.v1", "backend": "simulator", "input": {"data": program}})
    held = worker.claim(Queue.CIRCUITS)
    registers = [{"name": "a", "clbits": [0]}, {"name": "b", "clbits": [1]}]
    written = results_json([results({"01": 2}, registers=registers)])
    worker.publish(held, "results", "results.json", written.encode())
    worker.finish(held, {"shots": 2})
    found = ionq.get(f"jobs/{job_id}/artifacts/shots.v2").json()
    assert found == {"shots": [{"registers": {"a": [1], "b": [0]}}] * 2}
