"""Cirq's JSON judged without reading it as a circuit: its nesting, its operations, its qubits."""

import json
from typing import Any, NoReturn

from qstill.contract.circuits.gates import MAX_QUBITS
from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS, MAX_NESTING, SOURCE
from qstill.contract.errors import Problem

QUBITS = {
    "LineQubit": ("x",),
    "GridQubit": ("row", "col"),
    "NamedQubit": ("name",),
    "LineQid": ("x", "dimension"),
    "GridQid": ("row", "col", "dimension"),
    "NamedQid": ("name", "dimension"),
}  # and what names one


def document(source: dict[str, Any] | str) -> dict[str, Any]:
    """The source as an object; a string is read as JSON. Nothing that it names is looked up or executed."""
    if isinstance(source, dict):
        return source
    try:
        read = json.loads(source, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = f"Line {error.lineno}, column {error.colno}: {error.msg}."
        raise Problem("cirq_invalid", message, pointer=SOURCE) from None
    except ValueError:  # an integer of thousands of digits
        raise Problem("cirq_invalid", "A number is too long or not finite.", pointer=SOURCE) from None
    except RecursionError:
        raise Problem("cirq_too_deep", "The document is nested too deep to be read.", pointer=SOURCE) from None
    if not isinstance(read, dict):
        raise Problem("cirq_invalid", "This is not what cirq.to_json writes for a circuit.", pointer=SOURCE)
    return read


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def check_cirq(
    source: dict[str, Any] | str,
    *,
    max_qubits: int = MAX_QUBITS,
    max_operations: int = MAX_EXPANDED_OPERATIONS,
    max_nesting: int = MAX_NESTING,
) -> None:
    """Refuse documents that are too large or nested too deep. Raises `Problem`, its pointer at the source."""
    layer: list[Any] = [document(source)]
    qubits: set[tuple[str, ...]] = set()
    operations = 0
    for _ in range(max_nesting):
        below: list[Any] = []
        for value in layer:
            if isinstance(value, list):
                below += value
                continue
            if not isinstance(value, dict):
                continue
            below += value.values()
            kind = value.get("cirq_type")
            if isinstance(kind, str) and kind in QUBITS:
                qubits.add((kind, *(str(value.get(name))[:1000] for name in QUBITS[kind])))
            operations += isinstance(kind, str) and kind.endswith("Operation")
        if operations > max_operations:
            message = f"The circuit has more than {max_operations:,} operations."
            raise Problem("too_many_operations", message, pointer=SOURCE)
        if len(qubits) > max_qubits:
            message = f"The circuit has {len(qubits):,} qubits; {max_qubits:,} are allowed."
            raise Problem("too_many_qubits", message, pointer=SOURCE)
        if not (layer := below):
            return
    raise Problem("cirq_too_deep", f"The document is nested more than {max_nesting} deep.", pointer=SOURCE)
