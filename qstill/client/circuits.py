"""What people have as a circuit, as one of the contract's formats. No library is imported: an object brings its own.

Qiskit's circuits go as OpenQASM 3, Cirq's as Cirq's JSON, PennyLane's as OpenQASM 2, each by its own exporter. Free
parameters stay free and are set by `bindings`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
IDENTIFIER = re.compile(r"[^\W\d]\w{0,63}\Z")
VERSION = re.compile(r"^(?:\s|//[^\n]*\n|/\*.*?\*/)*OPENQASM\s+(\d)", re.DOTALL)
RESERVED = frozenset({"pi", "tau", "euler", "input", "output", "qubit", "bit", "gate", "float", "angle"})

Json = dict[str, Any]


def circuit_body(circuit: Any, parameters: Any = None) -> tuple[Json, Mapping[str, str]]:
    """(the circuit as JSON, names of parameters that had to change).

    parameters: of a template, by their names; of a PennyLane QNode its arguments. Raises TypeError for what is no
    circuit, and ValueError for a text that is none.
    """
    made: Json | tuple[Json, Mapping[str, str]]
    match circuit:
        case str():
            made = _of_text(circuit, parameters)
        case Path():
            made = _of_text(circuit.read_text(encoding="utf-8"), parameters)
        case BaseModel():
            made = _of_model(circuit)
        case Mapping():
            made = dict(circuit)
        case _:
            made = _of_library(circuit, parameters)
    return made if isinstance(made, tuple) else (made, {})


def bindings_body(bindings: Sequence[Mapping[Any, Any]], renamed: Mapping[str, str]) -> list[dict[str, float]]:
    """Values by names; a key may be a name, or the parameter itself. Vectors of Qiskit are taken apart."""
    found = []
    for binding in bindings:
        values: dict[str, float] = {}
        for key, value in binding.items():
            elements = list(key) if type(key).__name__ == "ParameterVector" else None
            pairs = [(key, value)] if elements is None else list(zip(elements, value, strict=True))
            for each, number in pairs:
                name = str(getattr(each, "name", each))
                values[renamed.get(name, name)] = float(number)
        found.append(values)
    return found


def is_batch(circuit: Any) -> bool:
    """A list of circuits. Circuits of some libraries are sequences, too."""
    return isinstance(circuit, list | tuple)


def _of_model(circuit: BaseModel) -> Json:
    body = circuit.model_dump(mode="json", exclude_none=True, by_alias=True)
    return body if "format" in body else {"format": "template", "template": body}


def _of_text(text: str, parameters: Any) -> Json:
    if found := VERSION.match(text):
        return {"format": f"openqasm{found[1]}", "source": text}
    stripped = text.strip()
    if stripped.startswith("{"):
        body: Json = json.loads(stripped)
        return {"format": "cirq", "source": stripped} if "cirq_type" in body else body.get("circuit", body)
    if ";" in stripped:
        return {"format": "openqasm3", "source": text}
    if NAME.match(stripped):
        return {"format": "template", "template": {"name": stripped, **(parameters or {})}}
    raise ValueError(f"this text is no OpenQASM, no JSON, and no template's name: {stripped[:60]!r}")


def _of_library(circuit: Any, parameters: Any) -> Json | tuple[Json, Mapping[str, str]]:
    families = {base.__module__.partition(".")[0] for base in type(circuit).__mro__}
    if "qiskit" in families and hasattr(circuit, "num_clbits"):
        return _of_qiskit(circuit)
    if "cirq" in families:
        return {"format": "cirq", "source": import_module("cirq").to_json(circuit, indent=None)}
    if "pennylane" in families:
        return _of_pennylane(circuit, parameters)
    raise TypeError(
        f"a {type(circuit).__name__} is no circuit; give JSON, OpenQASM, a template's name, a file's path, or a "
        "circuit of Qiskit, Cirq or PennyLane"
    )


def _of_qiskit(circuit: Any) -> tuple[Json, Mapping[str, str]]:
    renamed = _identifiers([each.name for each in circuit.parameters])
    if renamed:
        parameter_of = import_module("qiskit.circuit").Parameter
        changes = {each: parameter_of(renamed[each.name]) for each in circuit.parameters if each.name in renamed}
        circuit = circuit.assign_parameters(changes)
    source = import_module("qiskit.qasm3").dumps(circuit, disable_constants=True)  # π is near many numbers
    return {"format": "openqasm3", "source": source}, renamed


def _identifiers(names: Sequence[str]) -> dict[str, str]:
    """Other names for those that are no identifiers: `w_0` for `w[0]`."""
    renamed: dict[str, str] = {}
    for name in names:
        if IDENTIFIER.match(name) and name not in RESERVED:
            continue
        made = "_".join(re.findall(r"\w+", name))[:40] or "parameter"
        if not IDENTIFIER.match(made) or made in RESERVED:
            made = f"parameter_{made}"
        while made in names or made in renamed.values():
            made += "_"
        renamed[name] = made
    return renamed


def _of_pennylane(circuit: Any, parameters: Any) -> Json:
    arguments: Sequence[Any] = () if parameters is None else parameters
    to_openqasm = import_module("pennylane").to_openqasm
    is_node = hasattr(circuit, "device") and callable(circuit)
    source = to_openqasm(circuit)(*arguments) if is_node else to_openqasm(circuit)
    return {"format": "openqasm2", "source": source}
