"""OpenQASM 2 (Cross, Bishop, Smolin, Gambetta 2017, arXiv:1707.03429), read in one pass.

Read as Qiskit reads it where the paper is silent: gates that Qiskit added to qelib1.inc are always known, a version and
inverse trigonometric functions may or may not be there. A gate that the program defines means its definition, under
whatever name, from its definition on.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations
from math import isfinite
from typing import TypeAlias

from qstill.contract.circuits.gates import MAX_CLBITS, MAX_QUBITS
from qstill.contract.circuits.openqasm2.expressions import read_expression, value_of
from qstill.contract.circuits.openqasm2.gates import Gates, Standard
from qstill.contract.circuits.openqasm2.program import (
    Barrier,
    Call,
    Condition,
    Measure,
    Operation,
    Program,
    Register,
    Reset,
    Statement,
)
from qstill.contract.circuits.openqasm2.tokens import KEYWORDS, MAX_DIGITS, Enough, Tokens
from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS, MAX_NESTING, SOURCE
from qstill.contract.errors import Problem

MAX_DOOR_TOKENS = 10_000  # some 40 kB, 25 ms on the event loop; what stands behind them is left to the worker
MAX_DOOR_CALLS = 2_000  # of gates inside definitions, whose angles are computed

# The most frequent statement by far: a gate on one or two qubits, its angles without brackets.
_PLAIN = re.compile(
    r"\s*+([a-z]\w*)(?:\(([-+*/.0-9a-z, ]{1,200})\))?\s+([a-z]\w*)\[([0-9]{1,4})\]"
    r"(?:\s*,\s*([a-z]\w*)\[([0-9]{1,4})\])?\s*;",
    re.ASCII,
)
_Operand: TypeAlias = tuple[Register, int | None]  # with its index, or whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """operations: every gate and broadcast written out. nesting: of brackets, and of definitions in one another."""

    qubits: int = MAX_QUBITS
    clbits: int = MAX_CLBITS
    operations: int = MAX_EXPANDED_OPERATIONS
    nesting: int = MAX_NESTING


def read_openqasm2(source: str, limits: Limits | None = None) -> Program:
    """The program. Raises `Problem` with line and column, its pointer at the source."""
    reader = _Reader(source, limits or Limits())
    reader.program()
    return reader.read


def check_openqasm2(source: str, limits: Limits | None = None) -> None:
    """Raise `Problem` for what is wrong with the first so many words of a source, in some milliseconds."""
    try:
        _Reader(source, limits or Limits(), door=True).program()
    except Enough:
        return


class _Reader:
    def __init__(self, source: str, limits: Limits, *, door: bool = False) -> None:
        """door: read no more than is read at the door, and write nothing down but registers."""
        self.tokens = Tokens(source, MAX_DOOR_TOKENS if door else None)
        self.limits = limits
        self.door = door
        self.read = Program()
        self.gates = Gates(
            self.tokens,
            most_operations=limits.operations,
            max_nesting=limits.nesting,
            most_calls=MAX_DOOR_CALLS if door else None,
        )
        self.registers: dict[str, Register] = {}
        self.size = 0

    def program(self) -> None:
        tokens = self.tokens
        if tokens.take("OPENQASM"):
            if tokens.kind not in ("real", "integer"):
                tokens.unexpected("a version")
            if tokens.text.partition(".")[0] != "2":
                tokens.refuse(f"this is OpenQASM {tokens.text[:9]}, not 2", code="qasm_version")
            tokens.advance()
            tokens.expect(";")
        while tokens.kind != "end":
            self._statement()
        if not self.read.qubits:
            raise Problem("no_qubits", "The program declares no qubit.", pointer=SOURCE)

    def _statement(self) -> None:
        tokens = self.tokens
        match tokens.text:
            case ";":
                tokens.advance()
            case "qreg" | "creg":
                self._register()
            case "gate" | "opaque":
                self.gates.define()
            case "include":
                self._include()
            case "if":
                self._conditional()
            case _:
                if not self._plain():
                    self._operations(None)

    def _plain(self) -> bool:
        """Read plain statements, each in one step, as long as they follow one another. False if there is none."""
        tokens, place = self.tokens, self.tokens.place
        read = 0
        while (found := _PLAIN.match(tokens.source, place)) and tokens.may_read(read) and self._plain_call(found):
            place = found.end()
            read += 1
        if read:
            tokens.jump(place, read)
        return read > 0

    def _plain_call(self, found: re.Match[str]) -> bool:
        """False for a statement that is not so plain, or not right: nothing is read of it."""
        name, written, first, first_index, second, second_index = found.groups()
        gate, known = self.gates.known.get(name), self.registers.get(first)
        parts = [] if written is None else written.split(",")
        if (
            not isinstance(gate, Standard)
            or gate.parameters != len(parts)
            or gate.qubits != (1 if second is None else 2)
        ):
            return False
        if known is None or not known.quantum or int(first_index) >= known.size:
            return False
        qubits: tuple[int, ...] = (known.first + int(first_index),)
        if second is not None:
            other = self.registers.get(second)
            if other is None or not other.quantum or int(second_index) >= other.size:
                return False
            qubits = (*qubits, other.first + int(second_index))
            if qubits[0] == qubits[1]:
                return False
        try:
            angles = tuple(map(_number, parts))
        except (ArithmeticError, ValueError, Problem):
            return False
        if self.size >= self.limits.operations:
            return False
        self.size += 1
        if not self.door:
            self.read.statements.append(Statement((Call(name, angles, qubits),)))
        return True

    def _include(self) -> None:
        tokens = self.tokens
        tokens.advance()
        if tokens.kind != "string":
            tokens.unexpected("a file's name in quotes")
        if tokens.text[1:-1] != "qelib1.inc":
            tokens.refuse('only "qelib1.inc" may be included', code="qasm_include")
        tokens.advance()
        tokens.expect(";")
        self.gates.include()

    def _register(self) -> None:
        tokens = self.tokens
        quantum = tokens.advance() == "qreg"
        place = tokens.place
        name = tokens.new_name("a register's name")
        if name in self.registers:
            tokens.refuse(f"'{name}' is already defined", place=place)
        tokens.expect("[")
        size = tokens.integer(beyond=10**MAX_DIGITS)
        registers, most = (self.read.qubits, self.limits.qubits) if quantum else (self.read.clbits, self.limits.clbits)
        first = registers[-1].first + registers[-1].size if registers else 0
        if first + size > most:
            kind = "qubit" if quantum else "bit"
            tokens.refuse(f"more than {most:,} {kind}s are declared", code=f"too_many_{kind}s", place=place)
        tokens.expect("]")
        tokens.expect(";")
        self.registers[name] = Register(name, first, size, quantum)
        registers.append(self.registers[name])

    def _conditional(self) -> None:
        tokens = self.tokens
        tokens.advance()
        tokens.expect("(")
        register = self._named(self.read.clbits)
        tokens.expect("==")
        if len(tokens.text) > self.limits.clbits:
            tokens.refuse("this number is too long")
        if tokens.kind != "integer":
            tokens.unexpected("an integer")
        value = int(tokens.advance())
        tokens.expect(")")
        if tokens.text == "barrier":
            tokens.refuse("a barrier has no condition")
        self._operations(Condition(self.read.clbits.index(register), value), never=value >> register.size > 0)

    def _operations(self, condition: Condition | None, *, never: bool = False) -> None:
        """A statement that does something. never: its register cannot hold what is asked for."""
        tokens = self.tokens
        place = tokens.place
        operations: Iterator[Operation]
        match tokens.text:
            case "measure":
                tokens.advance()
                source = self._operand(self.read.qubits)
                tokens.expect("->")
                target = self._operand(self.read.clbits)
                if (source[1] is None) != (target[1] is None) or _width(source) != _width(target):
                    tokens.refuse("a measurement has as many bits as qubits", place=place)
                self._count(_width(source), place)
                operations = map(Measure, _numbers(source), _numbers(target))
            case "reset":
                tokens.advance()
                given = self._operand(self.read.qubits)
                self._count(_width(given), place)
                operations = map(Reset, _numbers(given))
            case "barrier":
                tokens.advance()
                several = self._operands()
                self._count(sum(map(_width, several)), place)
                operations = (Barrier(tuple(numbers)) for numbers in [_all(several)] if numbers)
            case _:
                operations = self._gate_calls(place)
        tokens.expect(";")
        if not self.door and not never and (written := tuple(operations)):
            self.read.statements.append(Statement(written, condition))

    def _gate_calls(self, place: int) -> Iterator[Operation]:
        """A gate on qubits, or on each place of whole registers of one size."""
        tokens = self.tokens
        gate, expressions = self.gates.called({})
        operands = self._operands()
        angles = self.gates.values(expressions, (), place)
        widths = {_width(operand) for operand in operands if operand[1] is None}
        if len(widths) > 1:
            tokens.refuse("registers of one statement have one size", place=place)
        wide = widths.pop() if widths else 1
        self._count(gate.size * wide, place)
        if len(operands) != gate.qubits:
            tokens.refuse(f"'{gate.name}' acts on {gate.qubits} qubits, not {len(operands)}", place=place)
        if any(_overlap(one, other) for one, other in combinations(operands, 2)):
            tokens.refuse(f"'{gate.name}' is given a qubit twice", place=place)
        name = gate.name if isinstance(gate, Standard) else self.gates.bound(gate, angles, place)
        return map(partial(Call, name, angles), zip(*(_spread(operand, wide) for operand in operands), strict=True))

    def _operands(self) -> list[_Operand]:
        tokens = self.tokens
        found: list[_Operand] = []
        while tokens.text != ";":
            found.append(self._operand(self.read.qubits))
            if not tokens.take(","):
                break
        return found

    def _operand(self, registers: list[Register]) -> _Operand:
        register = self._named(registers)
        tokens = self.tokens
        if not tokens.take("["):
            return register, None
        place = tokens.place
        index = tokens.integer()
        if index >= register.size:
            tokens.refuse(f"index {index} is out of range: '{register.name}' has {register.size}", place=place)
        tokens.expect("]")
        return register, index

    def _named(self, registers: list[Register]) -> Register:
        """The register that is named next, quantum or classical as those are."""
        tokens = self.tokens
        quantum = registers is self.read.qubits
        what = "a quantum register" if quantum else "a classical register"
        register = self.registers.get(tokens.text)
        if register is None and tokens.kind == "name" and tokens.text not in KEYWORDS:
            tokens.refuse(f"'{tokens.text[:40]}' is not defined")
        if register is None or register.quantum != quantum:
            tokens.unexpected(what)
        tokens.advance()
        return register

    def _count(self, operations: int, place: int) -> None:
        self.size += max(1, operations)
        if self.size > self.limits.operations:
            message = (
                f"more than {self.limits.operations:,} operations, counting what gate definitions and whole registers "
                "stand for"
            )
            self.tokens.refuse(message, code="too_many_operations", place=place)


@lru_cache(4096)
def _number(written: str) -> float:
    """Raises ArithmeticError, ValueError or `Problem` where an angle is none."""
    with suppress(ValueError):
        if isfinite(number := float(written)):
            return number
    tokens = Tokens(written + ")", None)
    value = value_of(read_expression(tokens, {}, max_nesting=1), ())
    tokens.expect(")")
    return value


def _width(operand: _Operand) -> int:
    return operand[0].size if operand[1] is None else 1


def _all(operands: Sequence[_Operand]) -> dict[int, None]:
    """The qubits of several operands, each once."""
    return dict.fromkeys(number for operand in operands for number in _numbers(operand))


def _overlap(one: _Operand, other: _Operand) -> bool:
    """Whether a broadcast over both names a qubit twice."""
    return one[0] == other[0] and (one[1] == other[1] or one[1] is None or other[1] is None)


def _spread(operand: _Operand, width: int) -> Sequence[int]:
    """The operand at each place of a broadcast."""
    numbers = _numbers(operand)
    return numbers if operand[1] is None else [*numbers] * width


def _numbers(operand: _Operand) -> range:
    register, index = operand
    if index is None:
        return range(register.first, register.first + register.size)
    return range(register.first + index, register.first + index + 1)
