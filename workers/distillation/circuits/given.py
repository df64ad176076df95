"""The circuit that is to be made shorter, and what of it has to stay."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Qubit
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, Statevector

from qstill.contract.circuits.admission import check_binding
from qstill.contract.distillations.circuits.admission import check_noise
from qstill.contract.distillations.circuits.job import GivenCircuit, Keep, ShorteningJob, check_size
from qstill.contract.errors import Problem
from workers.circuits.binding import bind
from workers.circuits.engines.states import state
from workers.circuits.examine.shape import examine, final_measurements
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.circuits.observables import lower
from workers.circuits.parse import parse
from workers.circuits.program import Program

Complex = NDArray[np.complex128]
Reals = NDArray[np.float64]

_SILENT = {"barrier", "delay", "id"}


@dataclass(frozen=True)
class Target:
    """What has to stay. state: (2^n,), what becomes of |0…0⟩. unitary: (2^n, 2^n), where all of it stays.

    operators: over all qubits; values: of each in `state`; ranges: by how much each can differ between two states.
    """

    keep: Keep
    qubits: int
    state: Complex
    unitary: Complex | None = None
    operators: list[SparsePauliOp] = field(default_factory=list)
    values: Reals = field(default_factory=lambda: np.zeros(0))
    ranges: Reals = field(default_factory=lambda: np.zeros(0))

    def expectations(self, mixed: Complex) -> Reals:
        """Of the operators in a density matrix (2^n, 2^n)."""
        state = DensityMatrix(mixed)
        return np.array([np.real(state.expectation_value(operator)) for operator in self.operators])

    def agreement(self, values: Reals) -> float:
        """1 less the root mean square of the deviations as shares of the ranges: between 0 and 1."""
        return 1.0 - float(np.sqrt(np.mean(((values - self.values) / self.ranges) ** 2)))


@dataclass(frozen=True)
class Given:
    """circuit: as submitted, its gates alone."""

    circuit: QuantumCircuit
    target: Target

    @property
    def digest(self) -> str:
        """Of the gates."""
        return digest_of(self.circuit)


def digest_of(circuit: QuantumCircuit) -> str:
    """Equal circuits have equal ones."""
    return hashlib.sha256(to_openqasm3(circuit).encode()).hexdigest()[:16]


def given(job: ShorteningJob, threads: int) -> Given:
    """Read the circuit, and compute what has to stay. Raises Problem."""
    try:
        circuit = gates_alone(_parsed(job.dataset))
    except Problem as problem:
        raise problem.within("/dataset") from None
    check_size(job, circuit.num_qubits)
    check_noise(job, circuit.num_qubits)
    program = Program(circuit, examine(circuit))
    begun = state("statevector", circuit, program, None, threads=threads)
    return Given(circuit, _target(job.dataset, circuit, program, begun, threads))


def _parsed(dataset: GivenCircuit) -> QuantumCircuit:
    if dataset.bindings is None:
        return parse(dataset.circuit)
    circuit = parse(dataset.circuit, bound=False)
    check_binding({parameter.name for parameter in circuit.parameters}, dataset.bindings, "/bindings")
    return next(iter(bind(circuit, [dataset.bindings])))


def gates_alone(circuit: QuantumCircuit) -> QuantumCircuit:
    """Without its final measurements, barriers, and resets of qubits that nothing touched yet.

    Raises Problem not_a_unitary for what is left besides gates.
    """
    last, touched = final_measurements(circuit), set[Qubit]()
    bare = QuantumCircuit(circuit.qubits, *circuit.qregs, global_phase=circuit.global_phase)
    for position, instruction in enumerate(circuit.data):
        operation = instruction.operation
        if position in last or operation.name in _SILENT:
            continue
        if operation.name == "reset" and touched.isdisjoint(instruction.qubits):
            continue
        if not isinstance(operation, Gate):
            qubits = ", ".join(str(circuit.find_bit(qubit).index) for qubit in instruction.qubits)
            note = "Leave it out, or cut the circuit there and make its parts shorter one by one."
            raise Problem(
                "not_a_unitary",
                f"{operation.name} on qubit {qubits} is no gate: a circuit that is made shorter has gates, and "
                "measurements at its end.",
                pointer="/circuit",
                ways_out=[{"note": note}],
            )
        touched.update(instruction.qubits)
        bare._append(instruction)
    return bare


def _target(dataset: GivenCircuit, circuit: QuantumCircuit, program: Program, begun: Complex, threads: int) -> Target:
    qubits = circuit.num_qubits
    match dataset.keep:
        case "state":
            return Target("state", qubits, begun)
        case "unitary":
            return Target("unitary", qubits, begun, state("unitary", circuit, program, None, threads=threads))
        case "observables":
            places = {qubit: qubit for qubit in range(qubits)}
            operators = [
                lower(each, qubits, places, f"/dataset/observables/{number}").operator
                for number, each in enumerate(dataset.observables)
            ]
            values = [float(np.real(Statevector(begun).expectation_value(each))) for each in operators]
            ranges = [max(2 * float(np.abs(each.coeffs).sum()), 1e-300) for each in operators]
            return Target("observables", qubits, begun, None, operators, np.array(values), np.array(ranges))
