"""Circuits made shorter, from a job's body to its report: what it finds, and that it finds it again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator, Statevector, process_fidelity, state_fidelity

from app.distillations.circuits.card import shortening_card
from app.distillations.circuits.plots import shortening_plot
from qstill.contract.circuits.formats import OpenQasm3Circuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.circuits.preflight import ShorteningPreflight
from qstill.contract.distillations.circuits.report import ShorteningReport
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.distillations.preflight import AnyPreflight, PreflightQuestion
from qstill.contract.distillations.reports import read_any
from tests.testing.refusals import problem_of
from tests.workers.distillation.circuits.interrupted import interrupted, told
from tests.workers.distillation.conftest import FakeRun
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.circuits.parse import parse
from workers.circuits.run import simulate_job
from workers.distillation.circuits.given import gates_alone
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job
from workers.quantum.ansatz import hardware_efficient

pytestmark = pytest.mark.training

House = Callable[..., FakeRun]
JOBS: TypeAdapter[AnyJob] = TypeAdapter(Job)
EXAMPLE: dict[str, Any] = ShorteningJob.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index,assignment]
NOISE = {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}


def circuit_of(circuit: QuantumCircuit) -> dict[str, str]:
    return {"format": "openqasm3", "source": to_openqasm3(circuit)}


def job(circuit: QuantumCircuit, *, keep: str = "state", layers: Any = 2, more: Any = None, **parts: Any) -> AnyJob:
    body = {
        "dataset": {"source": "circuit", "circuit": circuit_of(circuit), "keep": keep} | (more or {}),
        "student": {"architecture": {"kind": "quantum", "layers": layers}},
        "training": {"steps": 150, "restarts": 2},
    }
    return JOBS.validate_json(json.dumps(body | parts))


def done(house: House, wanted: AnyJob, **given: Any) -> tuple[FakeRun, dict[str, Any], ShorteningReport]:
    run = house(**given)
    result = distil_job(wanted, run)
    report = read_any(json.loads(run.published["report.json"]))
    assert isinstance(report, ShorteningReport)
    return run, result, report


def short_of(run: FakeRun) -> QuantumCircuit:
    source = run.published["student.qasm"].decode()
    return gates_alone(parse(OpenQasm3Circuit(format="openqasm3", source=source)))


def a_circuit(qubits: int, layers: int, entanglement: Any = "brickwork") -> QuantumCircuit:
    ansatz = hardware_efficient(qubits, layers, entanglement, closing=("ry",))
    return ansatz.assign_parameters(np.random.default_rng(2).uniform(-np.pi, np.pi, ansatz.num_parameters))


def test_the_example_gains_and_its_certificate_finds_the_same(house: House) -> None:
    wanted = JOBS.validate_json(json.dumps(EXAMPLE))
    run, result, report = done(house, wanted)
    assert result["gain"]
    assert result["cx"][0] == 120
    assert result["cx"][1] < 12
    assert result["fidelity_noisy"][1] > result["fidelity_noisy"][0] + 0.3
    assert result["fidelity_noisy"][1] > result["fidelity_transpiled"] + 0.3
    assert result["break_even"]["scale"] < 1
    given = gates_alone(parse(wanted.dataset.circuit))  # type: ignore[union-attr]
    found = state_fidelity(Statevector(given), Statevector(short_of(run)))
    assert found == pytest.approx(result["fidelity_ideal"], abs=1e-9)
    certificate = CircuitJob.model_validate_json(run.published["certificate.json"])
    again = simulate_job(certificate, house())
    assert "The short circuit</title>" in run.published["student.svg"].decode()
    (submitted,) = run.submitted
    assert (submitted["kind"], CircuitJob.model_validate(submitted["spec"])) == ("circuit", certificate)
    assert result["certificate"] == report.certificate == f"job_{1:032x}"
    assert again["expectations"][0]["value"] == pytest.approx(result["fidelity_noisy"][1], abs=1e-5)
    assert again["compiled"]["swaps"] == 0
    assert again["compiled"]["two_qubit_gates"] == result["cx"][1]
    assert report.certificate_of.expected == pytest.approx(result["fidelity_noisy"][1])
    assert "GAIN" in shortening_card(report)
    for name in ("noise", "curves"):
        assert shortening_plot(name, report).startswith("<svg")


def test_the_ansatz_finds_a_state_of_its_own(house: House) -> None:
    circuit = a_circuit(3, 2)
    _, result, report = done(house, job(circuit, layers={"from": 1, "to": 3}))
    assert result["fidelity_ideal"] > 0.99
    assert result["chosen_layers"] <= 2  # the shallowest that is faithful
    assert (result["fidelity_noisy"], result["break_even"], report.noise_curve) == (None, None, [])


def test_a_unitary_is_kept_whole(house: House) -> None:
    circuit = QuantumCircuit(2)
    for _ in range(6):
        circuit.rzz(0.2, 0, 1)
        circuit.rx(0.1, [0, 1])
    wanted = job(circuit, keep="unitary", layers={"from": 2, "to": 3}, evaluation={"noise": NOISE})
    run, result, _ = done(house, wanted)
    assert result["measure"] == "process_fidelity"
    assert result["cx"][1] < result["cx"][0]
    found = process_fidelity(Operator(short_of(run)), Operator(circuit))
    assert found == pytest.approx(result["fidelity_ideal"], abs=1e-9)
    assert found > 0.99


def test_observables_are_kept(house: House) -> None:
    circuit = a_circuit(3, 4, "full")
    more = {"observables": ["ZZI", {"pauli": "XIX", "name": "ends"}]}
    run, result, report = done(house, job(circuit, keep="observables", more=more, evaluation={"noise": NOISE}))
    state, short = Statevector(circuit), Statevector(short_of(run))
    for each, label in zip(report.observables, ("ZZI", "XIX"), strict=True):
        operator = Operator.from_label(label)
        assert each.given == pytest.approx(state.expectation_value(operator).real, abs=1e-9)
        assert each.short == pytest.approx(short.expectation_value(operator).real, abs=1e-9)
        assert each.short == pytest.approx(each.given, abs=0.05)
    again = simulate_job(CircuitJob.model_validate_json(run.published["certificate.json"]), house())
    found = [each["value"] for each in again["expectations"]]
    assert found == pytest.approx([each.short_noisy for each in report.observables], abs=1e-9)
    assert result["measure"] == "observable_agreement"


def test_a_random_circuit_has_no_gain(house: House) -> None:
    circuit = a_circuit(4, 6, "full")
    device = {"coupling_map": {"shape": "full", "qubits": 4}}
    weak = {"model": "depolarizing", "one_qubit": 0.00001, "two_qubit": 0.0001}
    _, result, report = done(house, job(circuit, layers=2, evaluation={"noise": weak, "device": device}))
    assert not result["gain"]
    assert result["verdict"].startswith("no gain")
    assert any(note.startswith("WARNING") for note in report.notes)
    assert "NO GAIN" in shortening_card(report)


def test_on_a_device_with_more_qubits_the_certificate_names_where_they_are(house: House) -> None:
    device = {"coupling_map": {"shape": "grid", "rows": 2, "columns": 3}, "optimization_level": 3}
    rules = [{"gate": "cx", "qubits": [0, 1], "error": {"kind": "depolarizing", "probability": 0.3}}]
    noise = {"model": "custom", "gates": rules}
    run, result, _ = done(house, job(a_circuit(3, 5, "full"), evaluation={"noise": noise, "device": device}))
    certificate = CircuitJob.model_validate_json(run.published["certificate.json"])
    again = simulate_job(certificate, house())
    assert again["expectations"][0]["value"] == pytest.approx(result["fidelity_noisy"][1], abs=1e-5)


def test_free_parameters_are_bound(house: House) -> None:
    source = 'OPENQASM 3.0; include "stdgates.inc"; input float a; qubit[2] q; ry(a) q[0]; cx q[0], q[1];'
    dataset = {"source": "circuit", "circuit": {"format": "openqasm3", "source": source}, "keep": "state"}
    wanted = job(QuantumCircuit(1), dataset=dataset | {"bindings": {"a": 0.7}}, layers=1)
    _, result, _ = done(house, wanted)
    assert result["fidelity_ideal"] > 0.999
    refused = problem_of(done, house, job(QuantumCircuit(1), dataset=dataset, layers=1))
    assert (refused.code, refused.pointer) == ("unbound_parameters", "/dataset/circuit/source")


def small() -> AnyJob:
    evaluation = {"noise": NOISE, "device": {"coupling_map": {"shape": "line", "qubits": 3}}}
    return job(a_circuit(3, 4, "full"), layers={"from": 1, "to": 2}, training={"steps": 12, "restarts": 2, "seed": 3},
               evaluation=evaluation)  # fmt: skip


def test_the_same_seed_finds_the_same_bits(house: House) -> None:
    assert told(done(house, small())[0]) == told(done(house, small())[0])


def test_given_up_anywhere_it_goes_on_to_the_same_bits(house: House, tmp_path: Path) -> None:
    whole, _, _ = done(house, small())
    run, stops = interrupted(house, small(), tmp_path, looks=7)
    assert stops > 5
    assert told(run) == told(whole)


def test_a_preflight_says_what_has_to_be_beaten(house: House) -> None:
    question = PreflightQuestion(job=small(), seconds_limit=100.0)
    answers: TypeAdapter[AnyPreflight] = TypeAdapter(AnyPreflight)
    found = answers.validate_python(inspect(question, house()))
    assert isinstance(found, ShorteningPreflight)
    _, result, _ = done(house, small())
    assert found.given.fidelity_noisy == result["fidelity_noisy"][0]
    assert found.transpiled.fidelity_noisy == result["fidelity_transpiled"]
    assert [each.layers for each in found.depths] == [1, 2]
    assert found.time.total.expected > 0
    deep = job(a_circuit(3, 1), layers=9, evaluation={"noise": NOISE})
    again = inspect(PreflightQuestion(job=deep, seconds_limit=1e-6), house())
    assert again["advice"][0]["code"] == "time"
    assert "nothing_shorter" in {each["code"] for each in again["advice"]}


def test_what_is_exported_is_read_by_qiskit(house: House) -> None:
    run, _, _ = done(house, small())
    circuit = qasm3.loads(run.published["student.qasm"].decode())
    assert state_fidelity(Statevector(circuit), Statevector(short_of(run))) == pytest.approx(1.0)
