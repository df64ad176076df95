"""`pauliexp` as IonQ compiles it: one first-order step, the terms in the order listed. Pure.

pennylane-ionq's tests against IonQ's service show it: sums of terms that do not commute agree with `TrotterProduct` of
one step, and not with the exponential of the sum. Terms that commute stay in one gate, which is the same and cheaper.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from qstill.contract.circuits.formats import MAX_OPERATIONS, JsonCircuit
from qstill.contract.circuits.gates import Operation
from qstill.contract.errors import Problem


def first_order(circuit: JsonCircuit, pointer: str) -> JsonCircuit:
    """The circuit with every sum of Pauli terms as a product of sums whose terms commute.

    pointer: of the circuit's operations. Raises Problem (too_many_operations).
    """
    ends = [list(_ends(operation.terms or ())) for operation in circuit.operations]
    if max(map(len, ends), default=0) < 2:
        return circuit
    if sum(map(len, ends)) > MAX_OPERATIONS:
        title = f"The circuit has more than {MAX_OPERATIONS:,} operations, counting the factors of every pauliexp."
        raise Problem("too_many_operations", title, pointer=pointer)
    split = zip(circuit.operations, ends, strict=True)
    factors = [each for operation, stops in split for each in _cut(operation, stops)]
    return circuit.model_copy(update={"operations": factors})


def _cut(operation: Operation, stops: Sequence[int]) -> Iterator[Operation]:
    if len(stops) == 1:
        yield operation
        return
    terms, coefficients = operation.terms or [], operation.coefficients or []
    for start, stop in pairwise([0, *stops]):
        yield operation.model_copy(update={"terms": terms[start:stop], "coefficients": coefficients[start:stop]})


def _ends(terms: Sequence[str]) -> Iterator[int]:
    """Where each run of terms that all commute ends."""
    run: list[tuple[int, int]] = []
    for place, term in enumerate(terms):
        own = _bits(term, "XY"), _bits(term, "YZ")
        if not all(_commute(own, other) for other in run):
            yield place
            run = []
        run.append(own)
    yield len(terms)


def _bits(term: str, letters: str) -> int:
    return int("".join("1" if letter in letters else "0" for letter in term), 2)


def _commute(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether Pauli strings, as bits (x, z), differ without either being I in an even number of places."""
    return ((one[0] & other[1]).bit_count() + (one[1] & other[0]).bit_count()) % 2 == 0
