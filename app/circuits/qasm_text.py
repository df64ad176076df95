"""OpenQASM judged by its text: sizes, nesting, loops and includes, before any parser runs.

The parsers take seconds and gigabytes, or abort the interpreter, on the inputs refused here.
"""

import re
from typing import NoReturn

from app.circuits.gates import MAX_CLBITS, MAX_QUBITS
from app.errors import Problem

MAX_EXPANDED_OPERATIONS = 200_000  # 20 gate definitions, each doubling, are 519 bytes of source and run for minutes
MAX_NESTING = 64  # 20,000 parentheses keep the reference parser busy for 27 s before it gives up
MAX_LOOP_ITERATIONS = 100_000  # a loop of 10^8 is one line of source

SOURCE = "/circuit/source"

_COMMENT_OR_STRING = re.compile(r"""//[^\r\n]*|/\*.*?\*/|/\*|"[^"\r\n\t]*"|'[^'\r\n\t]*'""", re.DOTALL)
_STRING = re.compile(r"""("[^"\r\n\t]*"|'[^'\r\n\t]*')""")
_NOT_A_LINE_END = re.compile(r"[^\r\n]")
_INTEGER = r"0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*"
_REGISTER = re.compile(
    rf"\b(?:(?P<kind>qubit|bit)\s*\[\s*(?P<size>{_INTEGER})\s*\]"
    rf"|(?P<old_kind>qreg|creg)\s+\w+\s*\[\s*(?P<old_size>{_INTEGER})\s*\]|(?P<single>qubit|bit)\b(?!\s*\[))"
)
_HARDWARE_QUBIT = re.compile(r"\$([0-9]+)")
_RANGE_LOOP = re.compile(
    rf"\bin\s*\[\s*(?P<start>-?\s*(?:{_INTEGER}))\s*:\s*(?:(?P<step>-?\s*(?:{_INTEGER}))\s*:\s*)?"
    rf"(?P<stop>-?\s*(?:{_INTEGER}))\s*\]"
)
INCLUDE = re.compile(r"""\binclude\s*["']([^"'\r\n]*)["']""")
VERSION = re.compile(r"\bOPENQASM\s+([0-9]+)")
_UNARY_CHAIN = re.compile(rf"(?:[-+~!]\s*+){{{MAX_NESTING},}}")
_BRANCH = re.compile(r"\b(?:if|while|for)\b|[;{}]")


def check_openqasm3(
    source: str,
    *,
    max_qubits: int = MAX_QUBITS,
    max_clbits: int = MAX_CLBITS,
    max_nesting: int = MAX_NESTING,
    max_loop_iterations: int = MAX_LOOP_ITERATIONS,
) -> None:
    """Judge OpenQASM 3 by its text, in a few milliseconds per 100 kB. Raises `Problem`, its pointer at the source."""
    text = without_comments(source)
    for include in INCLUDE.finditer(text):
        if include[1] != "stdgates.inc":
            refuse(text, include.start(), "qasm_include", 'Only "stdgates.inc" may be included.')
    text = without_strings(text)
    if (version := VERSION.search(text)) and version[1] != "3":
        refuse(text, version.start(), "qasm_version", f"This is OpenQASM {version[1]}, not 3.")
    check_registers(text, max_qubits=max_qubits, max_clbits=max_clbits)
    check_nesting(text, max_nesting)
    for loop in _RANGE_LOOP.finditer(text):
        start, stop, step = (integer(loop[part] or "1") for part in ("start", "stop", "step"))
        if step and abs(stop - start) // abs(step) + 1 > max_loop_iterations:
            message = f"A loop may have {max_loop_iterations:,} iterations."
            refuse(text, loop.start(), "qasm_loop_too_long", message)


def without_comments(source: str) -> str:
    """The source with every comment blanked out; lines, columns and strings stay where they were."""

    def blank_comment(match: re.Match[str]) -> str:
        if match[0] == "/*":
            refuse(source, match.start(), "qasm_invalid", "A comment is not closed.")
        return match[0] if match[0][0] in "\"'" else _blank(match)

    return _COMMENT_OR_STRING.sub(blank_comment, source)


def without_strings(text: str) -> str:
    """The text with every string blanked out, as `without_comments` does with comments."""
    return _STRING.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    return _NOT_A_LINE_END.sub(" ", match[0])


def check_registers(text: str, *, max_qubits: int, max_clbits: int) -> None:
    """Refuse registers that are too large, one by one or together."""
    total = {"qubit": 0, "bit": 0}
    limit = {"qubit": max_qubits, "bit": max_clbits}
    for register in _REGISTER.finditer(text):
        kind = register["kind"] or register["single"] or {"qreg": "qubit", "creg": "bit"}[register["old_kind"]]
        total[kind] += integer(register["size"] or register["old_size"] or "1")
        if total[kind] > limit[kind]:
            message = f"More than {limit[kind]:,} {kind}s are declared."
            refuse(text, register.start(), f"too_many_{kind}s", message)
    for qubit in _HARDWARE_QUBIT.finditer(text):
        if integer(qubit[1]) >= max_qubits:
            refuse(text, qubit.start(), "too_many_qubits", f"Hardware qubits are numbered below {max_qubits:,}.")


def check_nesting(text: str, max_nesting: int) -> None:
    """Refuse what would exhaust a recursive parser: brackets, signs and branches one in another."""
    depth = 0
    for bracket in re.finditer(r"[()\[\]{}]", text):
        depth += 1 if bracket[0] in "([{" else -1
        if depth > max_nesting:
            refuse(text, bracket.start(), "qasm_too_deep", f"Brackets are nested more than {max_nesting} deep.")
    if chain := _UNARY_CHAIN.search(text):
        refuse(text, chain.start(), "qasm_too_deep", f"More than {max_nesting} operators precede one operand.")
    depth = 0
    for word in _BRANCH.finditer(text):
        depth = depth + 1 if word[0].isalpha() else 0
        if depth > max_nesting:
            refuse(text, word.start(), "qasm_too_deep", f"Statements are nested more than {max_nesting} deep.")


def integer(digits: str) -> int:
    """The value of an OpenQASM integer literal; one too long to be meant is 10^18."""
    digits = re.sub(r"[\s_]", "", digits)
    if len(digits) > 18:
        return 10**18
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
    return sign * (int(digits, 0) if digits[:2].lower() in ("0x", "0o", "0b") else int(digits))


def refuse(text: str, position: int, code: str, message: str) -> NoReturn:
    """Raise `Problem` with the line and column of the position."""
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    raise Problem(code, f"Line {line}, column {column}: {message}", pointer=SOURCE)
