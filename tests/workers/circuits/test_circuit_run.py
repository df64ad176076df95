"""A whole job: result, artifacts, progress, giving up, speed."""

import json
from pathlib import Path
from typing import Any

import pytest

from qstill.contract.circuits.job import CircuitJob, CircuitResult
from tests.testing.refusals import problem_of
from workers.circuits.run import simulate_job
from workers.run import Stopped

EXAMPLES = CircuitJob.model_json_schema()["examples"]


class FakeRun:
    """Keeps what a computation hands over."""

    def __init__(self, scratch: Path, *, stop_after: int = 1000) -> None:
        self.scratch = scratch
        self.files: dict[str, Path] = {}
        self.resume = None
        self.threads = 1
        self.memory = 1 << 33
        self.phases: list[str] = []
        self.published: dict[str, tuple[str, str, str]] = {}
        self.asked = 0
        self.stop_after = stop_after

    def progress(self, *, phase: str, done: float, total: float, unit: str, **metrics: float) -> None:
        self.phases.append(phase)

    def event(self, kind: str, data: dict[str, Any]) -> None:
        raise AssertionError("a circuit job has no events of its own")

    def publish(self, path: Path, *, kind: str, name: str, media_type: str, meta: dict[str, Any] | None = None) -> None:
        self.published[name] = (kind, media_type, path.read_text(encoding="utf-8"))

    def save(self, path: Path) -> None:
        raise AssertionError("a circuit job has no state to save")

    def stop_requested(self) -> bool:
        self.asked += 1
        return self.asked > self.stop_after


@pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: body["circuit"]["format"])
def test_the_examples_of_the_documentation_run(body: dict[str, Any], tmp_path: Path) -> None:
    house = FakeRun(tmp_path)
    result = CircuitResult.model_validate(simulate_job(CircuitJob.model_validate({"seed": 7} | body), house))
    assert (result.qubits, result.clbits, result.shots, result.outcomes) == (2, 2, 1000, 2)
    assert {outcome.key for outcome in result.top} == {"00", "11"}
    assert (result.method, result.exactness.kind, result.bit_order) == ("stabilizer", "sampled", "little")
    assert result.gate_counts["measure"] == 2
    assert result.peak_memory_bytes > 10**7
    assert house.phases == ["circuit"] * 4
    kind, media_type, text = house.published["results.json"]
    assert (kind, media_type) == ("results", "application/json")
    (entry,) = json.loads(text)["circuits"]
    assert set(entry) == {"shots", "seed", "counts", "clbits", "registers", "method"}
    assert sum(entry["counts"].values()) == entry["shots"] == 1000
    kind, media_type, text = house.published["diagram.svg"]
    assert (kind, media_type) == ("diagram", "image/svg+xml")
    assert text.startswith("<svg")


def test_the_seed_is_reported_and_repeats_the_counts(tmp_path: Path) -> None:
    body = EXAMPLES[0]
    first = simulate_job(CircuitJob.model_validate(body), FakeRun(tmp_path))
    again = simulate_job(CircuitJob.model_validate(body | {"seed": first["seed"]}), FakeRun(tmp_path))
    assert again["top"] == first["top"]


def test_the_result_is_small_however_many_outcomes_there_are(tmp_path: Path) -> None:
    gates = [{"gate": "h", "targets": list(range(12))}]
    job = CircuitJob.model_validate(
        {"circuit": {"format": "json", "qubits": 12, "operations": gates}, "shots": 10_000, "seed": 1}
    )
    result = simulate_job(job, FakeRun(tmp_path))
    assert len(result["top"]) == 16
    assert result["outcomes"] > 3000
    assert len(json.dumps(result)) < 4000


