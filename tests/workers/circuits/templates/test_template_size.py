"""What the front door says of a template's circuit is true of the circuit that the workers make."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from app.circuits.templates.catalogue import catalogue
from qstill.contract.circuits.templates import Template
from qstill.contract.circuits.templates.size import profile_of, size_of
from workers.circuits.examine.profile import profile_of as counted
from workers.circuits.examine.shape import examine
from workers.circuits.templates import prepare

ADAPTER: TypeAdapter[Template] = TypeAdapter(Template)
TEMPLATES: list[dict[str, Any]] = [
    *(template.example["circuit"]["template"] for template in catalogue()),
    {"name": "ghz", "qubits": 40},
    {"name": "superposition", "states": 2},
    {"name": "superposition", "states": 8},
    {"name": "superposition", "states": 9},
    {"name": "bernstein_vazirani", "secret": "1" * 30},
    {"name": "bernstein_vazirani", "secret": "000"},
    {"name": "deutsch_jozsa", "qubits": 1},
    {"name": "qft", "qubits": 2, "period": 1},
    {"name": "qft", "qubits": 3, "period": 2},
    {"name": "phase_estimation", "qubits": 2, "phase": 0.0},
    {"name": "phase_estimation", "qubits": 3, "phase": 0.0},
    {"name": "shor_15", "counting_qubits": 3, "a": 14},
    {"name": "grover", "marked": ["1010", "0011"], "iterations": 1},
    {"name": "random_clifford", "qubits": 22},
    {"name": "quantum_volume", "qubits": 2},
    {"name": "vqe", "molecule": "lih"},
    {"name": "maxcut", "edges": [{"nodes": [0, 1]}, {"nodes": [1, 4]}], "layers": 1},
    {"name": "quantum_kernel", "features": 3},
    {"name": "value_at_risk", "qubits": 3},
    {"name": "european_call", "qubits": 2},
]


@pytest.mark.parametrize("given", TEMPLATES, ids=str)
def test_the_door_knows_the_size_of_a_template(given: dict[str, Any]) -> None:
    template = ADAPTER.validate_python(given)
    circuit = prepare(template, seed=1, between=lambda: None).circuit
    door, worker = profile_of(template), counted(circuit, examine(circuit))
    assert size_of(template) == (circuit.num_qubits, circuit.num_clbits)
    assert (door.qubits, door.clbits) == (worker.qubits, worker.clbits)
    assert (door.dynamic, door.conditional, door.branchings) == (worker.dynamic, worker.conditional, worker.branchings)
    assert door.not_clifford is None or worker.not_clifford is not None
    door_bond, worker_bond = (min(2 ** min(profile.bond_bits, profile.qubits // 2), 2048) for profile in (door, worker))
    assert door_bond <= max(worker_bond, 1024)  # no matrix product state is refused that the workers would run
