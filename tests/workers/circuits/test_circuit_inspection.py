"""What a worker says of circuits that it does not run."""

import json
from typing import Any, cast

import numpy as np
import pytest
from qiskit.quantum_info import Operator

from qstill.contract.circuits.inspection import Conversion, Inspection
from qstill.contract.circuits.job import CircuitJob
from tests.testing.refusals import problem_of
from workers.circuits.inspection import convert, estimate, inspect
from workers.circuits.parse import parse
from workers.run import Run, Stopped

TURNS: dict[str, Any] = {
    "format": "json",
    "qubits": 5,
    "operations": [
        {"gate": "ry", "target": 1, "rotation": 0.3},
        {"gate": "x", "control": 1, "target": 3},
        {"gate": "rz", "target": 3, "rotation": "2*theta"},
        {"gate": "rx", "target": 1, "rotation": "theta"},
    ],
}
FIXED = {**TURNS, "operations": TURNS["operations"][:2]}
BINDINGS = [{"theta": 0.01 * point} for point in range(200)]


def job(**body: Any) -> CircuitJob:
    return CircuitJob.model_validate({"seed": 7} | body)


def test_an_estimate_counts_what_is_simulated_and_every_method() -> None:
    (found,) = estimate(job(circuit=FIXED)).circuits
    assert (found.qubits, found.active_qubits, found.clbits, found.runs) == (5, 2, 5, 1)
    assert (found.operations, found.two_qubit_gates, found.gate_counts["ry"]) == (2, 1, 1)
    assert (found.dynamic, found.noisy_locations, found.compiled) == (False, 0, None)
    methods = {each.method: each for each in found.methods}
    assert len(methods) == 6
    assert {name for name, each in methods.items() if each.can} == {
        "statevector",
        "density_matrix",
        "matrix_product_state",
    }
    assert methods["stabilizer"].why_not == "ry(0.30) on q[1] is not a Clifford gate"
    assert methods["statevector"].memory_bytes == 16 * 2**2
    chosen = methods[found.method]
    assert (chosen.why, chosen.predicted_seconds, chosen.memory_bytes) == (
        found.why,
        found.predicted_seconds,
        found.memory_bytes,
    )


def test_noise_and_a_device_are_part_of_an_estimate() -> None:
    noise = {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}
    device = {"coupling_map": {"shape": "line", "qubits": 5}, "optimization_level": 0}
    (found,) = estimate(job(circuit=FIXED, noise=noise, device=device)).circuits
    assert found.noisy_locations > 0
    assert found.compiled is not None
    assert found.compiled.two_qubit_gates_before == 1
    assert found.depth == found.compiled.depth_before
    assert found.method in ("density_matrix", "trajectories")


def test_a_batch_has_an_estimate_for_each_circuit_and_their_sum() -> None:
    found = estimate(job(circuits=[FIXED, {**FIXED, "operations": FIXED["operations"] * 50}]))
    assert [circuit.operations for circuit in found.circuits] == [2, 100]
    assert found.predicted_seconds == sum(circuit.predicted_seconds for circuit in found.circuits)


def test_a_sweep_pays_once_for_what_its_bindings_share() -> None:
    (one,) = estimate(job(circuit=TURNS, bindings=BINDINGS[:1])).circuits
    (many,) = estimate(job(circuit=TURNS, bindings=BINDINGS)).circuits
    assert (one.runs, many.runs) == (1, 200)
    assert one.predicted_seconds < many.predicted_seconds < 200 * one.predicted_seconds / 5
    (apart,) = estimate(job(circuit=TURNS, bindings=BINDINGS[:10], device={})).circuits
    assert apart.predicted_seconds > 9 * one.predicted_seconds  # each is compiled on its own


def test_an_estimate_that_cannot_be_run_says_what_would_work() -> None:
    caught = problem_of(estimate, job(circuits=[FIXED, FIXED], method="stabilizer"))
    assert (caught.code, caught.pointer) == ("method_cannot", "/method")
    assert {"method": "statevector"}.items() <= caught.ways_out[0].items()


