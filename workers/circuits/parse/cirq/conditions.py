"""Conditions on measured keys: Cirq's own and sympy's, as what a circuit of Qiskit tests.

A key is an integer whose high bit is the first qubit measured. Expressions are read by a table into the values of the
bits for which they hold; nothing is handed to sympy.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, TypeAlias

from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr

from qstill.contract.errors import Problem
from workers.circuits.parse.cirq.expressions import Find, KeyValues, collect, value_of
from workers.circuits.parse.cirq.json_fields import Object, field, type_of, unsupported

MAX_CONDITION_BITS = 10  # of an expression, which is evaluated for all their 1,024 values

Bits = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """Whether bits have these values, or, where `negated`, whether any has not. Without bits: always, or never."""

    values: Mapping[Clbit, int]
    negated: bool = False


Tested: TypeAlias = Test | Any  # Any: an `expr.Expr` of Qiskit


def read_condition(condition: Object, path: str, find: Find) -> Tested:
    """What the condition tests. Raises `Problem`."""
    kind = type_of(condition, path)
    if kind == "KeyCondition":
        return _compared(_register(condition, path, find), 0, equal=False)
    if kind == "BitMaskKeyCondition":
        return _masked(condition, path, find)
    if kind != "SympyCondition":
        unsupported(condition, path)
    return _expression(field(condition, "expr", dict, path), f"{path}/expr", find)


def enter(circuit: QuantumCircuit, tested: Tested, stack: ExitStack) -> bool:
    """Open a block that runs where the condition holds. False if it never does."""
    if isinstance(tested, expr.Expr):
        stack.enter_context(circuit.if_test(tested))
    elif not tested.values:
        return not tested.negated
    elif (bit := _as_bit(tested)) is not None:
        stack.enter_context(circuit.if_test(bit))
    elif (whole := _as_register(circuit, tested)) is not None:
        if tested.negated:
            with circuit.if_test(whole) as otherwise:
                pass
            stack.enter_context(otherwise)
        else:
            stack.enter_context(circuit.if_test(whole))
    elif tested.negated:
        stack.enter_context(circuit.if_test(_not_all(tested.values)))
    else:
        for clbit, value in tested.values.items():
            stack.enter_context(circuit.if_test((clbit, value)))
    return True


def until(circuit: QuantumCircuit, tested: Tested, path: str) -> Any:
    """The condition of a `while` that ends where the condition holds; None if it always does. Raises `Problem`."""
    if isinstance(tested, expr.Expr):
        return expr.logic_not(tested)
    if not tested.values:
        if tested.negated:
            raise Problem("cirq_invalid", "The condition never holds, and the loop never ends.", pointer=path)
        return None
    opposite = Test(tested.values, negated=not tested.negated)
    if (bit := _as_bit(opposite)) is not None:
        return bit
    if not opposite.negated and (whole := _as_register(circuit, opposite)) is not None:
        return whole
    return _not_all(opposite.values) if opposite.negated else expr.logic_not(_not_all(opposite.values))


def _as_bit(tested: Test) -> tuple[Clbit, int] | None:
    if len(tested.values) != 1:
        return None
    [(clbit, value)] = tested.values.items()
    return clbit, 1 - value if tested.negated else value


def _as_register(circuit: QuantumCircuit, tested: Test) -> tuple[ClassicalRegister, int] | None:
    """The register that the bits are, and its value."""
    for register in circuit.cregs:
        if len(register) == len(tested.values) and set(register) == set(tested.values):
            return register, sum(tested.values[clbit] << place for place, clbit in enumerate(register))
    return None


def _not_all(values: Mapping[Clbit, int]) -> Any:
    differ: list[Any] = [expr.logic_not(clbit) if value else expr.lift(clbit) for clbit, value in values.items()]
    found = differ[0]
    for other in differ[1:]:
        found = expr.logic_or(found, other)
    return found


def _register(condition: Object, path: str, find: Find) -> ClassicalRegister:
    key = field(condition, "key", dict, path)
    parts = field(key, "path", list, f"{path}/key")
    if not all(isinstance(part, str) for part in parts):
        raise Problem("cirq_invalid", "The path of a key is a list of names.", pointer=f"{path}/key/path")
    index = condition.get("index", -1)
    if not isinstance(index, int) or isinstance(index, bool):
        raise Problem("cirq_invalid", "`index` must be an integer.", pointer=f"{path}/index")
    return find(":".join([*parts, field(key, "name", str, f"{path}/key")]), index, f"{path}/key")


def _compared(register: ClassicalRegister, value: int, *, equal: bool, mask: int | None = None) -> Test:
    """Whether a key, as far as a mask lets it be seen, is a value, or is not."""
    size = len(register)
    mask = (1 << size) - 1 if mask is None else mask
    seen = {clbit: place for place, clbit in zip(reversed(range(size)), register, strict=True) if mask >> place & 1}
    if value < 0 or value & ~sum(1 << place for place in seen.values()):
        return Test({}, negated=equal)  # no key is ever that
    return Test({clbit: value >> place & 1 for clbit, place in seen.items()}, negated=not equal)


def _masked(condition: Object, path: str, find: Find) -> Test:
    mask, value = condition.get("bitmask"), condition.get("target_value", 0)
    for name, number in (("bitmask", mask), ("target_value", value)):
        if (not isinstance(number, int) or isinstance(number, bool)) and (name, number) != ("bitmask", None):
            raise Problem("cirq_invalid", f"`{name}` must be an integer.", pointer=f"{path}/{name}")
    return _compared(_register(condition, path, find), value, equal=condition.get("equal_target") is True, mask=mask)


def _expression(tree: Object, path: str, find: Find) -> Tested:
    """An expression over keys by what it is for each of their values."""
    if (simple := _simple(tree, path, find)) is not None:
        return simple
    registers: dict[str, ClassicalRegister] = {}
    clbits: dict[Clbit, None] = {}
    collect(tree, path, find, registers, clbits)
    if len(clbits) > MAX_CONDITION_BITS:
        message = f"An expression reads up to {MAX_CONDITION_BITS} bits, not {len(clbits)}."
        raise Problem("cirq_unsupported", message, pointer=path)
    table = {}
    for values in product((0, 1), repeat=len(clbits)):
        read = dict(zip(clbits, values, strict=True))
        table[values] = bool(value_of(tree, path, KeyValues(registers, read)))
    return _smallest(list(clbits), table)


def _simple(tree: Object, path: str, find: Find) -> Test | None:
    """A key of any size that is, or is not, an integer."""
    kind = type_of(tree, path)
    args = tree.get("args")
    if kind not in ("sympy.Equality", "sympy.Unequality") or not isinstance(args, list) or len(args) != 2:
        return None
    first, second = (arg if isinstance(arg, dict) else {} for arg in args)
    value = second.get("i")
    if (first.get("cirq_type"), second.get("cirq_type")) != ("sympy.Symbol", "sympy.Integer"):
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Problem("cirq_invalid", "`i` must be an integer.", pointer=f"{path}/args/1/i")
    register = find(field(first, "name", str, f"{path}/args/0"), -1, f"{path}/args/0")
    return _compared(register, value, equal=kind == "sympy.Equality")


def _smallest(clbits: list[Clbit], table: Mapping[Bits, bool]) -> Tested:
    """A test of some bits where that is all, otherwise an expression."""
    for negated in (False, True):
        if (cube := _cube([values for values, holds in table.items() if holds is not negated], clbits)) is not None:
            return Test(cube, negated=negated)
    return _decided(clbits, [table[values] for values in product((0, 1), repeat=len(clbits))])


def _cube(held: list[Bits], clbits: list[Clbit]) -> dict[Clbit, int] | None:
    """The values that some bits must have, where the others may have any."""
    if not held:
        return None
    fixed = {
        place: held[0][place]
        for place in range(len(clbits))
        if all(before[place] == after[place] for before, after in pairwise(held))
    }
    if len(held) != 1 << (len(clbits) - len(fixed)):
        return None
    return {clbits[place]: value for place, value in fixed.items()}


def _decided(clbits: list[Clbit], column: list[bool]) -> Any:
    """An expression that is true where the column is: its first half where the first bit reads 0."""
    first, rest = clbits[0], clbits[1:]
    low, high = column[: len(column) // 2], column[len(column) // 2 :]
    if low == high:
        return _decided(rest, low)
    bit = expr.lift(first)
    if not any(low):
        return bit if all(high) else expr.logic_and(bit, _decided(rest, high))
    if not any(high):
        return expr.logic_not(bit) if all(low) else expr.logic_and(expr.logic_not(bit), _decided(rest, low))
    if all(high):
        return expr.logic_or(bit, _decided(rest, low))
    if all(low):
        return expr.logic_or(expr.logic_not(bit), _decided(rest, high))
    return expr.logic_or(
        expr.logic_and(bit, _decided(rest, high)), expr.logic_and(expr.logic_not(bit), _decided(rest, low))
    )
