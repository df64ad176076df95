"""OpenQASM 3 as Qiskit's exporter writes it: conditions, variables, loops, switches, and gates that it defines."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import CUGate, QFTGate, StatePreparation, UnitaryGate, quantum_volume
from qiskit.quantum_info import Statevector, random_unitary

from tests.workers.circuits.openqasm3.outcomes import require_outcomes

C = ClassicalRegister(2, "c")
D = ClassicalRegister(1, "d")

CONDITIONS: Mapping[str, tuple[Callable[[], expr.Expr], Callable[[int], bool]]] = {
    "c < 2": (lambda: expr.less(C, 2), lambda c: c < 2),
    "c >= 2": (lambda: expr.greater_equal(C, 2), lambda c: c >= 2),
    "2 > c": (lambda: expr.greater(expr.lift(2, types.Uint(2)), C), lambda c: c < 2),
    "(c & 2) != 0": (lambda: expr.not_equal(expr.bit_and(C, 2), 0), lambda c: bool(c & 2)),
    "(c | 1) == 3": (lambda: expr.equal(expr.bit_or(C, 1), 3), lambda c: c | 1 == 3),
    "c[0] ^ c[1]": (lambda: expr.bit_xor(C[0], C[1]), lambda c: c in (1, 2)),
    "~c[0]": (lambda: expr.bit_not(C[0]), lambda c: c % 2 == 0),
    "~c == 1": (lambda: expr.equal(expr.bit_not(C), 1), lambda c: c == 2),
    "bool(c)": (lambda: expr.cast(C, types.Bool()), lambda c: c != 0),
    "c[0] && !c[1]": (lambda: expr.logic_and(C[0], expr.logic_not(C[1])), lambda c: c == 1),
    "c << 1 < 1": (lambda: expr.less(expr.shift_left(C, 1), 1), lambda c: c in (0, 2)),  # two bits stay two bits
    "c >> 1 == 1": (lambda: expr.equal(expr.shift_right(C, 1), 1), lambda c: c >= 2),
    "c[1:0]": (lambda: expr.index(C, 1), lambda c: c >= 2),
    "uint[4](c) + 1 == 4": (lambda: expr.equal(expr.add(expr.cast(C, types.Uint(4)), 1), 4), lambda c: c == 3),
}


def _measured() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3, "q"), C, D)
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_holds_where_it_should(condition: str) -> None:
    written, holds = CONDITIONS[condition]
    circuit = _measured()
    with circuit.if_test(written()) as otherwise:
        circuit.x(2)
    with otherwise:
        circuit.id(2)
    circuit.measure(2, D[0])
    require_outcomes(qasm3.dumps(circuit), {f"c={c:02b} d={int(holds(c))}": 1 / 4 for c in range(4)})


@pytest.mark.parametrize("value", range(4))
def test_a_register_is_compared_with_a_number(value: int) -> None:
    circuit = _measured()
    with circuit.if_test((C, value)):
        circuit.x(2)
    circuit.measure(2, D[0])
    require_outcomes(qasm3.dumps(circuit), {f"c={c:02b} d={int(c == value)}": 1 / 4 for c in range(4)})


def test_a_loop_ends_when_its_condition_fails() -> None:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), C)
    with circuit.while_loop(expr.not_equal(C, 3)):
        circuit.h([0, 1])
        circuit.measure([0, 1], [0, 1])
    require_outcomes(qasm3.dumps(circuit), {"c=11": 1})


def test_variables_are_stored_and_compared() -> None:
    circuit = QuantumCircuit(QuantumRegister(3, "q"), C, D)
    count = circuit.add_var("count", expr.lift(14, types.Uint(4)))
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    circuit.store(count, expr.add(count, expr.cast(C, types.Uint(4))))  # modulo 16
    with circuit.if_test(expr.less(count, 2)):
        circuit.x(2)
    circuit.measure(2, D[0])
    require_outcomes(qasm3.dumps(circuit), {"c=00 d=0": 1 / 4, "c=01 d=0": 1 / 4, "c=10 d=1": 1 / 4, "c=11 d=1": 1 / 4})


def test_variables_count_what_a_loop_does() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), D)
    tries = circuit.add_var("tries", expr.lift(0, types.Uint(3)))
    going = circuit.add_var("going", expr.lift(True))
    with circuit.while_loop(going):
        circuit.reset(0)
        circuit.h(0)
        circuit.measure(0, D[0])
        circuit.store(tries, expr.add(tries, 1))
        circuit.store(going, expr.logic_and(expr.lift(D[0]), expr.less(tries, 3)))
    require_outcomes(qasm3.dumps(circuit), {"d=0": 7 / 8, "d=1": 1 / 8})


def test_a_switch_takes_one_of_its_cases() -> None:
    circuit = _measured()
    with circuit.switch(C) as case:
        with case(0, 3):
            circuit.x(2)
        with case(1):
            circuit.h(2)
        with case(case.DEFAULT):
            circuit.x(2)
            circuit.x(2)
    circuit.measure(2, D[0])
    expected = {"c=00 d=1": 1 / 4, "c=11 d=1": 1 / 4, "c=10 d=0": 1 / 4, "c=01 d=0": 1 / 8, "c=01 d=1": 1 / 8}
    require_outcomes(qasm3.dumps(circuit), expected)


def test_a_loop_over_numbers_is_left_early() -> None:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), C)
    with circuit.for_loop(range(2, 9, 2)):
        circuit.x(1)
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((C[0], 1)):
            circuit.break_loop()
    circuit.measure(1, 1)
    # left after 1, 2, 3 or 4 rounds with a one, or after four without
    require_outcomes(qasm3.dumps(circuit), {"c=11": 1 / 2 + 1 / 8, "c=01": 1 / 4 + 1 / 16, "c=00": 1 / 16})


GATES = {
    "a unitary of one qubit": (UnitaryGate(random_unitary(2, seed=1)), 1),
    "a unitary of two qubits": (UnitaryGate(random_unitary(4, seed=2)), 2),
    "a unitary of three qubits": (UnitaryGate(random_unitary(8, seed=3)), 3),
    "a controlled gate of four angles": (CUGate(0.1, 0.2, 0.3, 0.4), 2),
    "a state preparation": (StatePreparation(np.array([0.6, 0, 0.48, -0.64])), 2),
    "quantum volume": (quantum_volume(3, 2, seed=5).to_gate(), 3),
    "a Fourier transform": (QFTGate(3), 3),
    "the inverse of a defined gate": (quantum_volume(2, 2, seed=6).to_gate().inverse(), 2),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_that_the_exporter_defines_are_what_qiskit_says_they_are(name: str) -> None:
    gate, qubits = GATES[name]
    circuit = QuantumCircuit(qubits, name="whole")
    circuit.h(range(qubits))
    circuit.append(gate, range(qubits))
    circuit.ry(0.4, range(qubits))
    chances = Statevector(circuit).probabilities()
    circuit.measure_all()
    expected = {f"meas={outcome:0{qubits}b}": float(chance) for outcome, chance in enumerate(chances)}
    require_outcomes(qasm3.dumps(circuit), expected)