@pytest.mark.parametrize("stop_after", [0, 1, 2, 3])
def test_a_job_is_given_up_between_its_steps(stop_after: int, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        simulate_job(CircuitJob.model_validate(EXAMPLES[0]), FakeRun(tmp_path, stop_after=stop_after))


def test_a_program_too_large_for_the_memory_says_so(tmp_path: Path) -> None:
    source = 'OPENQASM 3.0; include "stdgates.inc"; qubit[45] q; h q; t q;'
    job = {"circuit": {"format": "openqasm3", "source": source}, "method": "statevector", "seed": 1}
    refused = problem_of(simulate_job, CircuitJob.model_validate(job), FakeRun(tmp_path))
    assert (refused.code, refused.pointer) == ("needs_more_memory", "/circuit/source")


def test_a_product_state_keeps_a_qubit_that_is_branched_on_and_never_measured(tmp_path: Path) -> None:
    source = "OPENQASM 3.0; qubit[2] q; bit c; if (c) { reset q[0]; } c = measure q[1];"
    body = {"circuit": {"format": "openqasm3", "source": source}, "seed": 7, "method": "matrix_product_state"}
    result = CircuitResult.model_validate(simulate_job(CircuitJob.model_validate(body), FakeRun(tmp_path)))
    assert [(outcome.key, outcome.count) for outcome in result.top] == [("0", 1000)]


def test_a_sweep_is_predicted_as_one_call(tmp_path: Path) -> None:
    turn = {"format": "json", "qubits": 1, "operations": [{"gate": "rx", "target": 0, "rotation": "theta"}]}
    body = {"circuit": turn, "seed": 7, "bindings": [{"theta": 0.01 * point} for point in range(100)]}
    result = simulate_job(CircuitJob.model_validate(body), FakeRun(tmp_path))
    apart = simulate_job(CircuitJob.model_validate(body | {"device": {}}), FakeRun(tmp_path))
    assert 0 < 5 * result["predicted_seconds"] < apart["predicted_seconds"]
    assert result["simulation_seconds"] <= result["seconds"]


def test_rules_that_nothing_falls_under_are_noted(tmp_path: Path) -> None:
    error = {"kind": "depolarizing", "probability": 0.1}
    gates = [
        {"gate": "h", "error": error},
        {"gate": "cx", "qubits": [1, 0], "error": error},
        {"gate": "any_two_qubit", "qubits": [0, 1], "error": error},
        {"gate": "measure", "qubits": [1], "error": error},
        {"gate": "reset", "error": error},
    ]
    noise = {"model": "custom", "gates": gates, "readout": [{"p01": 0.1}, {"p01": 0.1, "qubits": [1]}]}
    body = {"circuit": EXAMPLES[0]["circuit"], "seed": 7, "noise": noise}
    result = CircuitResult.model_validate(simulate_job(CircuitJob.model_validate(body), FakeRun(tmp_path)))
    assert [note.split(" stands")[0] for note in result.notes] == [
        "/noise/gates/1 (cx on qubits 1, 0)",
        "/noise/gates/4 (reset)",
    ]


@pytest.mark.parametrize(("qubit", "notes"), [(0, 0), (1, 1)])
def test_a_reading_that_does_not_happen_is_noted(tmp_path: Path, qubit: int, notes: int) -> None:
    measured = {
        "format": "json",
        "qubits": 2,
        "operations": [{"gate": "h", "target": 0}, {"gate": "measure", "target": 0}],
    }
    noise = {"model": "custom", "readout": [{"p01": 0.1, "qubits": [qubit]}]}
    job = CircuitJob.model_validate({"circuit": measured, "seed": 7, "noise": noise})
    assert len(simulate_job(job, FakeRun(tmp_path))["notes"]) == notes


def test_rules_are_about_the_qubits_of_the_device(tmp_path: Path) -> None:
    error = {"kind": "depolarizing", "probability": 0.1}
    device = {"coupling_map": {"shape": "line", "qubits": 10}, "basis_gates": ["rz", "sx", "x", "cx"]}
    for qubit, refused in ((9, False), (10, True)):
        noise = {"model": "custom", "gates": [{"gate": "any_one_qubit", "qubits": [qubit], "error": error}]}
        job = CircuitJob.model_validate(
            {"circuit": EXAMPLES[0]["circuit"], "seed": 7, "noise": noise, "device": device}
        )
        if refused:
            assert problem_of(simulate_job, job, FakeRun(tmp_path)).pointer == "/noise/gates/0/qubits/0"
        else:
            simulate_job(job, FakeRun(tmp_path))
