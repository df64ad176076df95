"""From a circuit of Qiskit's to turns, phases and shuffles.

    lower(circuit, inputs={"x0"})   # Lowered; refuses what measures, resets or branches before its end

Adjacent steps of one kind become one wherever they commute with what stands between them, so that a layer of rotations
and a ring of CX are a handful of operations. A gate that is none of the table goes by its definition.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression

from qstill.contract.errors import Problem
from workers.quantum.operations import Integers, Phases, Reals, Shuffle, Step, Turns, all_ones, bit, z

Angle = Any  # radians: a float or a ParameterExpression

IGNORED = frozenset({"barrier", "delay", "id", "nop", "global_phase"})
MAX_DEPTH = 20  # definitions in definitions


@dataclass(frozen=True)
class Lowered:
    """angles: each a number or an expression of the circuit's parameters. measured: clbit by qubit, where it does."""

    qubits: int
    steps: tuple[Step, ...]
    angles: tuple[Angle, ...]
    measured: dict[int, int]


def lower(circuit: QuantumCircuit, inputs: Collection[str] = ()) -> Lowered:
    """inputs: names of parameters that differ from row to row: they stand in phases alone, as RY(x) = V·RZ(x)·V†.

    Raises Problem untrainable_gate.
    """
    builder = _Builder(circuit.num_qubits, frozenset(inputs))
    where = {bit_: number for number, bit_ in enumerate(circuit.qubits)}
    clbits = {bit_: number for number, bit_ in enumerate(circuit.clbits)}
    measured: dict[int, int] = {}
    for instruction in circuit.data:
        qubits = [where[each] for each in instruction.qubits]
        operation = instruction.operation
        if not measured.keys().isdisjoint(qubits) and operation.name not in IGNORED:
            raise _untrainable(f"{operation.name} acts on qubit {qubits[0]} after it was measured")
        if operation.name == "measure":
            measured[qubits[0]] = clbits[instruction.clbits[0]]
        else:
            builder.gate(operation, qubits, 0)
    return Lowered(circuit.num_qubits, tuple(builder.folded()), tuple(builder.angles), measured)


