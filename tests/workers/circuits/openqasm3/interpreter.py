"""Programs as data, what they mean in numpy, and how OpenQASM 3 writes them: nothing here is the service's own.

A statement is a tuple whose first item says what it is. A program runs on every outcome at once: each branch has a
weight, a state (2,)*qubits with qubit 0 first, bits, and variables.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SQ = 2**-0.5
ONE = {
    "x": lambda: [[0, 1], [1, 0]],
    "h": lambda: [[SQ, SQ], [SQ, -SQ]],
    "s": lambda: [[1, 0], [0, 1j]],
    "rx": lambda t: [[np.cos(t / 2), -1j * np.sin(t / 2)], [-1j * np.sin(t / 2), np.cos(t / 2)]],
    "ry": lambda t: [[np.cos(t / 2), -np.sin(t / 2)], [np.sin(t / 2), np.cos(t / 2)]],
    "rz": lambda t: np.diag([np.exp(-0.5j * t), np.exp(0.5j * t)]),
    "p": lambda t: np.diag([1, np.exp(1j * t)]),
}
TWO = {"cx": "x", "cz": "p"}  # a control before the gate on the other qubit


@dataclass
class Program:
    """gates: own definitions, name: (qubits, body). types: of variables, name: (kind, width)."""

    qubits: int
    bits: int
    gates: dict[str, tuple[int, list[Any]]] = field(default_factory=dict)
    types: dict[str, tuple[str, int]] = field(default_factory=dict)
    body: list[Any] = field(default_factory=list)


@dataclass
class Branch:
    weight: float
    state: Any
    bits: list[int]
    variables: dict[str, int]


def matrix_of(program: Program, name: str, angles: Sequence[float], qubits: int) -> Any:
    """(2^qubits, 2^qubits), the first qubit the high bit."""
    if name in program.gates:
        state = np.eye(2**qubits, dtype=complex).reshape((2,) * qubits + (-1,))
        for _, inner, given, on, modifiers in program.gates[name][1]:
            state = apply(state, modified(program, inner, given, len(on), modifiers), on)
        return state.reshape(2**qubits, -1)
    if name in TWO:
        inner = ONE[TWO[name]](*([np.pi] if name == "cz" else []))
        return np.block([[np.eye(2), np.zeros((2, 2))], [np.zeros((2, 2)), np.array(inner)]])
    return np.array(ONE[name](*angles), dtype=complex)


def modified(program: Program, name: str, angles: Sequence[float], qubits: int, modifiers: Sequence[Any]) -> Any:
    controls = sum(kind in ("ctrl", "negctrl") for kind, _ in modifiers)
    matrix = matrix_of(program, name, angles, qubits - controls)
    for kind, amount in reversed(modifiers):
        if kind == "inv":
            matrix = matrix.conj().T
        elif kind == "pow":
            matrix = np.linalg.matrix_power(matrix, amount)
        else:
            size = len(matrix)
            wide = np.eye(2 * size, dtype=complex)
            start = size if kind == "ctrl" else 0
            wide[start : start + size, start : start + size] = matrix
            matrix = wide
    return matrix


def apply(state: Any, matrix: Any, qubits: Sequence[int]) -> Any:
    width = len(qubits)
    result = np.tensordot(matrix.reshape((2,) * (2 * width)), state, (range(width, 2 * width), qubits))
    return np.moveaxis(result, range(width), qubits)


def wrapped(value: int, kind: str, width: int) -> int:
    value %= 2**width
    return value - 2**width if kind == "int" and value >= 2 ** (width - 1) else value


OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}


def value(node: Any, branch: Branch) -> int:
    match node:
        case ("number", number):
            return number
        case ("name", name):
            return branch.variables[name]
        case ("bit", index):
            return branch.bits[index]
        case ("bits",):
            return sum(bit << index for index, bit in enumerate(branch.bits))
        case ("not", inner):
            return int(not value(inner, branch))
        case (sign, left, right):
            return OPERATORS[sign](value(left, branch), value(right, branch))
    raise AssertionError(node)


def run(program: Program) -> dict[str, float]:
    """The exact distribution over keys, bit 0 the rightmost."""
    state = np.zeros((2,) * program.qubits, dtype=complex)
    state[(0,) * program.qubits] = 1
    start = Branch(1.0, state, [0] * program.bits, dict.fromkeys(program.types, 0))
    likely: defaultdict[str, float] = defaultdict(float)
    for branch, _ in block(program, program.body, [(start, "")]):
        likely["".join(map(str, reversed(branch.bits)))] += branch.weight
    return dict(likely)


Ways = list[tuple[Branch, str]]  # with what it leaves: "", "break" or "continue"


def block(program: Program, statements: Sequence[Any], ways: Ways) -> Ways:
    for statement in statements:
        ways = [way for branch, left in ways for way in ([(branch, left)] if left else one(program, statement, branch))]
    return ways


def one(program: Program, statement: Any, branch: Branch) -> Ways:
    match statement:
        case ("gate", name, angles, qubits, modifiers):
            branch.state = apply(branch.state, modified(program, name, angles, len(qubits), modifiers), qubits)
        case ("turn", name, node, qubit):
            matrix = matrix_of(program, name, [value(node, branch) / 4], 1)
            branch.state = apply(branch.state, matrix, [qubit])
        case ("measure" | "reset" as kind, qubit, bit):
            return measured(branch, qubit, bit, reset=kind == "reset")
        case ("set", name, node):
            branch.variables[name] = wrapped(value(node, branch), *program.types[name])
        case ("set bit", index, node):
            branch.bits[index] = int(bool(value(node, branch)))
        case ("if", condition, then, otherwise):
            return block(program, then if value(condition, branch) else otherwise, [(branch, "")])
        case ("for", name, values, body):
            return looped(program, [("set", name, ("number", number)) for number in values], body, branch)
        case ("break" | "continue" as left,):
            return [(branch, left)]
    return [(branch, "")]


def looped(program: Program, heads: Sequence[Any], body: Sequence[Any], branch: Branch) -> Ways:
    ways: Ways = [(branch, "")]
    for head in heads:
        going = [way for way in ways if way[1] != "break"]
        after = block(program, [head, *body], [(way, "") for way, _ in going])
        ways = [way for way in ways if way[1] == "break"] + after
    return [(way, "") for way, _ in ways]


def measured(branch: Branch, qubit: int, bit: int, *, reset: bool) -> Ways:
    ways: Ways = []
    for outcome in (0, 1):
        part = np.zeros_like(branch.state)
        where = (slice(None),) * qubit
        part[(*where, 0 if reset else outcome)] = branch.state[(*where, outcome)]
        weight = float(np.linalg.norm(part) ** 2)
        if weight > 1e-12:
            bits = branch.bits.copy()
            if not reset:
                bits[bit] = outcome
            way = Branch(branch.weight * weight, part / np.sqrt(weight), bits, dict(branch.variables))
            ways.append((way, ""))
    return ways


def text(program: Program) -> str:
    """The program as OpenQASM 3."""
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";']
    for name, (qubits, body) in program.gates.items():
        names = ", ".join(f"a{index}" for index in range(qubits))
        lines.append(f"gate {name} {names} {{ {' '.join(written(statement, 'a{}') for statement in body)} }}")
    lines.append(f"qubit[{program.qubits}] q; bit[{program.bits}] c;")
    lines += [f"{kind}[{width}] {name} = 0;" for name, (kind, width) in program.types.items()]
    return "\n".join(lines + [written(statement, "q[{}]") for statement in program.body])


def written(statement: Any, qubit: str) -> str:
    match statement:
        case ("gate", name, angles, qubits, modifiers):
            before = "".join(f"{kind} @ " if amount is None else f"{kind}({amount}) @ " for kind, amount in modifiers)
            given = f"({', '.join(map(str, angles))})" if angles else ""
            return f"{before}{name}{given} {', '.join(qubit.format(index) for index in qubits)};"
        case ("turn", name, node, index):
            return f"{name}({expression(node)} / 4.0) {qubit.format(index)};"
        case ("measure", index, bit):
            return f"c[{bit}] = measure {qubit.format(index)};"
        case ("reset", index, _):
            return f"reset {qubit.format(index)};"
        case ("set", name, node):
            return f"{name} = {expression(node)};"
        case ("set bit", index, node):
            return f"c[{index}] = bool({expression(node)});"
        case ("if", condition, then, otherwise):
            tail = f" else {{ {blocks(otherwise, qubit)} }}" if otherwise else ""
            return f"if (bool({expression(condition)})) {{ {blocks(then, qubit)} }}{tail}"
        case ("for", name, values, body):
            inner = f"{name} = at_{name}; {blocks(body, qubit)}"
            return f"for int at_{name} in {{{', '.join(map(str, values))}}} {{ {inner} }}"
    return f"{statement[0]};"


def blocks(statements: Sequence[Any], qubit: str) -> str:
    return " ".join(written(statement, qubit) for statement in statements)


def expression(node: Any) -> str:
    match node:
        case ("number", number):
            return str(number) if number >= 0 else f"({number})"
        case ("name", name):
            return str(name)
        case ("bit", index):
            return f"int(c[{index}])"
        case ("bits",):
            return "int(c)"
        case ("not", inner):
            return f"int(!bool({expression(inner)}))"
        case (sign, left, right):
            whole = f"({expression(left)} {sign} {expression(right)})"
            return whole if sign in "+-*&|^" and sign not in ("&&", "||") else f"int{whole}"
    raise AssertionError(node)
