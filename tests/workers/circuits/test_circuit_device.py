"""A compiled circuit reads what the submitted one reads, in the device's gates, between coupled qubits."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import Statevector, random_unitary
from qiskit_aer import AerSimulator

from qstill.contract.circuits.device import BASIS_GATES, Device
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.device import Compiled, compile_for

SHAPES: list[Any] = [
    None,
    {"shape": "line", "qubits": 5},
    {"shape": "ring", "qubits": 6},
    {"shape": "grid", "rows": 2, "columns": 3},
    {"shape": "full", "qubits": 7},
    [[0, 2], [2, 1], [2, 3], [4, 3]],
]
BASES = [["rz", "sx", "x", "cx"], ["u", "cz"], ["rz", "rx", "rxx"], ["h", "t", "tdg", "p", "u", "ecr"]]


@st.composite
def measured(draw: st.DrawFn) -> QuantumCircuit:
    """Up to 5 used qubits among 7, gates on up to three of them, measured into clbits in any order."""
    used = draw(st.lists(st.integers(0, 6), min_size=2, max_size=5, unique=True))
    circuit = QuantumCircuit(7, len(used) + 1)
    for _ in range(draw(st.integers(1, 6))):
        width = draw(st.integers(1, min(3, len(used))))
        targets = draw(st.permutations(used))[:width]
        kind = draw(st.sampled_from(["unitary", "swap", "ccx"]))
        if kind == "swap" and width > 1:
            circuit.swap(*targets[:2])
        elif kind == "ccx" and width == 3:
            circuit.ccx(*targets)
        elif width < 3:
            circuit.append(UnitaryGate(random_unitary(1 << width, seed=draw(st.integers(0, 99)))), targets)
    if draw(st.booleans()):
        circuit.barrier()
    circuit.measure(used, draw(st.permutations(range(len(used) + 1)))[: len(used)])
    return circuit


def distribution(circuit: QuantumCircuit) -> NDArray[np.float64]:
    """The exact probability of each reading, clbit 0 the low bit; clbits that nothing writes read 0."""
    source = {
        circuit.find_bit(instruction.clbits[0]).index: circuit.find_bit(instruction.qubits[0]).index
        for instruction in circuit.data
        if instruction.operation.name == "measure"
    }
    bare = circuit.remove_final_measurements(inplace=False)
    probabilities = Statevector(bare).probabilities()
    read = np.zeros(1 << circuit.num_clbits)
    for state, probability in enumerate(probabilities):
        read[sum((state >> qubit & 1) << clbit for clbit, qubit in source.items())] += probability
    return read


@settings(max_examples=examples(40))
@given(measured(), st.sampled_from(SHAPES), st.sampled_from(BASES), st.integers(0, 3), st.integers(0, 2**53))
def test_compiling_keeps_the_readings(
    circuit: QuantumCircuit, shape: Any, basis: list[str], level: int, seed: int
) -> None:
    device = Device.model_validate({"basis_gates": basis, "coupling_map": shape, "optimization_level": level})
    compiled = compile_for(circuit, device, seed=seed)
    np.testing.assert_allclose(distribution(compiled.circuit), distribution(circuit), atol=1e-7)
    assert compiled.circuit.clbits == circuit.clbits
    assert set(compiled.circuit.count_ops()) <= {*basis, "measure", "barrier"}
    check_couplings(compiled, device)
    check_layouts(compiled, circuit)


def check_couplings(compiled: Compiled, device: Device) -> None:
    circuit = compiled.circuit
    pairs = {
        tuple(sorted(circuit.find_bit(qubit).index for qubit in instruction.qubits))
        for instruction in circuit.data
        if instruction.operation.num_qubits == 2 and instruction.operation.name != "barrier"
    }
    if device.couplings is not None:
        assert pairs <= set(device.couplings)


def check_layouts(compiled: Compiled, circuit: QuantumCircuit) -> None:
    """Each measured qubit is read where the final layout says it is."""
    written = {
        compiled.circuit.find_bit(instruction.clbits[0]).index: compiled.circuit.find_bit(instruction.qubits[0]).index
        for instruction in compiled.circuit.data
        if instruction.operation.name == "measure"
    }
    for instruction in circuit.data:
        if instruction.operation.name == "measure":
            qubit = circuit.find_bit(instruction.qubits[0]).index
            assert compiled.final_layout[qubit] == written[circuit.find_bit(instruction.clbits[0]).index]
            assert compiled.initial_layout[qubit] >= 0


def test_swaps_are_counted_and_the_figures_are_those_of_the_circuits() -> None:
    circuit = QuantumCircuit(9, 3)
    for qubit in (3, 5, 8):
        circuit.h(qubit)
    circuit.cx(3, 5)
    circuit.cx(5, 8)
    circuit.cx(3, 8)
    circuit.measure([3, 5, 8], [0, 1, 2])
    compiled = compile_for(circuit, device({"shape": "line", "qubits": 3}), seed=1)
    assert compiled.swaps == 1
    assert (compiled.before.two_qubit_gates, compiled.after.two_qubit_gates) == (3, 3 + 3 * compiled.swaps)
    assert (compiled.before.depth, compiled.after.depth) == (circuit.depth(), compiled.circuit.depth())
    assert sorted(place for place in compiled.initial_layout if place >= 0) == [0, 1, 2]
    assert compile_for(circuit, device(None), seed=1).swaps == 0


def test_the_same_seed_compiles_the_same_and_the_devices_own_seed_comes_first() -> None:
    circuit = QuantumCircuit(6)
    for qubit in range(1, 6):
        circuit.cx(0, qubit)
        circuit.cx(qubit, (qubit + 2) % 6)
    circuit.measure_all()
    ring = {"shape": "ring", "qubits": 12}
    first, second = (compile_for(circuit, device(ring), seed=5).circuit for _ in range(2))
    assert first == second
    different = {compile_for(circuit, device(ring), seed=seed).initial_layout for seed in range(8)}
    assert len(different) > 1
    own = {compile_for(circuit, device(ring, seed=3), seed=seed).initial_layout for seed in range(8)}
    assert len(own) == 1


def test_branches_are_compiled_too() -> None:
    circuit = QuantumCircuit(4, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.swap(0, 3)
    circuit.measure(3, 1)
    compiled = compile_for(circuit, device({"shape": "line", "qubits": 4}), seed=1)
    counts = AerSimulator().run(compiled.circuit, shots=20).result().get_counts()
    assert counts == {"11": 20}
    assert compiled.after.two_qubit_gates >= 3


def test_a_device_of_one_qubit_holds_a_circuit_of_one() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.h(2)
    circuit.measure(2, 0)
    for shape in ("line", "ring", "full"):
        compiled = compile_for(circuit, device({"shape": shape, "qubits": 1}), seed=1)
        assert compiled.initial_layout == (-1, -1, 0)
    assert compile_for(circuit, device({"shape": "grid", "rows": 1, "columns": 1}), seed=1).circuit.num_qubits == 1


def test_too_few_qubits_and_too_few_gates_are_problems_of_the_device() -> None:
    circuit = QuantumCircuit(5)
    circuit.h(range(5))
    circuit.measure_all()
    refused = problem_of(compile_for, circuit, device({"shape": "full", "qubits": 4}), seed=1)
    assert (refused.code, refused.pointer) == ("too_few_device_qubits", "/device/coupling_map")
    refused = problem_of(compile_for, circuit, Device.model_validate({"basis_gates": ["x", "cx"]}), seed=1)
    assert (refused.code, refused.pointer) == ("cannot_compile", "/device/basis_gates")


@pytest.mark.parametrize("gate", BASIS_GATES)
def test_every_gate_that_a_device_may_have_is_known_to_the_compiler(gate: str) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    basis = list(dict.fromkeys([gate, "u", "cx"]))
    compiled = compile_for(circuit, Device.model_validate({"basis_gates": basis}), seed=1)
    np.testing.assert_allclose(distribution(compiled.circuit), distribution(circuit), atol=1e-9)


def device(coupling_map: Any, **fields: Any) -> Device:
    return Device.model_validate({"coupling_map": coupling_map, **fields})
