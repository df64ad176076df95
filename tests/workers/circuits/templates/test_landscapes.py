"""What a template minimises is a function of its own angles: at those it finds it has the value that it says."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qstill.contract.circuits.templates import Template
from qstill.contract.circuits.templates.angles import angles_of
from workers.circuits.templates import prepare
from workers.circuits.templates.landscapes import Landscape, landscape

TEMPLATES: TypeAdapter[Template] = TypeAdapter(Template)
TRIANGLE = [{"nodes": [0, 1]}, {"nodes": [1, 2], "weight": 2.0}, {"nodes": [2, 0]}]
SEARCHING = [
    {"name": "maxcut", "layers": 2, "edges": TRIANGLE},
    {"name": "portfolio", "layers": 1},
    {"name": "vqe", "molecule": "h2"},
]


def template(body: dict[str, Any]) -> Template:
    return TEMPLATES.validate_python(body)


def value(of: Landscape, angles: Sequence[float]) -> float:
    bound = of.circuit.assign_parameters(dict(zip(of.circuit.parameters, angles, strict=True)))
    return float(Statevector(bound.decompose(reps=3)).expectation_value(of.cost).real)


@pytest.mark.parametrize("body", SEARCHING)
def test_at_the_angles_that_a_template_finds_its_landscape_has_the_value_that_it_says(body: dict[str, Any]) -> None:
    asked = template(body)
    found = landscape(asked)
    assert found is not None
    assert [each.name for each in found.circuit.parameters] == angles_of(asked)
    qubits = found.circuit.num_qubits
    answer = prepare(asked, seed=0, between=lambda: None).interpret({"0" * qubits: 10}, 10).figures
    angles: Any = list(answer["angles"].values()) if "angles" in answer else answer["beta"] + answer["gamma"]  # type: ignore[operator, union-attr]
    sign = -1 if body["name"] == "maxcut" else 1
    assert value(found, angles) == pytest.approx(sign * answer["trace"][-1], abs=1e-8)  # type: ignore[index, operator]
    assert value(found, found.start) > value(found, angles)


def test_the_cost_of_a_cut_is_its_weight_with_a_minus() -> None:
    found = landscape(template({"name": "maxcut", "layers": 1, "edges": TRIANGLE}))
    assert found is not None
    diagonal = found.cost.to_matrix().diagonal().real
    np.testing.assert_allclose(diagonal[[0b000, 0b001, 0b010, 0b111]], [0, -2, -3, 0], atol=1e-12)


def test_the_energy_of_a_molecule_begins_at_hartree_and_fock() -> None:
    found = landscape(template({"name": "vqe"}))
    assert found is not None
    assert value(found, found.start) == pytest.approx(-1.117, abs=1e-3)
    assert isinstance(found.cost, SparsePauliOp)


def test_a_template_that_searches_for_nothing_has_no_landscape() -> None:
    bell = template({"name": "bell"})
    assert (landscape(bell), angles_of(bell)) == (None, [])
