"""What Aer runs, and the one pass manager that translates circuits for it: building it takes 60 ms, using it 0.1 ms."""

from functools import lru_cache
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlledGate, Gate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from qiskit.synthesis import OneQubitEulerDecomposer
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator

from app.errors import Problem

MAX_ACTIVE_QUBITS = 64  # whether a state fits is for the memory to say, not for the pass manager


@lru_cache(1)
def simulator() -> Any:
    """Aer's statevector simulator. Options go into each `run`, so that jobs share nothing."""
    return AerSimulator(method="statevector", n_qubits=MAX_ACTIVE_QUBITS)


@lru_cache(1)
def _pass_manager() -> Any:
    return generate_preset_pass_manager(optimization_level=0, backend=simulator())


@lru_cache(1)
def _euler_angles() -> Any:
    return OneQubitEulerDecomposer("U")


def translate(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit in operations that Aer runs as they are. Raises `Problem` where there is none."""
    try:
        translated: QuantumCircuit = _pass_manager().run(circuit)
    except QiskitError as error:
        raise Problem(
            "unsupported_operation", f"The simulator cannot run this: {error.message}", pointer="/circuit"
        ) from None
    return translated


def for_aer(instruction: CircuitInstruction) -> CircuitInstruction:
    """A one-qubit gate with several controls as Aer's own `mcu`, exact and one step however many controls it has."""
    operation = instruction.operation
    if not isinstance(operation, ControlledGate) or operation.num_ctrl_qubits < 2:
        return instruction
    open_controls = operation.ctrl_state != (1 << operation.num_ctrl_qubits) - 1
    if open_controls or operation.base_gate.num_qubits != 1 or operation.name in ("ccx", "ccz", "mcx", "mcphase"):
        return instruction
    theta, phi, lam, phase = _euler_angles().angles_and_phase(Operator(operation.base_gate).data)
    return instruction.replace(operation=Gate("mcu", operation.num_qubits, [theta, phi, lam, phase]))
