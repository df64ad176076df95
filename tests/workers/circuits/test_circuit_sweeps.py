"""A sweep is its bindings submitted one by one, in every format, by every method, wherever a parameter stands."""

from math import pi
from typing import Any

import cirq
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.expressions import compile_expression
from qstill.contract.circuits.formats import free_parameters
from tests.testing.circuits.house import run_job
from tests.testing.examples import examples
from tests.workers.circuits.test_circuit_parameters import NUMBERS, VALUES, body, symbolic_circuits
from tests.workers.circuits.test_circuit_parameters import Circuit as Pair

OTHER = {name: 0.9 - value for name, value in VALUES.items()}
NOISE = {"model": "depolarizing", "one_qubit": 0.05, "two_qubit": 0.1}
METHODS: list[dict[str, Any]] = [
    {},
    {"outputs": ["probabilities"]},
    {"noise": NOISE},
    {"noise": NOISE, "method": "trajectories"},
    {"device": {"basis_gates": ["rz", "sx", "cx"]}},
    {"precision": "single"},
]
STATES: list[dict[str, Any]] = [{"outputs": [name]} for name in ("statevector", "density_matrix", "unitary")]


def check(
    symbolic: dict[str, Any], written: list[dict[str, Any]], bindings: list[dict[str, float]], **how: Any
) -> None:
    """written: the circuit with the numbers of each binding in it."""
    swept, house = run_job(symbolic, bindings=bindings, shots=60, **how)
    for index, (entry, circuit) in enumerate(zip(swept, written, strict=True)):
        (alone,), apart = run_job(circuit, shots=60, **(how | {"seed": entry["seed"]}))
        if entry["method"] == alone["method"]:  # a number may make a gate Clifford, and another method the cheapest
            assert entry["counts"] == alone["counts"]
        for key, probability in (entry.get("probabilities") or {}).items():
            assert probability == pytest.approx(alone["probabilities"].get(key, 0.0), abs=1e-9)
        for name, array in apart.arrays.items():
            assert house.arrays[name.replace("-0", f"-{index}")] == pytest.approx(array, abs=1e-9)


def conditional(operations: list[dict[str, Any]], inside: set[int], qubits: int) -> list[dict[str, Any]]:
    """Some operations where qubit 0, put into a superposition and measured, read 1."""
    start = [{"gate": "h", "target": 0}, {"gate": "measure", "target": 0, "clbit": qubits}]
    condition = {"if": {"clbit": qubits, "value": 1}}
    branches = [operation | (condition if index in inside else {}) for index, operation in enumerate(operations)]
    every = [*range(qubits)]
    return [*start, *branches, {"gate": "measure", "targets": every, "clbits": every}]


def written(operations: list[dict[str, Any]], binding: dict[str, float]) -> list[dict[str, Any]]:
    """The operations with numbers in place of expressions."""

    def value(field: str, given: Any) -> Any:
        if isinstance(given, list):
            return [value(field, item) for item in given]
        is_expression = isinstance(given, str) and field in (*NUMBERS, "phases", "coefficients")
        return compile_expression(given).evaluate(binding) if is_expression else given

    return [{field: value(field, given) for field, given in operation.items()} for operation in operations]


@settings(max_examples=examples(15))
@given(symbolic_circuits(), st.sets(st.integers(0, 4)), st.booleans(), st.sampled_from([*METHODS, *STATES]))
def test_a_sweep_of_json_is_its_bindings_one_by_one(
    pair: tuple[Pair, Pair], inside: set[int], branching: bool, how: dict[str, Any]
) -> None:
    (qubits, operations), _ = pair
    assume(free_parameters(body(qubits, operations)))
    operations = [operation for operation in operations if operation["gate"] != "nop"]
    if branching:
        assume(how not in (*STATES, {"precision": "single"}))
        operations = conditional(operations, inside, qubits)
        how = {name: value for name, value in how.items() if name != "outputs"}
    names = free_parameters(body(qubits, operations))
    bindings = [{name: value[name] for name in names} for value in (OTHER, VALUES)]
    head = {"format": "json", "qubits": qubits}
    alone = [head | {"operations": written(operations, binding)} for binding in bindings]
    check(head | {"operations": operations}, alone, bindings, **how)