class _Builder:
    def __init__(self, qubits: int, inputs: frozenset[str]) -> None:
        self.qubits = qubits
        self.inputs = inputs
        self.steps: list[Step] = []
        self.angles: list[Angle] = []

    def gate(self, operation: Any, qubits: Sequence[int], depth: int) -> None:
        if operation.name in IGNORED:
            return
        lowered = GATES.get(operation.name)
        if lowered is not None:
            lowered(self, qubits, operation.params)
            return
        definition = getattr(operation, "definition", None)
        if definition is None or depth == MAX_DEPTH:
            raise _untrainable(f"{operation.name} is no unitary gate with a definition")
        inner = {bit_: qubits[number] for number, bit_ in enumerate(definition.qubits)}
        for instruction in definition.data:
            if instruction.clbits:
                raise _untrainable(f"{operation.name} measures, or depends on a measurement")
            self.gate(instruction.operation, [inner[each] for each in instruction.qubits], depth + 1)

    def turn(self, qubit: int, angle: Angle) -> None:
        if isinstance(angle, ParameterExpression) and any(each.name in self.inputs for each in angle.parameters):
            _u(self, [qubit], *_Y_BASIS)
            _rz(self, qubit, angle)
            _u(self, [qubit], -_Y_BASIS[0], -_Y_BASIS[2], -_Y_BASIS[1])
            return
        number = self._angle(angle)
        place = self._meets(frozenset({qubit}), Turns)
        if place is not None:
            known = self.steps[place]
            assert isinstance(known, Turns)
            self.steps[place] = Turns(known.angles | {qubit: number})
        else:
            self.steps.append(Turns({qubit: number}))

    def phase(self, diagonal: Reals, which: Sequence[int], angle: Angle) -> None:
        """exp(-i·angle·diagonal)."""
        number, qubits = self._angle(angle), frozenset(which)
        place = self._meets(qubits, Phases)
        if place is None:
            self.steps.append(Phases((number,), diagonal[None], qubits))
            return
        known = self.steps[place]
        assert isinstance(known, Phases)
        rows = np.concatenate([known.diagonals, diagonal[None]])
        self.steps[place] = Phases((*known.angles, number), rows, known.qubits | qubits)

    def shuffle(self, target: Integers, which: Sequence[int]) -> None:
        """target: (2^n,), where each basis state goes."""
        source = np.argsort(target)
        qubits = frozenset(which)
        last = self.steps[-1] if self.steps else None
        if isinstance(last, Shuffle):
            self.steps[-1] = Shuffle(last.source[source], last.qubits | qubits)
        else:
            self.steps.append(Shuffle(source, qubits))

    def folded(self) -> Iterator[Step]:
        """The steps, the constant phases of each as one diagonal."""
        for step in self.steps:
            if not isinstance(step, Phases):
                yield step
                continue
            fixed = [k for k, number in enumerate(step.angles) if isinstance(self.angles[number], float)]
            if len(fixed) < 2:
                yield step
                continue
            values = np.array([self.angles[step.angles[k]] for k in fixed], dtype=np.float64)
            free = [k for k in range(len(step.angles)) if k not in set(fixed)]
            rows = np.concatenate([step.diagonals[free], (values @ step.diagonals[fixed])[None]])
            yield Phases((*(step.angles[k] for k in free), self._angle(1.0)), rows, step.qubits)

    def _angle(self, angle: Angle) -> int:
        is_free = isinstance(angle, ParameterExpression) and angle.parameters
        self.angles.append(angle if is_free else float(angle))
        return len(self.angles) - 1

    def _meets(self, qubits: frozenset[int], kind: type[Step]) -> int | None:
        """The earlier step of a kind that something on these qubits may join: nothing between them touches them."""
        for place in range(len(self.steps) - 1, -1, -1):
            step = self.steps[place]
            if isinstance(step, kind) and (kind is Phases or qubits.isdisjoint(step.qubits)):
                return place
            if not qubits.isdisjoint(step.qubits):
                return None
        return None


def _untrainable(why: str) -> Problem:
    ways_out = [{"note": "Gates alone: no reset, no condition, and measurements at the end, if any."}]
    title = f"This circuit cannot be differentiated: {why}."
    return Problem("untrainable_gate", title, pointer="/circuit", ways_out=ways_out)


Lowering = Callable[[_Builder, Sequence[int], Sequence[Any]], None]


def _rz(builder: _Builder, qubit: int, angle: Angle) -> None:
    builder.phase(z(builder.qubits, qubit), [qubit], angle / 2)


def _u(builder: _Builder, qubits: Sequence[int], theta: Angle, phi: Angle, lam: Angle) -> None:
    (qubit,) = qubits
    _rz(builder, qubit, lam)
    builder.turn(qubit, theta)
    _rz(builder, qubit, phi)


