"""Circuits and noise that are refused at the door, with the codes that say why."""

from math import sqrt
from typing import Any

HEAD_2 = 'OPENQASM 2.0; include "qelib1.inc";'
HEAD_3 = 'OPENQASM 3.0; include "stdgates.inc";'
DOUBLING = "gate g0 a { x a; } " + " ".join(f"gate g{i} a {{ g{i - 1} a; g{i - 1} a; }}" for i in range(1, 21))
BELL = [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}]


def json_circuit(qubits: int, operations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format": "json", "qubits": qubits, "operations": operations}


def entangled(qubits: int) -> dict[str, Any]:
    """All with all, and not Clifford: nothing but a statevector holds it."""
    pairs = [(a, b) for a in range(qubits) for b in range(a)]
    turned = {"gate": "rx", "targets": list(range(qubits)), "rotation": 0.3}
    return json_circuit(qubits, [turned, *({"gate": "zz", "targets": [a, b], "rotation": 0.2} for a, b in pairs)])


def qasm2(source: str) -> dict[str, Any]:
    return {"format": "openqasm2", "source": HEAD_2 + source}


def qasm3(source: str) -> dict[str, Any]:
    return {"format": "openqasm3", "source": HEAD_3 + source}


AT_THE_DOOR = {
    "20 gate definitions, each doubling": (qasm2(f"{DOUBLING} qreg q[1]; g20 q[0];"), "too_many_operations"),
    "a register that aborts the interpreter": (qasm2("qreg q[10000000];"), "too_many_qubits"),
    "a million qubits": (qasm3("qubit[1000000] q;"), "too_many_qubits"),
    "20,000 parentheses": (qasm3("qubit q; rx(" + "(" * 20_000 + "1" + ")" * 20_000 + ") q;"), "qasm_too_deep"),
    "a loop of 10^8": (qasm3("qubit q; for int i in [0:100000000] { x q; }"), "qasm_loop_too_long"),
    "an include of any file": (qasm2('include "/etc/passwd"; qreg q[1];'), "qasm_include"),
    "an include of any file, version 3": (qasm3('include "/etc/passwd"; qubit q;'), "qasm_include"),
    "40 qubits as a statevector": (entangled(40), "needs_more_memory"),
    "a Cirq document nested 10,000 deep": (
        {"format": "cirq", "source": '{"a":' * 10_000 + "1" + "}" * 10_000},
        "cirq_too_deep",
    ),
}


def kraus_rules(rules: int, operators: int, *, scale: float = 1.0) -> dict[str, Any]:
    """Custom noise of equal operators on two qubits; complete if the scale is 1."""
    number = scale / sqrt(operators)
    operator = [[[number * (row == column), 0] for column in range(4)] for row in range(4)]
    return {
        "model": "custom",
        "gates": [{"gate": "cx", "error": {"kind": "kraus", "operators": [operator] * operators}}] * rules,
    }


HOSTILE_NOISE = {
    "1,536 Kraus operators": (kraus_rules(512, 3), "too_many_operators"),
    "1,024 Kraus operators, no rule a channel": (kraus_rules(512, 2, scale=0.9), "not_complete"),
}
