"""A circuit in the gates that a format has: every other gate is written out by its definition, level by level."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Bit, BoxOp, Clbit, ControlFlowOp, ControlledGate, Gate, Operation, Qubit
from qiskit.circuit.library import UnitaryGate
from qiskit.circuit.library import standard_gates as std
from qiskit.synthesis import TwoQubitWeylDecomposition

from qstill.contract.circuits.formats import MAX_OPERATIONS
from qstill.contract.errors import Problem
from workers.circuits.channels import is_channel
from workers.circuits.classical import COMPUTING
from workers.circuits.matrices import Matrix

MAX_SYNTHESISED_CONTROLS = 24  # without `ctrl @`, n controls become up to some n² gates, and take seconds to find
KEPT = frozenset(("measure", "reset", "barrier", "break_loop", "continue_loop"))
_NOTHING = frozenset(("id", "delay", "nop"))
_TWO = 2
_NO_ANGLE = 1e-15  # radians; what rounding leaves of 0
_CU_ANGLES = 4  # a controlled U may have a phase more than its base

Parts = tuple[tuple[Gate, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation. blocks: those of an `if` or a loop, each on bits of the circuit itself."""

    operation: Operation
    qubits: tuple[Qubit, ...]
    clbits: tuple[Clbit, ...]
    blocks: tuple[tuple["Step", ...], ...] = ()


def without_controls(operation: Operation) -> tuple[Operation, int]:
    """The gate that is controlled, and by how many qubits; the gate itself and 0 where none control it."""
    if isinstance(operation, ControlledGate):
        base = operation.base_gate
        if operation.num_qubits == operation.num_ctrl_qubits + base.num_qubits:  # otherwise it has ancillas
            return base, operation.num_ctrl_qubits
    return operation, 0


def all_ones(operation: Operation) -> bool:
    """Whether all controls act where they are 1."""
    return not isinstance(operation, ControlledGate) or operation.ctrl_state + 1 == 1 << operation.num_ctrl_qubits


def lower(circuit: QuantumCircuit, known: Callable[[Operation], bool], *, limit: int = MAX_OPERATIONS) -> list[Step]:
    """The circuit as steps whose gates are all `known`. Raises `Problem` where there is no such circuit."""
    lowering = _Lowering(known, limit)
    same: dict[Bit, Bit] = {bit: bit for bit in (*circuit.qubits, *circuit.clbits)}
    return list(lowering.block(circuit, same))


class _Lowering:
    def __init__(self, known: Callable[[Operation], bool], limit: int) -> None:
        self.known = known
        self.limit = limit
        self.steps = 0

    def block(self, circuit: QuantumCircuit, bits: dict[Bit, Bit]) -> Iterator[Step]:
        """A block's steps. bits: what its own bits are in the circuit."""
        for instruction in circuit.data:
            qubits = tuple(bits[qubit] for qubit in instruction.qubits)
            clbits = tuple(bits[clbit] for clbit in instruction.clbits)
            yield from self._operation(instruction.operation, qubits, clbits)

    def _operation(self, operation: Operation, qubits: Sequence[Qubit], clbits: Sequence[Clbit]) -> Iterator[Step]:
        self._count()
        if isinstance(operation, ControlFlowOp):
            inside = tuple(tuple(self.block(block, _bits(block, qubits, clbits))) for block in operation.blocks)
            if isinstance(operation, BoxOp):
                yield from inside[0]
            else:
                yield Step(operation, tuple(qubits), tuple(clbits), inside)
        elif operation.name in KEPT or self.known(operation):
            yield Step(operation, tuple(qubits), tuple(clbits))
        elif operation.name not in _NOTHING:
            yield from self._written_out(operation, qubits, clbits)

    def _written_out(self, operation: Operation, qubits: Sequence[Qubit], clbits: Sequence[Clbit]) -> Iterator[Step]:
        base, controls = without_controls(operation)
        if base.name in _REWRITTEN and len(operation.params) < _CU_ANGLES:
            for gate, places in _REWRITTEN[base.name](*base.params):
                part = gate.control(controls, ctrl_state=operation.ctrl_state, annotated=False) if controls else gate
                at = (*qubits[:controls], *(qubits[controls + place] for place in places))
                yield from self._operation(part, at, clbits)
            return
        if operation.name in COMPUTING:
            raise Problem(
                "export_unsupported",
                "The program computes with what it measures, which this service writes in no format but pictures.",
                pointer="/circuit",
                ways_out=[{"format": "svg"}, {"format": "text"}],
            )
        if isinstance(operation, UnitaryGate) and operation.num_qubits == _TWO:
            for gate, places in _two_qubits(operation.params[0]):
                yield from self._operation(gate, tuple(qubits[place] for place in places), clbits)
            return
        definition = None if controls > MAX_SYNTHESISED_CONTROLS else getattr(operation, "definition", None)
        if is_channel(operation):
            what = f"The channel {operation.label or operation.name!r}"
            message = f"{what} cannot be written in this format, which has gates alone."
            raise Problem("export_unsupported", message, pointer="/circuit")
        if definition is None:
            what = f"{operation.name[:50]!r} on {operation.num_qubits} qubits"
            raise Problem("export_unsupported", f"{what} cannot be written in this format.", pointer="/circuit")
        yield from self.block(definition, _bits(definition, qubits, clbits))

    def _count(self) -> None:
        self.steps += 1
        if self.steps > self.limit:
            message = f"Written in this format the circuit has more than {self.limit:,} operations."
            raise Problem("export_too_large", message, pointer="/circuit")


def _bits(block: QuantumCircuit, qubits: Sequence[Qubit], clbits: Sequence[Clbit]) -> dict[Bit, Bit]:
    return dict(zip((*block.qubits, *block.clbits), (*qubits, *clbits), strict=False))


def _two_qubits(matrix: Matrix) -> Parts:
    """A matrix by its Weyl coordinates, up to a phase. Near the identity Qiskit's own definition is off by 3e-5."""
    found = TwoQubitWeylDecomposition(matrix, fidelity=None)
    angles = ((std.RXXGate, found.a), (std.RYYGate, found.b), (std.RZZGate, found.c))
    return (
        (UnitaryGate(found.K2r), (0,)),
        (UnitaryGate(found.K2l), (1,)),
        *((kind(-2 * angle), (0, 1)) for kind, angle in angles if abs(angle) > _NO_ANGLE),
        (UnitaryGate(found.K1r), (0,)),
        (UnitaryGate(found.K1l), (1,)),
    )


def _u(theta: Any, phi: Any, lam: Any) -> Parts:
    return (std.PhaseGate(lam), (0,)), (std.RYGate(theta), (0,)), (std.PhaseGate(phi), (0,))


# Exact with the global phase, so that each part can be controlled by itself.
_REWRITTEN: dict[str, Callable[..., Parts]] = {
    "u": _u,
    "u3": _u,
    "u2": lambda phi, lam: _u(pi / 2, phi, lam),
    "u1": lambda lam: ((std.PhaseGate(lam), (0,)),),
    "r": lambda theta, phi: (
        (std.PhaseGate(-phi), (0,)),
        (std.RXGate(theta), (0,)),
        (std.PhaseGate(phi), (0,)),
    ),
}