def _rx(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
    _u(builder, qubits, params[0], -pi / 2, pi / 2)


def _fixed(theta: float, phi: float, lam: float) -> Lowering:
    return lambda builder, qubits, params: _u(builder, qubits, theta, phi, lam)


def _turned(factor: float) -> Lowering:
    """A rotation about Z by a fixed angle."""
    return lambda builder, qubits, params: _rz(builder, qubits[0], factor)


def _flip(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
    """X on the last qubit where all others are 1."""
    *controls, target = qubits
    states = np.arange(1 << builder.qubits, dtype=np.int64)
    on = all_ones(builder.qubits, *controls).astype(np.int64)
    builder.shuffle(states ^ (on << target), qubits)


def _swap(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
    """The last two qubits change places where all others are 1."""
    *controls, a, b = qubits
    states = np.arange(1 << builder.qubits, dtype=np.int64)
    differ = (bit(builder.qubits, a) ^ bit(builder.qubits, b)) * all_ones(builder.qubits, *controls).astype(np.int64)
    builder.shuffle(states ^ (differ << a) ^ (differ << b), qubits)


def _controlled_phase(factor: float | None) -> Lowering:
    """exp(i·angle) where all qubits are 1. factor: the angle; None: the gate's."""

    def lowered(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
        angle = params[0] if factor is None else factor
        builder.phase(all_ones(builder.qubits, *qubits), qubits, -angle)

    return lowered


def _crz(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
    control, target = qubits
    diagonal = z(builder.qubits, target) * bit(builder.qubits, control)
    builder.phase(diagonal, qubits, params[0] / 2)


def _zz(builder: _Builder, qubits: Sequence[int], angle: Angle) -> None:
    builder.phase(z(builder.qubits, *qubits), qubits, angle / 2)


def _in_basis(*basis: tuple[float, float, float]) -> Lowering:
    """RZZ between a change of basis of both qubits and its inverse. basis: U of each qubit."""

    def lowered(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
        changed = [(qubit, to) for qubit, to in zip(qubits, basis, strict=True) if to != _PLAIN]
        for qubit, (theta, phi, lam) in changed:
            _u(builder, [qubit], theta, phi, lam)
        _zz(builder, qubits, params[0])
        for qubit, (theta, phi, lam) in changed:
            _u(builder, [qubit], -theta, -lam, -phi)

    return lowered


def _controlled_turn(builder: _Builder, qubits: Sequence[int], params: Sequence[Any]) -> None:
    control, target = qubits
    builder.turn(target, params[0] / 2)
    _flip(builder, [control, target], ())
    builder.turn(target, -params[0] / 2)
    _flip(builder, [control, target], ())


_H = (pi / 2, 0.0, pi)
_Y_BASIS = (pi / 2, -pi / 2, pi / 2)  # takes Y to Z
_PLAIN = (0.0, 0.0, 0.0)

GATES: dict[str, Lowering] = {
    "rx": _rx,
    "ry": lambda builder, qubits, params: builder.turn(qubits[0], params[0]),
    "rz": lambda builder, qubits, params: _rz(builder, qubits[0], params[0]),
    "p": lambda builder, qubits, params: _rz(builder, qubits[0], params[0]),
    "u1": lambda builder, qubits, params: _rz(builder, qubits[0], params[0]),
    "u": lambda builder, qubits, params: _u(builder, qubits, *params),
    "u3": lambda builder, qubits, params: _u(builder, qubits, *params),
    "u2": lambda builder, qubits, params: _u(builder, qubits, pi / 2, *params),
    "h": _fixed(*_H),
    "y": _fixed(pi, pi / 2, pi / 2),
    "sx": _fixed(pi / 2, -pi / 2, pi / 2),
    "sxdg": _fixed(-pi / 2, -pi / 2, pi / 2),
    "z": _turned(pi),
    "s": _turned(pi / 2),
    "sdg": _turned(-pi / 2),
    "t": _turned(pi / 4),
    "tdg": _turned(-pi / 4),
    "x": _flip,
    "cx": _flip,
    "ccx": _flip,
    "mcx": _flip,
    "swap": _swap,
    "cswap": _swap,
    "cz": _controlled_phase(pi),
    "ccz": _controlled_phase(pi),
    "cs": _controlled_phase(pi / 2),
    "csdg": _controlled_phase(-pi / 2),
    "cp": _controlled_phase(None),
    "cu1": _controlled_phase(None),
    "mcphase": _controlled_phase(None),
    "crz": _crz,
    "cry": _controlled_turn,
    "rzz": lambda builder, qubits, params: _zz(builder, qubits, params[0]),
    "rxx": _in_basis(_H, _H),
    "ryy": _in_basis(_Y_BASIS, _Y_BASIS),
    "rzx": _in_basis(_PLAIN, _H),
}
