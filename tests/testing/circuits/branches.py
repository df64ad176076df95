"""The exact distribution of a circuit with measurements, resets and conditions: every branch of every outcome is kept.

Channels branch by their Kraus operators. Once from our JSON by numpy alone, once from Qiskit's circuit, so that each
judges the other.
"""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Bit, ClassicalRegister, Clbit, IfElseOp, WhileLoopOp
from qiskit.circuit.classical import expr
from qiskit.quantum_info import Operator

from tests.testing.circuits.circuit_strategies import embed, unitary

State = NDArray[np.complex128]
Branch = tuple[State, frozenset[int]]  # not normalised; the classical bits that read 1
SMALL = 1e-12


def distribution_of_json(qubits: int, operations: list[dict[str, Any]]) -> dict[int, float]:
    """Probabilities by the integer of the classical bits."""
    start = np.zeros(1 << qubits, dtype=np.complex128)
    start[0] = 1
    branches: list[Branch] = [(start, frozenset())]
    for operation in operations:
        branches = [after for branch in branches for after in _json_step(qubits, operation, branch)]
    return _distribution(branches)


def _json_step(qubits: int, operation: dict[str, Any], branch: Branch) -> list[Branch]:
    state, bits = branch
    if (condition := operation.get("if")) is not None:
        clbits = condition.get("clbits", [condition.get("clbit")])
        if sum((clbit in bits) << place for place, clbit in enumerate(clbits)) != condition["value"]:
            return [branch]
    if operation["gate"] == "measure":
        return _measured(branch, operation["target"], operation.get("clbit", operation["target"]))
    if operation["gate"] == "reset":
        return _reset(branch, operation["target"])
    return [(unitary(qubits, [operation]) @ state, bits)]


def distribution(circuit: QuantumCircuit) -> dict[int, float]:
    """The same from a circuit of Qiskit."""
    return _distribution(_branches(circuit))


def density_matrix(circuit: QuantumCircuit) -> State:
    """(2^n, 2^n) of the circuit's end, whatever was measured; qubit 0 is the low bit."""
    return sum((np.outer(state, state.conj()) for state, _ in _branches(circuit)), start=np.zeros((), complex))


def _branches(circuit: QuantumCircuit) -> list[Branch]:
    start = np.zeros(1 << circuit.num_qubits, dtype=np.complex128)
    start[0] = 1
    same: dict[Bit, int] = {bit: i for bits in (circuit.qubits, circuit.clbits) for i, bit in enumerate(bits)}
    return _block(circuit, same, [(start, frozenset())])


def _block(circuit: QuantumCircuit, place: dict[Bit, int], branches: list[Branch]) -> list[Branch]:
    for instruction in circuit.data:
        if not branches:
            break
        qubits = [place[qubit] for qubit in instruction.qubits]
        clbits = [place[clbit] for clbit in instruction.clbits]
        operation = instruction.operation
        if isinstance(operation, WhileLoopOp):
            names = _inside(operation.blocks[0], qubits, clbits)
            running, branches = branches, []
            while running:
                held = [_holds(operation.condition, place, bits) for _, bits in running]
                branches += [branch for branch, going_on in zip(running, held, strict=True) if not going_on]
                running = [branch for branch, going_on in zip(running, held, strict=True) if going_on]
                running = _block(operation.blocks[0], place | names, running)
        elif isinstance(operation, IfElseOp):
            after: list[Branch] = []
            for branch in branches:
                index = 0 if _holds(operation.condition, place, branch[1]) else 1
                if index >= len(operation.blocks):
                    after.append(branch)
                    continue
                inner = operation.blocks[index]
                after += _block(inner, place | _inside(inner, qubits, clbits), [branch])
            branches = after
        elif operation.name == "measure":
            branches = [after for branch in branches for after in _measured(branch, qubits[0], clbits[0])]
        elif operation.name == "reset":
            branches = [after for branch in branches for after in _reset(branch, qubits[0])]
        elif operation.name == "kraus":
            width = len(branches[0][0]).bit_length() - 1
            every = [embed(width, operator, qubits, []) for operator in operation.params]
            branches = _alive([(matrix @ state, bits) for state, bits in branches for matrix in every])
        elif operation.name != "barrier":
            width = len(branches[0][0]).bit_length() - 1
            matrix = embed(width, Operator(operation).data, qubits, [])
            branches = [(matrix @ state, bits) for state, bits in branches]
    return branches


def _inside(block: QuantumCircuit, qubits: list[int], clbits: list[int]) -> dict[Bit, int]:
    return dict(zip((*block.qubits, *block.clbits), (*qubits, *clbits), strict=True))


def _holds(condition: Any, place: dict[Bit, int], ones: frozenset[int]) -> bool:
    if isinstance(condition, expr.Expr):
        return _value(condition, place, ones)
    tested, value = condition
    bits = [tested] if isinstance(tested, Clbit) else list(tested)
    assert isinstance(tested, Clbit | ClassicalRegister)
    return sum((place[bit] in ones) << i for i, bit in enumerate(bits)) == int(value)


def _value(condition: Any, place: dict[Bit, int], ones: frozenset[int]) -> bool:
    match condition:
        case expr.Var():
            return place[condition.var] in ones
        case expr.Unary(op=expr.Unary.Op.LOGIC_NOT):
            return not _value(condition.operand, place, ones)
        case expr.Binary(op=expr.Binary.Op.LOGIC_AND | expr.Binary.Op.LOGIC_OR):
            both = all if condition.op is expr.Binary.Op.LOGIC_AND else any
            return both(_value(part, place, ones) for part in (condition.left, condition.right))
        case _:
            raise AssertionError(condition)


def _measured(branch: Branch, qubit: int, clbit: int) -> list[Branch]:
    zero, one = _projected(branch[0], qubit)
    return _alive([(zero, branch[1] - {clbit}), (one, branch[1] | {clbit})])


def _reset(branch: Branch, qubit: int) -> list[Branch]:
    zero, one = _projected(branch[0], qubit)
    flipped = one[np.arange(len(one)) ^ (1 << qubit)]
    return _alive([(zero, branch[1]), (flipped, branch[1])])


def _projected(state: State, qubit: int) -> tuple[State, State]:
    is_one = (np.arange(len(state)) >> qubit & 1).astype(bool)
    return np.where(is_one, 0, state), np.where(is_one, state, 0)


def _alive(branches: list[Branch]) -> list[Branch]:
    return [branch for branch in branches if np.vdot(branch[0], branch[0]).real > SMALL]


def _distribution(branches: list[Branch]) -> dict[int, float]:
    total: Counter[int] = Counter()
    for state, bits in branches:
        total[sum(1 << bit for bit in bits)] += float(np.vdot(state, state).real)
    return dict(total)
