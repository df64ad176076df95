"""OpenQASM 2 through Qiskit's parser, which is given no folder to include files from."""

import re
from functools import lru_cache
from math import isfinite

from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import ControlFlowOp
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit_aer import AerSimulator

from app.circuits.qasm2_text import check_openqasm2
from app.circuits.qasm_text import SOURCE, without_comments
from app.errors import Problem

_DEFINED = re.compile(r"\bgate\s+([A-Za-z_]\w*)")
_PLACE = re.compile(r"<input>:([0-9]+),([0-9]+): (.*)", re.DOTALL)


def parse_openqasm2(source: str) -> QuantumCircuit:
    """The program in Qiskit. Raises `Problem` with the line, its pointer at the source."""
    check_openqasm2(source)
    text = without_comments(source)
    own = set(_DEFINED.findall(text))
    text = _rename(text, own & _reserved())
    own = set(_DEFINED.findall(text))
    try:
        circuit = qasm2.loads(
            text,
            include_path=(),
            custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )
        _check_angles(circuit, own)
    except qasm2.QASM2ParseError as error:
        raise _invalid(_with_line(error.message)) from None
    except (ArithmeticError, ValueError):
        raise _invalid("An angle is not a finite number.") from None
    except RecursionError:
        raise Problem("qasm_too_deep", "The program is nested too deep to be read.", pointer=SOURCE) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the parser's own; it has no importable class
            raise
        raise _invalid("The program makes the parser fail.") from None
    if circuit.num_qubits == 0:
        raise Problem("no_qubits", "The program declares no qubit.", pointer=SOURCE)
    return circuit


@lru_cache(1)
def _reserved() -> frozenset[str]:
    """Names by which Qiskit or Aer would take a program's own gate for theirs, whatever its definition."""
    known = AerSimulator().configuration()
    legacy = (gate.name for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    return frozenset((*get_standard_gate_name_mapping(), *known.basis_gates, *known.custom_instructions, *legacy))


def _rename(text: str, names: set[str]) -> str:
    """The program with underscores behind these names, more than it has anywhere: no other name becomes the same."""
    if not names:
        return text
    tail = "_" * (1 + max((len(run) for run in re.findall("_+", text)), default=0))
    return re.sub(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b", rf"\1{tail}", text)


def _invalid(message: str) -> Problem:
    return Problem("qasm_invalid", message, pointer=SOURCE)


def _with_line(message: str) -> str:
    """ "<input>:3,4: words" from the parser becomes "Line 3, column 5: words."."""
    place = _PLACE.fullmatch(message)
    if place is None:
        return message
    return f"Line {place[1]}, column {int(place[2]) + 1}: {place[3].rstrip('.')}."


def _check_angles(circuit: QuantumCircuit, own: set[str]) -> None:
    """Write the program's definitions out: Qiskit computes their angles only when asked, long after parsing."""
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            for block in operation.blocks:
                _check_angles(block, own)
            continue
        if any(isinstance(parameter, float) and not isfinite(parameter) for parameter in operation.params):
            raise _invalid(f"An angle of the gate {operation.name!r} is not a finite number.")
        if operation.name in own and operation.definition is not None:
            _check_angles(operation.definition, own)