GATES = [
    "inner(k) q[1];",
    "outer(k/2, j) q[1], q[2];",
    "outer(0.3, k) q[2], q[0];",
    "ctrl(2) @ rx(k) q[0], q[1], q[2];",
    "ctrl @ inner(k) q[0], q[1];",
    "negctrl @ outer(j, k) q[2], q[0], q[1];",
    "ctrl @ gphase(k) q[0];",
    "ctrl(2) @ gphase(2*j) q[0], q[2];",
    "inv @ outer(k, j) q[0], q[2];",
    "cu(k, 0.1, j, 0.2) q[1], q[2];",
    "u3(k, j, 0.3) q[0];",
]
NESTS = ["{}", "if (c[0]) {{ {} }}", "if (c[0]) {{ x q[1]; }} else {{ {} }}", "if (c[0]) {{ if (c[1]) {{ {} }} }}"]
DEFINITIONS = (
    "gate inner(t) a { rx(t) a; gphase(t/3); h a; } gate outer(t, s) a, b { inner(2*t) a; cx a, b; cp(s) a, b; }"
)


@settings(max_examples=examples(15))
@given(
    st.lists(st.tuples(st.sampled_from(GATES), st.sampled_from(NESTS)), min_size=1, max_size=4),
    st.sampled_from([{}, {"noise": NOISE}, {"device": {"basis_gates": ["rz", "sx", "cx"]}}]),
)
def test_a_sweep_of_openqasm_3_is_its_bindings_one_by_one(parts: list[tuple[str, str]], how: dict[str, Any]) -> None:
    bindings = [{"k": 0.0, "j": 0.4}, {"k": pi, "j": -1.3}]
    rest = "qubit[3] q; bit[3] c; h q; c[0] = measure q[0]; c[1] = measure q[1]; "
    rest += " ".join(nest.format(gate) for gate, nest in parts) + " h q[2]; c = measure q;"

    def program(names: str) -> dict[str, Any]:
        return {"format": "openqasm3", "source": f'include "stdgates.inc"; {DEFINITIONS} {names} {rest}'}

    numbers = [f"const float k = {binding['k']!r}; const float j = {binding['j']!r};" for binding in bindings]
    check(program("input float k; input float j;"), [*map(program, numbers)], bindings, **how)


K, A, B, C = sympy.Symbol("k"), *cirq.LineQubit.range(3)
POWERS = [
    cirq.X(A) ** K,
    cirq.CCZ(A, B, C) ** K,
    cirq.CCX(A, B, C) ** (2 * K),
    cirq.ISWAP(A, B) ** K,
    cirq.H(C) ** K,
    cirq.rx(K)(B),
    cirq.FSimGate(K, K / 2)(B, C),
    cirq.ZZ(A, C) ** K,
    cirq.SWAP(B, C) ** K,
]


@settings(max_examples=examples(10))
@given(
    st.lists(st.tuples(st.sampled_from(POWERS), st.booleans()), min_size=1, max_size=4),
    st.sampled_from([{}, {"noise": NOISE}]),
)
def test_a_sweep_of_cirq_is_its_bindings_one_by_one(
    parts: list[tuple[cirq.Operation, bool]], how: dict[str, Any]
) -> None:
    bindings = [{"k": 0.3}, {"k": 0.9}]
    operations = [gate.with_classical_controls("m") if inside else gate for gate, inside in parts]
    circuit = cirq.Circuit(cirq.H.on_each(A, B, C), cirq.measure(A, key="m"), operations, cirq.H.on_each(A, B, C))
    circuit.append(cirq.measure(A, B, C, key="end"))

    def program(made: cirq.Circuit) -> dict[str, Any]:
        return {"format": "cirq", "source": cirq.to_json(made)}

    alone = [program(cirq.resolve_parameters(circuit, binding)) for binding in bindings]
    check(program(circuit), alone, bindings, **how)
