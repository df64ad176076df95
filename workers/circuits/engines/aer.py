"""Aer as the engines use it: one simulator and one pass manager for each of its methods, and failures as problems.

Building a pass manager takes 60 ms, using it 1 ms, seeing that a circuit needs none 0.1 ms.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlledGate, Gate, ParameterExpression
from qiskit.circuit.controlflow import CONTROL_FLOW_OP_NAMES
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from qiskit.synthesis import OneQubitEulerDecomposer
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator

from qstill.contract.circuits.gates import MAX_QUBITS
from qstill.contract.errors import Problem
from workers.circuits.program import Prepare, seeds

FUSED_QUBITS = 14  # from which Aer fuses gates; those of a pass manager stand in an order that fuses better, by a fifth

AerMethod = Literal["statevector", "density_matrix", "matrix_product_state", "unitary"]


@lru_cache
def simulator(method: AerMethod = "statevector") -> Any:
    """Aer's simulator. Options go into each `run`, so that jobs share nothing. Whether a state fits is for the memory
    to say, not for the pass manager.
    """
    return AerSimulator(method=method, n_qubits=MAX_QUBITS)


@lru_cache
def _pass_manager(method: AerMethod) -> Any:
    return generate_preset_pass_manager(optimization_level=0, backend=simulator(method))


@lru_cache
def _native(method: AerMethod) -> frozenset[str]:
    """What Aer runs by itself, less what holds blocks of other operations."""
    return frozenset(simulator(method).target.operation_names) - set(CONTROL_FLOW_OP_NAMES)


@lru_cache(1)
def _euler_angles() -> Any:
    return OneQubitEulerDecomposer("U")


def translate(circuit: QuantumCircuit, method: AerMethod = "statevector") -> QuantumCircuit:
    """The same circuit in operations that Aer runs as they are. Raises `Problem` where there is none."""
    squared = method in ("density_matrix", "unitary")
    small = circuit.num_qubits * (2 if squared else 1) < FUSED_QUBITS
    if small and _native(method).issuperset(circuit.count_ops()):
        return _bindable(circuit) if circuit.parameters else circuit.copy()
    try:
        translated: QuantumCircuit = _pass_manager(method).run(circuit)
    except QiskitError as error:
        raise Problem(
            "unsupported_operation", f"The simulator cannot run this: {error.message}", pointer="/circuit"
        ) from None
    return _bindable(translated) if translated.parameters else translated


def _bindable(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same with every parameter where Aer finds it when it binds a sweep by itself.

    A `cp(theta)` says of itself that it has no parameter (Qiskit 2.6), and Aer would leave it unbound without a word;
    a global phase with a parameter makes Aer refuse the circuit (0.18), and none can be observed.
    """
    plain = circuit.copy_empty_like()
    if isinstance(plain.global_phase, ParameterExpression):
        plain.global_phase = 0.0
    for instruction in circuit.data:
        operation = instruction.operation
        if isinstance(operation, ControlledGate) and any(isinstance(p, ParameterExpression) for p in operation.params):
            gate = Gate(operation.name, operation.num_qubits, list(operation.params))
            instruction = instruction.replace(operation=gate)
        plain._append(instruction)
    return plain


def prepare(method: AerMethod) -> Prepare:
    """What a gate has to become before `translate`. Other methods take controlled gates apart."""
    return for_aer if method in ("statevector", "unitary") else lambda instruction: instruction


def for_aer(instruction: CircuitInstruction) -> CircuitInstruction:
    """A one-qubit gate with several controls as Aer's own `mcu`, exact and one step however many controls it has."""
    operation = instruction.operation
    if not isinstance(operation, ControlledGate) or operation.num_ctrl_qubits < 2:
        return instruction
    open_controls = operation.ctrl_state != (1 << operation.num_ctrl_qubits) - 1
    if open_controls or operation.base_gate.num_qubits != 1 or operation.name in ("ccx", "ccz", "mcx", "mcphase"):
        return instruction
    if operation.base_gate.is_parameterized():
        return instruction
    theta, phi, lam, phase = _euler_angles().angles_and_phase(Operator(operation.base_gate).data)
    return instruction.replace(operation=Gate("mcu", operation.num_qubits, [theta, phi, lam, phase]))


def run(
    circuit: QuantumCircuit, method: AerMethod = "statevector", *, threads: int, seed: int = 0, **options: Any
) -> Any:
    """Aer's result for one circuit, or for all sets of parameters of one. Raises `Problem`.

    Aer seeds shot i with its seed plus i, so that two neighbouring seeds would share all their shots but one.
    """
    (own,) = seeds(seed, 1)
    result = simulator(method).run(circuit, max_parallel_threads=threads, seed_simulator=own, **options).result()
    if not result.success:  # Aer reports a failure as a status, not as an exception
        _fail([entry.status for entry in result.results] or [result.status])
    return result


def _fail(statuses: Sequence[Any]) -> None:
    told = (str(status).removeprefix("ERROR: ").strip() for status in statuses)
    status = next((words for words in told if words != "DONE"), "no reason given")
    code = "needs_more_memory" if "memory" in status.lower() else "simulation_failed"
    raise Problem(code, f"The simulator gave up: {status}", pointer="/circuit")
