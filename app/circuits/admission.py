"""What is refused at the door: circuits that no simulator here can hold, and sources that would choke a parser.

Nothing is parsed or simulated. A source is judged by its text, because the parsers take seconds and gigabytes, or
abort the interpreter, on the inputs refused here. Text that passes is still parsed in a child that may be killed.
"""

import re
from typing import NoReturn

from app.circuits.schemas import MAX_CLBITS, MAX_QUBITS, CircuitJob, JsonCircuit, OpenQasm3Circuit
from app.errors import Problem

BYTES_PER_AMPLITUDE = 16  # a complex number of two doubles
MAX_EXPANDED_OPERATIONS = 200_000  # 20 gate definitions, each doubling, are 519 bytes of source and run for minutes
MAX_NESTING = 64  # 20,000 parentheses keep the reference parser busy for 27 s before it gives up
MAX_LOOP_ITERATIONS = 100_000  # a loop of 10^8 is one line of source
MAX_HISTOGRAM_CHARACTERS = 400_000_000  # 10^7 shots of a register of 4,096 bits would be 40 GB of keys

SOURCE = "/circuit/source"

_INERT = {"measure", "reset", "barrier", "nop"}  # on a qubit still in 0 they leave it there
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
_INCLUDE = re.compile(r"""\binclude\s*["']([^"'\r\n]*)["']""")
_OPAQUE = re.compile(r"\b(?:pragma|cal|defcal|defcalgrammar|extern)\b|@\w")  # their text follows other lexical rules
_VERSION = re.compile(r"\bOPENQASM\s+([0-9]+)")
_UNARY_CHAIN = re.compile(rf"(?:[-~!]\s*){{{MAX_NESTING},}}")
_BRANCH = re.compile(r"\b(?:if|while|for)\b|[;{}]")


def admit(
    job: CircuitJob,
    *,
    memory_available: int,
    max_qubits: int = MAX_QUBITS,
    max_clbits: int = MAX_CLBITS,
    max_operations: int = MAX_EXPANDED_OPERATIONS,
    max_nesting: int = MAX_NESTING,
    max_loop_iterations: int = MAX_LOOP_ITERATIONS,
) -> None:
    """Raise `Problem` where the job cannot succeed. memory_available: bytes that one circuit may use."""
    if isinstance(job.circuit, OpenQasm3Circuit):
        check_source(
            job.circuit.source,
            max_qubits=max_qubits,
            max_clbits=max_clbits,
            max_nesting=max_nesting,
            max_loop_iterations=max_loop_iterations,
        )
        return
    circuit = job.circuit
    if circuit.qubits > max_qubits:
        raise Problem(
            "too_many_qubits",
            f"The circuit has {circuit.qubits:,} qubits; {max_qubits:,} are allowed.",
            pointer="/circuit/qubits",
        )
    expanded = sum(len(operation.terms or operation.acts_on) for operation in circuit.operations)
    if expanded > max_operations:
        raise Problem(
            "too_many_operations",
            f"The circuit has {expanded:,} operations, counting every target and Pauli term; "
            f"{max_operations:,} are allowed.",
            pointer="/circuit/operations",
        )
    active = len(active_qubits(circuit))
    check_memory(active, memory_available=memory_available, pointer="/circuit/qubits")
    check_histogram(job.shots, active=active, clbits=circuit.qubits)


def active_qubits(circuit: JsonCircuit) -> set[int]:
    """The qubits that a gate touches. All others stay 0 and are not simulated."""
    touched: set[int] = set()
    for operation in circuit.operations:
        if operation.gate not in _INERT:
            touched.update(operation.acts_on, operation.controlled_by)
    return touched


def statevector_bytes(active: int) -> int:
    """Bytes that a statevector of `active` qubits takes."""
    return BYTES_PER_AMPLITUDE << active


