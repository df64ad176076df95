"""Which trigonometric sum a circuit is, as a function of its inputs (Schuld and others 2021, arXiv:2008.08605).

An angle θ that turns by a diagonal d gives the state factors exp(-iθd), so expectation values have frequencies in θ
that are differences of d's values. Where all angles are linear in an input, its frequencies are sums of such
differences, one from each angle. Their greatest common measure is the unit, and the sum of the largest differences the
highest.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ForLoopOp, IfElseOp, ParameterExpression, SwitchCaseOp

from qstill.contract.errors import Problem
from workers.quantum.lower import lower
from workers.quantum.operations import Phases

MAX_DENOMINATOR = 64  # of the ratio of two slopes, which are taken for incommensurable beyond
MAX_GATE_QUBITS = 16  # of one gate with an input in it: each of its angles is 2^n numbers here
SAME = 1e-9  # relative difference of numbers that are one
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


def frequencies_of(circuit: QuantumCircuit, inputs: Sequence[str]) -> Frequencies:
    """Sufficient for every observable; some of the frequencies may have no part in it.

    Raises Problem not_periodic.
    """
    place = {name: number for number, name in enumerate(inputs)}
    differences: list[list[float]] = [[] for _ in inputs]
    totals = [0.0] * len(inputs)
    for name, values, times in _turned(circuit, inputs):
        differences[place[name]] += values
        totals[place[name]] += values[-1] * times
    units = [_common(name, found) for name, found in zip(inputs, differences, strict=True)]
    return Frequencies(
        tuple(round(total / unit) for total, unit in zip(totals, units, strict=True)),
        tuple(units),
    )


def _turned(circuit: QuantumCircuit, inputs: Sequence[str]) -> Iterator[tuple[str, list[float], int]]:
    """(input, the differences that it brings, ascending, how often) of every angle that depends on one.

    Both branches of a condition count: more frequencies than there are cost nodes, and change no value.
    """
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, IfElseOp | SwitchCaseOp):
            for block in operation.blocks:
                yield from _turned(block, inputs)
        elif isinstance(operation, ForLoopOp):
            for name, values, times in _turned(operation.blocks[0], inputs):
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
