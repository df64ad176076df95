"""Expressibility is what the paper printed, and a gradient's variance what integrating it gives."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.report.quantum import Expressibility
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.families import build
from workers.distillation.quantum import expressibility
from workers.distillation.quantum.expressibility import BINS, STATES, divergence, expressibility_of, haar_shares

AMPLITUDE = {"kind": "amplitude"}


def network(features: int = 2, **given: Any) -> CircuitNetwork:
    made = build(TypeAdapter(Architecture).validate_python(given), (features,), 2, seed=0, pointer="")
    assert isinstance(made, CircuitNetwork)
    return made


def own(gates: list[tuple[str, str | None]], **given: Any) -> CircuitNetwork:
    """Of one qubit, that begins in |0>."""
    operations = [{"gate": gate, "target": 0} | ({"rotation": angle} if angle else {}) for gate, angle in gates]
    return network(kind="circuit", circuit={"format": "json", "qubits": 1, "operations": operations}, **given)


def found_of(one: CircuitNetwork, seed: int = 0) -> Expressibility:
    row = torch.zeros(1, one.features)
    row[0, 0] = 1
    found = expressibility_of(one, row, seed)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("gates", "printed"),
    [
        ([("h", None), ("rz", "a")], 0.22),
        ([("h", None), ("rz", "a"), ("rx", "b")], 0.02),
        ([("rz", "a"), ("ry", "b"), ("rz", "c"), ("rx", "d"), ("ry", "e"), ("rz", "f")], 0.007),
    ],
)
def test_one_qubit_has_the_expressibilities_of_the_paper(gates: Any, printed: float) -> None:
    """Figure 1 of Sim and others, from 5,000 pairs; the last is of evenly drawn unitaries there, of many turns here."""
    found = found_of(own(gates))
    assert found.states == STATES
    assert found.divergence == pytest.approx(printed, abs=0.03)
    assert found.floor < 0.002
    assert sum(found.histogram) == pytest.approx(1)
    assert sum(found.haar) == pytest.approx(1)


def test_an_idle_circuit_reaches_nothing() -> None:
    assert divergence(np.ones(10), 2) == pytest.approx(math.log(BINS))
    assert np.isfinite(haar_shares(1 << 10)).all()
    alone = network(2, kind="quantum", qubits=3, layers=1, entanglement="none")
    joined = network(2, kind="quantum", qubits=3, layers=4, entanglement="ring")
    assert found_of(joined).divergence < found_of(alone).divergence


def test_gradients_vary_as_integrals_say_and_what_comes_last_is_dead() -> None:
    """<Z> after RX(a): its gradient is -sin a, of mean square 1/2. RZ after it changes no Z."""
    found = found_of(own([("rx", "a"), ("rz", "b")]))
    assert found.gradient_variance == pytest.approx([0.5, 0.0], abs=0.06)
    assert found.dead == [1]
    two = {"observables": ["z", "zz"], "kind": "quantum", "entanglement": "none", "qubits": 2, "layers": 1}
    many = found_of(network(2, **two)).gradient_variance  # RY of each qubit: 1/2 for its own Z, 0 for the other, 1/4
    assert many == pytest.approx([0.25, 0.25, 0, 0], abs=0.06)


def test_uploads_are_of_a_row_and_draws_of_a_seed() -> None:
    again = network(2, kind="quantum", qubits=2, layers=2, encoding={"kind": "angle", "upload_again": True})
    assert found_of(again, 1) == found_of(again, 1)
    assert found_of(again, 1) != found_of(again, 2)


def test_what_would_take_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    row = torch.ones(1, 2)
    assert expressibility_of(network(2, kind="quantum", qubits=11, layers=1), row, 0) is None
    monkeypatch.setattr(expressibility, "MAX_WORK", 1000)
    assert expressibility_of(network(2, kind="quantum", qubits=2, layers=1), row, 0) is None
