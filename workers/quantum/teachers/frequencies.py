"""Which trigonometric sum a circuit is, as a function of its inputs (Schuld and others 2021, arXiv:2008.08605).

An angle θ that turns by a diagonal d gives the state factors exp(-iθd), so expectation values have frequencies in θ
that are differences of d's values. Where all angles are linear in an input, its frequencies are sums of such
differences, one from each angle. Their greatest common measure is the unit, and the sum of the largest differences the
highest. An observable sees only the gates in its past: those that act on its qubits, on the qubits of those, and so on;
and no diagonal gate where all that it has of the gate's qubits is diagonal too.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ForLoopOp, Gate, IfElseOp, ParameterExpression, SwitchCaseOp
from qiskit.quantum_info import Operator

from qstill.contract.errors import Problem
from workers.quantum.lower import lower
from workers.quantum.operations import Phases

MAX_DENOMINATOR = 64  # of the ratio of two slopes, which are taken for incommensurable beyond
MAX_STRINGS = 1_024  # whose pasts are looked at one by one
MAX_GATE_QUBITS = 16  # of one gate with an input in it: each of its angles is 2^n numbers here
SAME = 1e-9  # relative difference of numbers that are one
MAX_LOOKED_AT = 3  # qubits of a gate that is asked whether it is diagonal, as a matrix
WITHOUT_ANGLES = frozenset({"measure", "reset", "barrier", "delay"})


@dataclass(frozen=True)
class Frequencies:
    """highest: of each input, in units. units: radians for each unit of the input, at frequency 1."""

    highest: tuple[int, ...]
    units: tuple[float, ...]

    def within(self, highest: Sequence[int], units: Sequence[float]) -> bool:
        """Whether a sum of these frequencies can be this circuit."""
        there = zip(self.highest, self.units, highest, units, strict=True)
        return all(mine == 0 or (mine <= most and math.isclose(unit, own)) for mine, unit, most, own in there)


def frequencies_of(
    circuit: QuantumCircuit, inputs: Sequence[str], read: Collection[Mapping[int, str]] | None = None
) -> Frequencies:
    """Sufficient for every observable that is a sum of the strings in `read`, letters X, Y or Z by qubit; None: for
    every one at all. Some of the frequencies may have no part in it.

    Raises Problem not_periodic.
    """
    place = {name: number for number, name in enumerate(inputs)}
    brought = [[*_turned([instruction], inputs)] for instruction in circuit.data]
    differences: list[list[float]] = [[] for _ in inputs]
    highest = [0.0] * len(inputs)
    for past in _pasts(circuit, read):
        totals = [0.0] * len(inputs)
        for name, values, times in (each for number in past for each in brought[number]):
            differences[place[name]] += values
            totals[place[name]] += values[-1] * times
        highest = [max(pair) for pair in zip(highest, totals, strict=True)]
    units = [_common(name, {*found}) for name, found in zip(inputs, differences, strict=True)]
    return Frequencies(
        tuple(round(most / unit) for most, unit in zip(highest, units, strict=True)),
        tuple(units),
    )


def _pasts(circuit: QuantumCircuit, read: Collection[Mapping[int, str]] | None) -> Iterator[list[int]]:
    """The instructions in the past of each string. All of them where a bit that was measured has a say later."""
    decides = any(
        instruction.clbits and instruction.operation.name not in WITHOUT_ANGLES for instruction in circuit.data
    )
    if read is None or decides or len(read) > MAX_STRINGS:
        yield [*range(len(circuit.data))]
        return
    touched = [{circuit.find_bit(qubit).index for qubit in instruction.qubits} for instruction in circuit.data]
    nature: dict[tuple[str, str], tuple[bool, bool]] = {}
    for string in {frozenset(each.items()) for each in read}:
        seen = {qubit for qubit, _ in string}
        turned = {qubit for qubit, letter in string if letter != "Z"}  # where it is not diagonal
        past = []
        for number in reversed(range(len(touched))):
            qubits, gate = touched[number], circuit.data[number].operation
            if gate.name in WITHOUT_ANGLES or not seen & qubits:
                continue
            key = gate.name, str(gate.params)
            diagonal, permuting = nature[key] if key in nature else nature.setdefault(key, _nature(gate))
            if diagonal and not turned & qubits:
                continue
            seen |= qubits
            if not diagonal and (not permuting or turned & qubits):
                turned |= qubits
            past.append(number)
        yield past


def _nature(gate: Any) -> tuple[bool, bool]:
    """(it is diagonal, it takes basis states to basis states but for phases: what is diagonal stays so)."""
    if gate.num_qubits > MAX_LOOKED_AT or not isinstance(gate, Gate):
        return False, False
    alone = QuantumCircuit(gate.num_qubits)
    alone.append(gate, range(gate.num_qubits))
    some = {each: 0.37 + 0.11 * place for place, each in enumerate(alone.parameters)}
    sizes = np.abs(Operator(alone.assign_parameters(some)).data) > SAME
    return bool((sizes == np.eye(len(sizes), dtype=bool)).all()), bool((sizes.sum(0) == 1).all())


def _turned(
    instructions: Iterable[CircuitInstruction], inputs: Sequence[str]
) -> Iterator[tuple[str, list[float], int]]:
    """(input, the differences that it brings, ascending, how often) of every angle that depends on one.

    Both branches of a condition count: more frequencies than there are cost nodes, and change no value.
    """
    for instruction in instructions:
        operation = instruction.operation
        if isinstance(operation, IfElseOp | SwitchCaseOp):
            for block in operation.blocks:
                yield from _turned(block.data, inputs)
        elif isinstance(operation, ForLoopOp):
            for name, values, times in _turned(operation.blocks[0].data, inputs):
                yield name, values, times * len(operation.params[0])
        elif operation.name not in WITHOUT_ANGLES:
            yield from _of_gate(instruction, inputs)


def _of_gate(instruction: CircuitInstruction, inputs: Sequence[str]) -> Iterator[tuple[str, list[float], int]]:
    alone = QuantumCircuit(len(instruction.qubits))
    operation = instruction.operation
    if instruction.clbits or getattr(operation, "blocks", ()):
        raise not_periodic(f"{operation.name} repeats, or computes with what is measured")
    alone.append(operation, range(len(instruction.qubits)))
    if not alone.parameters:
        return
    if alone.num_qubits > MAX_GATE_QUBITS:
        raise not_periodic(f"{operation.name} on {alone.num_qubits} qubits is not looked into")
    try:
        lowered = lower(alone, inputs)
    except Problem as problem:
        raise not_periodic(problem.title) from None
    for step in lowered.steps:
        if not isinstance(step, Phases):
            continue
        slopes = [_slopes(lowered.angles[number]) for number in step.angles]
        for name in sorted({name for each in slopes for name in each}):
            diagonal = np.array([each.get(name, 0.0) for each in slopes]) @ step.diagonals
            differences = diagonal - diagonal.min()
            _, first = np.unique(np.round(differences, 12), return_index=True)
            if len(first) > 1:
                yield name, differences[first[1:]].tolist(), 1


def _slopes(angle: float | ParameterExpression) -> dict[str, float]:
    if not isinstance(angle, ParameterExpression):
        return {}
    found = {}
    for parameter in angle.parameters:
        slope = angle.gradient(parameter)
        if isinstance(slope, ParameterExpression) and slope.parameters:
            raise not_periodic(f"the angle {angle} is not linear in {parameter.name}")
        found[parameter.name] = float(slope)
    return found


def _common(name: str, values: Iterable[float]) -> float:
    """The largest number of which all are multiples; 1 where there is none."""
    ordered = sorted(values)
    if not ordered:
        return 1.0
    least = ordered[0]
    ratios = [Fraction(value / least).limit_denominator(MAX_DENOMINATOR) for value in ordered]
    if any(abs(value / least - ratio) > SAME * ratio for value, ratio in zip(ordered, ratios, strict=True)):
        raise not_periodic(f"the angles of {name} turn by what has no common measure: {least:g} and {ordered[-1]:g}")
    below = math.lcm(*(ratio.denominator for ratio in ratios))
    above = math.gcd(*(int(ratio * below) for ratio in ratios))
    unit = least * above / below
    return float(round(unit)) if math.isclose(unit, round(unit), rel_tol=SAME) else unit


def not_periodic(why: str) -> Problem:
    """Where no finite trigonometric sum is the circuit."""
    title = f"This circuit is no finite trigonometric sum of its inputs: {why.rstrip('.')}."
    instead: list[dict[str, Any]] = [{"kind": "fourier", "frequencies": 2}, {"kind": "mlp", "hidden": [64]}]
    ways_out = [{"architecture": each} for each in instead]
    return Problem("not_periodic", title, pointer="/student/architecture", ways_out=ways_out)
