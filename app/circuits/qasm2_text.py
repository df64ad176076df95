"""OpenQASM 2 judged by its text: what its gate definitions and broadcasts expand to, and what aborts its parser."""

import re
from dataclasses import dataclass, field

from app.circuits.gates import MAX_CLBITS, MAX_QUBITS
from app.circuits.qasm_text import (
    INCLUDE,
    MAX_EXPANDED_OPERATIONS,
    MAX_NESTING,
    VERSION,
    check_nesting,
    check_registers,
    integer,
    refuse,
    without_comments,
    without_strings,
)

MAX_OPERATORS = 256  # 2^2^2^... of one line recurses once for every operator, and overflows the parser's stack
MAX_INTEGER_DIGITS = 18  # the parser panics beyond 64 bits
MAX_CONDITION_DIGITS = 1_234  # 2^4096, the largest value that a register holds

_OPAQUE = re.compile(r"\bopaque\b")
_EXPRESSION = re.compile(r"[^;,{}]+")
_OPERATOR = re.compile(r"[-+*/^]")
_LONG_INTEGER = re.compile(rf"\[\s*[0-9]{{{MAX_INTEGER_DIGITS + 1},}}|\bOPENQASM\b[\s0-9.]*[0-9]{{4,}}")
_LONG_CONDITION = re.compile(rf"==\s*[0-9]{{{MAX_CONDITION_DIGITS + 1},}}")
_PIECE = re.compile(r"([^;{}]*+)([;{}]|\Z)")  # one that could fail would be tried again from every character
_CONDITION = re.compile(r"\s*if\s*\([^()]*\)")
_NAME = re.compile(r"\s*([A-Za-z_]\w*)")
_GATE = re.compile(r"\s*gate\s+([A-Za-z_]\w*)")
_REGISTER = re.compile(r"\s*[qc]reg\s+(\w+)\s*\[\s*([0-9]+)")
_PARAMETERS = re.compile(r"\(.*\)", re.DOTALL)


def check_openqasm2(
    source: str,
    *,
    max_qubits: int = MAX_QUBITS,
    max_clbits: int = MAX_CLBITS,
    max_operations: int = MAX_EXPANDED_OPERATIONS,
    max_nesting: int = MAX_NESTING,
) -> None:
    """Judge OpenQASM 2 by its text, in a few milliseconds per 100 kB. Raises `Problem`, its pointer at the source."""
    text = without_comments(source)
    for include in INCLUDE.finditer(text):
        if include[1] != "qelib1.inc":
            refuse(text, include.start(), "qasm_include", 'Only "qelib1.inc" may be included.')
    text = without_strings(text)
    if (version := VERSION.search(text)) and version[1] != "2":
        refuse(text, version.start(), "qasm_version", f"This is OpenQASM {version[1][:9]}, not 2.")
    if opaque := _OPAQUE.search(text):
        refuse(text, opaque.start(), "qasm_unsupported", "An opaque gate has no definition to simulate.")
    check_registers(text, max_qubits=max_qubits, max_clbits=max_clbits)
    check_nesting(text, max_nesting)
    for long in (_LONG_INTEGER.search(text), _LONG_CONDITION.search(text)):
        if long:
            refuse(text, long.start(), "qasm_invalid", "This number is too long.")
    for expression in _EXPRESSION.finditer(text):
        if len(expression[0]) > MAX_OPERATORS and len(_OPERATOR.findall(expression[0])) > MAX_OPERATORS:
            message = f"An expression has more than {MAX_OPERATORS} operators."
            refuse(text, expression.start(), "qasm_too_deep", message)
    _check_expansion(text, max_operations=max_operations, max_nesting=max_nesting)


@dataclass(slots=True)
class _Definition:
    size: int = 0  # operations, every gate written out; counted no further than one beyond the limit
    depth: int = 1  # definitions one in another


@dataclass(slots=True)
class _Program:
    gates: dict[str, _Definition] = field(default_factory=dict)
    registers: dict[str, int] = field(default_factory=dict)
    size: int = 0


def _check_expansion(text: str, *, max_operations: int, max_nesting: int) -> None:
    """Count operations as if definitions and broadcasts were written out. What does not parse counts as one."""
    program = _Program()
    cap = max_operations + 1
    inside: _Definition | None = None
    for piece in _PIECE.finditer(text):
        words, end = piece[1], piece[2]
        if end == "{":
            inside = _Definition()
            gate = _GATE.match(words)
            defined = gate[1] if gate else ""
        elif end == "}":
            if inside is not None:
                inside.size = max(1, inside.size)
                program.gates[defined] = inside
            inside = None
        elif inside is not None:
            used = program.gates.get(_name(words))
            inside.size = min(cap, inside.size + (used.size if used else 1))
            inside.depth = max(inside.depth, 1 + (used.depth if used else 0))
            if inside.depth > max_nesting:
                message = f"Gate definitions use one another more than {max_nesting} deep."
                refuse(text, piece.start(2), "qasm_too_deep", message)
        else:
            program.size += _size_of_statement(program, words)
            if program.size > max_operations:
                message = (
                    f"More than {max_operations:,} operations, counting what gate definitions and whole registers "
                    "stand for."
                )
                refuse(text, piece.start(2), "too_many_operations", message)


def _size_of_statement(program: _Program, words: str) -> int:
    if register := _REGISTER.match(words):
        program.registers[register[1]] = integer(register[2])
        return 0
    if condition := _CONDITION.match(words):
        words = words[condition.end() :]
    name = _NAME.match(words)
    if name is None:
        return 1
    used = program.gates.get(name[1])
    operands = _PARAMETERS.sub("", words[name.end() :]).replace("->", ",")
    broadcast = max((program.registers.get(operand.strip(), 1) for operand in operands.split(",")), default=1)
    return (used.size if used else 1) * max(1, broadcast)


def _name(words: str) -> str:
    name = _NAME.match(words)
    return name[1] if name else ""