def check_memory(active: int, *, memory_available: int, pointer: str) -> None:
    """Refuse a statevector that does not fit into `memory_available` bytes."""
    if statevector_bytes(active) <= memory_available:
        return
    largest = max(0, (memory_available // BYTES_PER_AMPLITUDE).bit_length() - 1)
    raise Problem(
        "needs_more_memory",
        f"{active} active qubits need {_size(active + 4)} as a statevector; "
        f"{memory_available / 2**30:.1f} GiB are available.",
        pointer=pointer,
        ways_out=[{"active_qubits": largest, "note": "Idle qubits do not count."}],
    )


def check_histogram(shots: int, *, active: int, clbits: int) -> None:
    """Refuse counts whose keys alone would not fit: at most min(shots, 2^active) of them, of `clbits` characters."""
    keys = min(shots, 1 << active)
    if keys * clbits > MAX_HISTOGRAM_CHARACTERS:
        fewer = MAX_HISTOGRAM_CHARACTERS // clbits
        raise Problem(
            "histogram_too_large",
            f"Up to {keys:,} different outcomes of {clbits:,} bits each are more than a histogram holds.",
            pointer="/shots",
            ways_out=[{"shots": fewer}],
        )


def check_source(
    source: str,
    *,
    max_qubits: int = MAX_QUBITS,
    max_clbits: int = MAX_CLBITS,
    max_nesting: int = MAX_NESTING,
    max_loop_iterations: int = MAX_LOOP_ITERATIONS,
) -> None:
    """Judge OpenQASM 3 by its text, in a few milliseconds per 100 kB. Raises `Problem`, its pointer at the source."""
    text = without_comments(source)
    for include in _INCLUDE.finditer(text):
        if include[1] != "stdgates.inc":
            _refuse(text, include.start(), "qasm_include", 'Only "stdgates.inc" may be included.')
    text = _STRING.sub(_blank, text)
    if (version := _VERSION.search(text)) and version[1] != "3":
        _refuse(text, version.start(), "qasm_version", f"This is OpenQASM {version[1]}, not 3.")
    if opaque := _OPAQUE.search(text):
        _refuse(text, opaque.start(), "qasm_unsupported", f"{opaque[0]!r} is not supported here.")
    _check_registers(text, max_qubits=max_qubits, max_clbits=max_clbits)
    _check_nesting(text, max_nesting)
    for loop in _RANGE_LOOP.finditer(text):
        start, stop, step = (_integer(loop[part] or "1") for part in ("start", "stop", "step"))
        if step and abs(stop - start) // abs(step) + 1 > max_loop_iterations:
            message = f"A loop may have {max_loop_iterations:,} iterations."
            _refuse(text, loop.start(), "qasm_loop_too_long", message)


def without_comments(source: str) -> str:
    """The source with every comment blanked out; lines, columns and strings stay where they were."""

    def blank_comment(match: re.Match[str]) -> str:
        if match[0] == "/*":
            _refuse(source, match.start(), "qasm_invalid", "A comment is not closed.")
        return match[0] if match[0][0] in "\"'" else _blank(match)

    return _COMMENT_OR_STRING.sub(blank_comment, source)


def _blank(match: re.Match[str]) -> str:
    return _NOT_A_LINE_END.sub(" ", match[0])


def _check_registers(text: str, *, max_qubits: int, max_clbits: int) -> None:
    total = {"qubit": 0, "bit": 0}
    limit = {"qubit": max_qubits, "bit": max_clbits}
    for register in _REGISTER.finditer(text):
        kind = register["kind"] or register["single"] or {"qreg": "qubit", "creg": "bit"}[register["old_kind"]]
        total[kind] += _integer(register["size"] or register["old_size"] or "1")
        if total[kind] > limit[kind]:
            message = f"More than {limit[kind]:,} {kind}s are declared."
            _refuse(text, register.start(), f"too_many_{kind}s", message)
    for qubit in _HARDWARE_QUBIT.finditer(text):
        if _integer(qubit[1]) >= max_qubits:
            _refuse(text, qubit.start(), "too_many_qubits", f"Hardware qubits are numbered below {max_qubits:,}.")


def _check_nesting(text: str, max_nesting: int) -> None:
    depth = 0
    for bracket in re.finditer(r"[()\[\]{}]", text):
        depth += 1 if bracket[0] in "([{" else -1
        if depth > max_nesting:
            _refuse(text, bracket.start(), "qasm_too_deep", f"Brackets are nested more than {max_nesting} deep.")
    if chain := _UNARY_CHAIN.search(text):
        _refuse(text, chain.start(), "qasm_too_deep", f"More than {max_nesting} operators precede one operand.")
    depth = 0
    for word in _BRANCH.finditer(text):
        depth = depth + 1 if word[0].isalpha() else 0
        if depth > max_nesting:
            _refuse(text, word.start(), "qasm_too_deep", f"Statements are nested more than {max_nesting} deep.")


def _integer(digits: str) -> int:
    """The value of an OpenQASM integer literal; one too long to be meant is 10^18."""
    digits = re.sub(r"[\s_]", "", digits)
    if len(digits) > 18:
        return 10**18
    sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
    return sign * (int(digits, 0) if digits[:2].lower() in ("0x", "0o", "0b") else int(digits))


def _refuse(text: str, position: int, code: str, message: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    raise Problem(code, f"Line {line}: {message}", pointer=SOURCE)


def _size(log2_bytes: int) -> str:
    """2^log2_bytes bytes in words."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    unit = log2_bytes // 10
    return f"{1 << log2_bytes % 10} {units[unit]}" if unit < len(units) else f"2^{log2_bytes} bytes"
