"""Cirq's own examples of its JSON mean here what they mean there, as far as they are circuits, operations or gates.

They lie beside the installed Cirq; none is copied.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cirq
import pytest

from qstill.contract.errors import Problem
from tests.workers.circuits.from_cirq.exact import assert_read_alike, assert_same_state
from workers.circuits.parse.cirq import parse_cirq

FILES = sorted((Path(cirq.__file__).parent / "protocols" / "json_test_data").glob("*.json"))
REFUSED = {  # by number of the object in its file
    "ClassicallyControlledOperation": {0: "No measurement of 'a' comes before"},
    "GlobalPhaseGate": {0: "no qubit"},
    "MeasurementGate": {3: "confusion map"},
    "MutableDensePauliString": {0: "absolute value 1"},
    "PauliString": {1: "absolute value 1"},
}


def circuits(value: Any) -> Iterator[Any]:
    """The objects of a file, each as a circuit."""
    match value:
        case list():
            for item in value:
                yield from circuits(item)
        case cirq.AbstractCircuit():
            yield value.unfreeze()
        case cirq.Moment() | cirq.Operation():
            yield cirq.Circuit(value)
        case cirq.Gate():
            qudits = max(cirq.qid_shape(value), default=2) > 2
            line = cirq.LineQid.for_gate(value) if qudits else cirq.LineQubit.range(cirq.num_qubits(value))
            yield cirq.Circuit(value.on(*line))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_examples_of_cirq_are_what_they_are_there(path: Path) -> None:
    for number, circuit in enumerate(circuits(cirq.read_json(path))):
        circuit = cirq.resolve_parameters(circuit, dict.fromkeys(cirq.parameter_names(circuit), 0.3))
        words = REFUSED.get(path.stem, {}).get(number)
        if words is not None:
            with pytest.raises(Problem, match=words):
                parse_cirq(cirq.to_json(circuit))
        elif not cirq.parameter_names(circuit) and len(circuit.all_qubits()) <= 6:
            assert_same_state(circuit)
            if cirq.is_measurement(circuit):
                assert_read_alike(circuit, last=path.stem == "CircuitOperation")  # one is a loop
        else:
            parse_cirq(cirq.to_json(circuit))
