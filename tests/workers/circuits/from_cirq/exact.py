"""The exact distribution of a circuit of Cirq, and the same of what became of it.

Cirq says what every operation, key and condition is; every branch of every outcome and Kraus operator is kept. A level
of a qudit is compared by its bits, the lowest first.
"""

from collections import Counter
from itertools import accumulate, product
from typing import Any

import cirq
import numpy as np
import pytest
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from tests.testing.circuits import branches
from workers.circuits.parse.cirq import parse_cirq

State = NDArray[np.complex128]
Branch = tuple[State, Any]  # not normalised, qubits as axes; what was measured
SMALL = 1e-10
Outcome = tuple[tuple[str, tuple[int, ...]], ...]  # what each key reads, in order of the keys


def distribution(circuit: Any) -> dict[Outcome, float]:
    """Probabilities by what every key reads. A second measurement of `m` is `m#2`."""
    total: Counter[Outcome] = Counter()
    for state, data in _branches(circuit):
        total[_outcome(data)] += float(np.vdot(state, state).real)
    return dict(total)


def last_values(circuit: Any) -> dict[Outcome, float]:
    """The same where of each key the last measurement alone counts."""
    total: Counter[Outcome] = Counter()
    for state, data in _branches(circuit):
        last = tuple(
            sorted((str(key), _bits(values[-1], data.measured_qubits[key][-1])) for key, values in data.records.items())
        )
        total[last] += float(np.vdot(state, state).real)
    return dict(total)


def of_qiskit(circuit: QuantumCircuit) -> dict[Outcome, float]:
    """The same of a circuit in Qiskit, by its registers."""
    total: Counter[Outcome] = Counter()
    for bits, chance in branches.distribution(circuit).items():
        read = ((r.name, tuple(bits >> circuit.find_bit(clbit).index & 1 for clbit in r)) for r in circuit.cregs)
        total[tuple(sorted(read))] += chance
    return dict(total)


def assert_read_alike(circuit: Any, *, last: bool = False) -> None:
    """What is parsed of Cirq's JSON reads what the circuit reads, every outcome as often."""
    found = of_qiskit(parse_cirq(cirq.to_json(circuit)))
    expected = last_values(circuit) if last else distribution(circuit)
    assert found == pytest.approx(expected, abs=1e-6)


def assert_same_state(circuit: Any) -> None:
    """What is parsed of Cirq's JSON ends in the same density matrix."""
    whole = branches.density_matrix(parse_cirq(cirq.to_json(circuit)))
    shape = cirq.qid_shape(sorted(circuit.all_qubits()))
    places = [0, *accumulate((dimension - 1).bit_length() for dimension in shape)]
    assert len(whole) == 1 << places[-1]
    levels = product(*map(range, shape))
    reached = [sum(level << place for level, place in zip(state, places, strict=False)) for state in levels]
    np.testing.assert_allclose(whole[np.ix_(reached, reached)], density_matrix(circuit), atol=1e-6)
    assert np.trace(whole) == pytest.approx(np.trace(whole[np.ix_(reached, reached)]), abs=1e-9)


def density_matrix(circuit: Any) -> State:
    """(2^n, 2^n) of a circuit's end, whatever was measured; the first qubit is the high bit, or digit."""
    size = int(np.prod(cirq.qid_shape(sorted(circuit.all_qubits()))))
    total = np.zeros((size, size), dtype=np.complex128)
    for state, _ in _branches(circuit):
        total += np.outer(state.reshape(-1), state.reshape(-1).conj())
    return total


def _branches(circuit: Any) -> list[Branch]:
    qubits = sorted(circuit.all_qubits())
    start = np.zeros(cirq.qid_shape(qubits), dtype=np.complex128)
    start[(0,) * len(qubits)] = 1
    branches: list[Branch] = [(start, cirq.ClassicalDataDictionaryStore())]
    for operation in circuit.all_operations():
        branches = [after for branch in branches for after in _after(operation, branch, qubits)]
    return branches


def _after(operation: Any, branch: Branch, qubits: list[Any]) -> list[Branch]:
    state, data = branch
    operation = operation.untagged
    if isinstance(operation, cirq.ClassicallyControlledOperation):
        held = all(condition.resolve(data) for condition in operation.classical_controls)
        return _after(operation.without_classical_controls(), branch, qubits) if held else [branch]
    if isinstance(operation, cirq.CircuitOperation):
        until = operation._mapped_repeat_until
        if until is None:
            return _all_after(cirq.decompose_once(operation), [branch], qubits)
        ended, running = [], [branch]
        while running:
            running = _all_after(operation._mapped_single_loop().all_operations(), running, qubits)
            ended += [after for after in running if until.resolve(after[1])]
            running = [after for after in running if not until.resolve(after[1])]
        return ended
    if isinstance(operation.gate, cirq.PauliMeasurementGate):
        return _all_after(cirq.decompose_once(operation), [branch], qubits)
    axes = [qubits.index(qubit) for qubit in operation.qubits]
    if isinstance(operation.gate, cirq.MeasurementGate):
        return _measured(operation, branch, axes)
    return _alive([(_applied(matrix, state, axes), _copied(data)) for matrix in cirq.kraus(operation)])


def _all_after(operations: Any, branches: list[Branch], qubits: list[Any]) -> list[Branch]:
    for operation in operations:
        branches = [after for branch in branches for after in _after(operation, branch, qubits)]
    return branches


def _measured(operation: Any, branch: Branch, axes: list[int]) -> list[Branch]:
    state, data = branch
    mask = operation.gate.full_invert_mask()
    found = []
    for outcome in np.ndindex(*(state.shape[axis] for axis in axes)):
        part = np.zeros_like(state)
        place: list[Any] = [slice(None)] * state.ndim
        for axis, value in zip(axes, outcome, strict=True):
            place[axis] = value
        part[tuple(place)] = state[tuple(place)]
        read = _copied(data)
        values = [value ^ (invert and value < 2) for value, invert in zip(outcome, mask, strict=True)]
        read.record_measurement(operation.gate.mkey, values, operation.qubits)
        found.append((part, read))
    return _alive(found)


def _copied(data: Any) -> Any:
    """Cirq's own copy shares the lists of what was measured."""
    return cirq.ClassicalDataDictionaryStore(
        _records={key: [*readings] for key, readings in data.records.items()},
        _measured_qubits={key: [*qubits] for key, qubits in data.measured_qubits.items()},
    )


def _applied(matrix: State, state: State, axes: list[int]) -> State:
    tensor = matrix.reshape(tuple(state.shape[axis] for axis in axes) * 2)
    moved = np.tensordot(tensor, state, axes=(range(len(axes), 2 * len(axes)), axes))
    return np.moveaxis(moved, range(len(axes)), axes)


def _alive(branches: list[Branch]) -> list[Branch]:
    return [branch for branch in branches if np.vdot(branch[0], branch[0]).real > SMALL]


def _outcome(data: Any) -> Outcome:
    return tuple(
        sorted(
            (f"{key}#{number + 1}" if number else str(key), _bits(values, qubits))
            for key, readings in data.records.items()
            for number, (values, qubits) in enumerate(zip(readings, data.measured_qubits[key], strict=True))
        )
    )


def _bits(values: Any, qubits: Any) -> tuple[int, ...]:
    widths = [(qubit.dimension - 1).bit_length() for qubit in qubits]
    return tuple(value >> bit & 1 for value, width in zip(values, widths, strict=True) for bit in range(width))
