"""Measurements straight into the bits that their readings are copied to.

`c = f(q);` of a subroutine that measures leaves a measurement into a bit of its own and a copy of it. Where nothing
else reads that bit, the measurement may write `c` itself: then no engine has to carry a variable.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from qstill.contract.circuits.openqasm3.classical.values import Bits, leaves
from qstill.contract.circuits.openqasm3.steps import Assign, Gate, If, Measure, Step, While


def measured_directly(steps: Sequence[Step]) -> list[Step]:
    """The same steps with such copies left out."""
    return _direct(steps, Counter(place for place in _read(steps) if place < 0))


def _direct(steps: Sequence[Step], readers: Counter[int]) -> list[Step]:
    kept: list[Step | None] = []
    for step in steps:
        match step:
            case If():
                kept.append(If(step.condition, _direct(step.then, readers), _direct(step.otherwise, readers)))
            case While():
                kept.append(While(step.condition, _direct(step.body, readers)))
            case Assign(bits=bits, data=Bits(places=places)) if bits and _moved(kept, places, bits, readers):
                continue
            case _:
                kept.append(step)
    return [step for step in kept if step is not None]


def _moved(before: list[Step | None], places: tuple[int, ...], bits: tuple[int, ...], readers: Counter[int]) -> bool:
    """Redirect the measurements of `places` to `bits` where that changes nothing else."""
    if any(place >= 0 or readers[place] != 1 for place in places) or len(set(places)) != len(places):
        return False
    targets = dict(zip(places, bits, strict=True))
    found: dict[int, int] = {}
    for position in reversed(range(len(before))):
        step = before[position]
        if isinstance(step, Measure) and step.bit in targets:
            found[position] = targets[step.bit]
            if len(found) == len(targets):
                break
        elif step is not None and _touches(step, set(bits)):
            return False
    if len(found) != len(targets):
        return False
    for position, bit in found.items():
        measurement = before[position]
        assert isinstance(measurement, Measure)
        before[position] = Measure(measurement.qubit, bit)
    return True


def _touches(step: Step, bits: set[int]) -> bool:
    return not bits.isdisjoint(_read([step])) or not bits.isdisjoint(_written(step))


def _read(steps: Sequence[Step]) -> Iterator[int]:
    for step in steps:
        match step:
            case Assign():
                yield from _in(step.data)
            case Gate():
                for angle in step.angles:
                    yield from _in(angle)
            case If():
                yield from _in(step.condition)
                yield from _read([*step.then, *step.otherwise])
            case While():
                yield from _in(step.condition)
                yield from _read(step.body)


def _in(data: Any) -> Iterator[int]:
    for leaf in leaves(data):
        if isinstance(leaf, Bits):
            yield from leaf.places


def _written(step: Step) -> Iterator[int]:
    match step:
        case Measure():
            yield step.bit
        case Assign():
            yield from step.bits
        case If():
            for inner in [*step.then, *step.otherwise]:
                yield from _written(inner)
        case While():
            for inner in step.body:
                yield from _written(inner)