@pytest.mark.parametrize("to", ["openqasm3", "openqasm2", "json"])
def test_a_converted_circuit_is_the_same_circuit(to: str) -> None:
    text = convert(job(circuit=FIXED), Conversion.model_validate({"to": to}))
    again = json.loads(text) if to == "json" else {"format": to, "source": text}
    (before,) = job(circuit=FIXED).programs
    (after,) = job(circuit=again).programs
    operators = [Operator(_without_measurements(parse(each))) for each in (before, after)]
    assert operators[0].equiv(operators[1])


def _without_measurements(circuit: Any) -> Any:
    circuit.remove_final_measurements()
    return circuit


@pytest.mark.parametrize(("to", "beginning"), [("svg", "<svg"), ("text", "q[0]")])
def test_diagrams_are_drawn(to: str, beginning: str) -> None:
    assert convert(job(circuit=FIXED), Conversion.model_validate({"to": to})).startswith(beginning)


def test_a_sweep_keeps_its_parameters_unless_a_binding_is_named() -> None:
    swept = job(circuit=TURNS, bindings=BINDINGS)
    free = convert(swept, Conversion(to="openqasm3"))
    assert "input float[64] theta" in free or "input float theta" in free
    bound = convert(swept, Conversion(to="openqasm3", index=100))
    assert "theta" not in bound
    (circuit,) = job(circuit={"format": "openqasm3", "source": bound}).programs
    angles = [float(item.operation.params[0]) for item in parse(circuit).data if item.operation.params]
    assert np.allclose(angles, [0.3, 2.0, 1.0])


def test_a_compiled_circuit_is_in_the_devices_gates() -> None:
    device = {"basis_gates": ["rz", "sx", "cx"], "coupling_map": {"shape": "ring", "qubits": 5}}
    text = convert(job(circuit=FIXED, device=device), Conversion(to="openqasm3", compiled=True))
    (circuit,) = job(circuit={"format": "openqasm3", "source": text}).programs
    assert parse(circuit).count_ops().keys() <= {"rz", "sx", "cx", "barrier", "measure"}


def test_a_circuit_of_a_batch_is_named_in_a_complaint() -> None:
    broken = {"format": "openqasm3", "source": "OPENQASM 3.0; qubit q; nonsense q;"}
    batch = job(circuits=[FIXED, broken])
    assert convert(batch, Conversion(to="text")).startswith("q[0]")
    caught = problem_of(convert, batch, Conversion(to="text", index=1))
    assert (caught.code, caught.pointer) == ("qasm_invalid", "/circuits/1/source")


class Asked:
    """Of `Run` what an inspection uses."""

    def __init__(self, *, stop: bool = False) -> None:
        self.stop_requested = lambda: stop


def test_an_inspection_survives_its_way_through_the_ledger() -> None:
    asked = Inspection(job=job(circuit=FIXED), conversion=Conversion(to="text"))
    again = Inspection.model_validate_json(json.dumps(asked.spec()))
    assert inspect(again, cast(Run, Asked())) == {"text": convert(asked.job, Conversion(to="text"))}
    unseeded = Inspection.model_validate_json(json.dumps(Inspection(job=CircuitJob(circuit=asked.job.circuit)).spec()))
    assert inspect(unseeded, cast(Run, Asked()))["predicted_seconds"] > 0
    with pytest.raises(Stopped):
        inspect(unseeded, cast(Run, Asked(stop=True)))


def test_a_template_is_made_with_the_jobs_seed() -> None:
    circuit = {"format": "template", "template": {"name": "random_clifford", "qubits": 4}}
    seeded = {seed: convert(job(circuit=circuit, seed=seed), Conversion(to="openqasm3")) for seed in (1, 2)}
    assert seeded[1] == convert(job(circuit=circuit, seed=1), Conversion(to="openqasm3"))
    assert seeded[1] != seeded[2]
