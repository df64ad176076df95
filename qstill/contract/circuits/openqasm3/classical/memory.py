"""Classical storage of a program while it is elaborated: what is known stays out of the steps, what is not goes there.

Inside a *region*, a branch or loop that measurements decide on, nothing may be concluded for what lies outside: what
a region may change is written into the steps before it, and read from there after it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from qstill.contract.circuits.openqasm3.classical.types import BOOL, Fault, Type
from qstill.contract.circuits.openqasm3.classical.values import Bits, Node, Slot, Value, calculate, converted, leaves
from qstill.contract.circuits.openqasm3.entities import Array, BitRegister, Entity, Variable
from qstill.contract.circuits.openqasm3.steps import Assign, Measure, Step


def settled(value: Value) -> bool:
    """Whether no measurement decides on it; inputs may."""
    return value.known or not any(isinstance(leaf, Bits | Slot) for leaf in leaves(value.data))


def _is_reading(value: Value) -> bool:
    """Whether it is bits, at most taken for a number: short enough to be written wherever the variable is named."""
    data = value.data
    return isinstance(data, Bits) or (
        isinstance(data, Node) and data.function == "cast" and isinstance(data.arguments[0], Bits)
    )


def _bits_in(value: Value) -> list[int]:
    return [place for leaf in leaves(value.data) if isinstance(leaf, Bits) for place in leaf.places]


class Memory:
    """The steps so far, and what is known at this point of the program."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.region = 0
        self.slots = 0
        self.hidden = 0  # bits that only a part of the program sees: -1, -2, …
        self.known: dict[int, int] = {}  # bits whose value no measurement decided
        self.pending: dict[int, int] = {}  # those of them that the steps do not yet say
        self.stored: set[int] = set()  # bits that some step has written
        self.views: list[Variable] = []  # whose values are bits as they are now: kept apart before these change

    @contextmanager
    def inside(self) -> Iterator[list[Step]]:
        """A region: its steps are collected apart."""
        outer, self.steps = self.steps, []
        self.region += 1
        try:
            yield self.steps
        finally:
            self.steps = outer
            self.region -= 1

    def declare_bits(self, places: Iterable[int]) -> None:
        for place in places:
            self.known[place] = 0

    def measure(self, qubits: Sequence[int], places: Sequence[int]) -> None:
        self._keep_views_of(places)
        for qubit, place in zip(qubits, places, strict=True):
            self.steps.append(Measure(qubit, place))
            self.known.pop(place, None)
            self.pending.pop(place, None)
            self.stored.add(place)

    def measured(self, qubits: Sequence[int], *, scalar: bool) -> Value:
        """The reading of qubits, in bits of its own."""
        places = tuple(range(-self.hidden - 1, -self.hidden - 1 - len(qubits), -1))
        self.hidden += len(qubits)
        self.measure(qubits, places)
        return Value(Type("bit", None if scalar else len(qubits)), Bits(places))

    def read(self, register: BitRegister) -> Value:
        places = register.places
        if all(place in self.known for place in places):
            return Value(register.type, sum(self.known[place] << index for index, place in enumerate(places)))
        self._store(places)
        return Value(register.type, Bits(places))

    def write(self, register: BitRegister, value: Value) -> None:
        value = converted(value, register.type)
        places = register.places
        self._keep_views_of(places)
        if value.known and not self.region:
            for index, place in enumerate(places):
                self.known[place] = self.pending[place] = value.data >> index & 1
            return
        for place in places:
            self.known.pop(place, None)
            self.pending.pop(place, None)
        self.stored.update(places)
        self.steps.append(Assign(places, None, value.data))

    def _store(self, places: Iterable[int]) -> None:
        """Have the steps say what is known of the bits; that they start in 0 need not be said."""
        for place in places:
            bit = self.pending.pop(place, None)
            if bit is not None and (bit or place in self.stored):
                self.steps.append(Assign((place,), None, bit))
                self.stored.add(place)

    def finish(self) -> None:
        self._store(sorted(self.pending))

    def declare(self, kind: Type, value: Value, *, constant: bool = False) -> Variable:
        variable = Variable(kind, Value(kind, 0), self.region, constant)
        self.assign(variable, value)
        return variable

    def assign(self, variable: Variable, value: Value) -> None:
        value = converted(value, variable.type)
        if self.region == variable.region and (settled(value) or _is_reading(value)):
            variable.value = value
            if not value.known:
                self.views.append(variable)
            return
        if variable.constant:
            raise Fault("a const has a value that no measurement decides")
        self._keep(variable, value)

    def _keep_views_of(self, places: Iterable[int]) -> None:
        """Before these bits change: variables that were given their values keep them."""
        changed = set(places)
        for variable in [view for view in self.views if not changed.isdisjoint(_bits_in(view.value))]:
            self.views.remove(variable)
            self._keep(variable, variable.value)

    def _keep(self, variable: Variable, value: Value) -> None:
        if variable.slot is None:
            variable.slot = self.slots
            self.slots += 1
        self.steps.append(Assign((), variable.slot, value.data))
        variable.value = Value(variable.type, Slot(variable.slot))

    def pin(self, entity: Entity | None) -> None:
        """Before a region that may change it: from here on it is read as the program runs."""
        if isinstance(entity, Variable):
            if not entity.constant and not (entity.slot is not None and entity.value.data == Slot(entity.slot)):
                self._keep(entity, entity.value)
        elif isinstance(entity, Array):
            for cell in entity.flat():
                self.pin(cell)
        elif isinstance(entity, BitRegister):
            self._store(entity.places)
            self._keep_views_of(entity.places)
            for place in entity.places:
                self.known.pop(place, None)

    def cleared(self, flag: Variable) -> Assign:
        return Assign((), flag.slot, False)

    def flag(self) -> Variable:
        """A truth value that is kept while the program runs; false at its start."""
        variable = Variable(BOOL, Value(BOOL, False), region=-1, slot=self.slots)
        self.slots += 1
        assert variable.slot is not None
        variable.value = Value(BOOL, Slot(variable.slot))
        return variable


def bit_of(value: Value, index: Value) -> Value:
    """One bit of an integer, an angle or a register's value."""
    width = value.type.bits
    if index.known:
        if not -width <= index.data < width:
            raise Fault(f"there is no bit {index.data}: {value.type} has {width}")
        index = Value(index.type, index.data % width)
    if isinstance(value.data, Bits) and index.known:
        return Value(Type("bit"), Bits((value.data.places[index.data],)))
    return calculate("bit", Type("bit"), value, index)


def with_bit(value: Value, index: Value, bit: Value) -> Value:
    """An integer, an angle or a register's value with one bit replaced."""
    if index.known and not -value.type.bits <= index.data < value.type.bits:
        raise Fault(f"there is no bit {index.data}: {value.type} has {value.type.bits}")
    if index.known:
        index = Value(index.type, index.data % value.type.bits)
    return calculate("with_bit", value.type, value, index, converted(bit, Type("bit")))


def joined(bits: Sequence[Value]) -> Value:
    """Single bits, lowest first, as one register's value."""
    kind = Type("bit", len(bits))
    if all(isinstance(bit.data, Bits) for bit in bits):
        return Value(kind, Bits(tuple(bit.data.places[0] for bit in bits)))
    return calculate("joined", kind, *bits)
