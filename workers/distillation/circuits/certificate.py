"""A circuit job that runs the short circuit again: who doubts a report submits it to `POST /v1/circuits` as it is."""

from collections.abc import Sequence

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

from qstill.contract.circuits.formats import OpenQasm3Circuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.outputs import MAX_MATRIX_QUBITS, Observable, OutputName, PauliTerm
from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.circuits.report import Certificate
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.distillation.circuits.given import Target
from workers.distillation.circuits.judge import Placed, score

NAME = "certificate.json"
SHOTS = 10_000
MAX_PROJECTOR_QUBITS = 6  # a projector is 4^n Pauli strings: 4,096, a quarter of a megabyte
LEAST = 1e-9  # of a coefficient of a projector; all that is left out moves a fidelity by 4e-6 at most


def certificate(job: ShorteningJob, short: Placed, target: Target, labels: dict[str, str]) -> CircuitJob:
    """The job. labels: what it carries of the report.

    The circuit is the compiled one, over the device's qubits, which another compilation at level 0 leaves as it is.
    A fidelity is the expectation value of a projector, where the qubits are few enough for one.
    """
    noise, device = job.evaluation.errors, job.evaluation.device
    at_hand = device is not None and len(_used(short.circuit)) == short.circuit.num_qubits
    return CircuitJob(
        name="certificate of a circuit made shorter",
        labels=labels,
        circuit=OpenQasm3Circuit(format="openqasm3", source=to_openqasm3(_measured(short))),
        shots=SHOTS,
        seed=job.training.seed,
        method="auto" if noise is None else "density_matrix",
        noise=noise,
        device=device.model_copy(update={"optimization_level": 0}) if device is not None and at_hand else None,
        outputs=_outputs(short, target, noisy=noise is not None),
        observables=_observables(job, short, target),
    )


def described(job: ShorteningJob, short: Placed, target: Target, *, threads: int) -> Certificate:
    """What of its result stands beside the report, and what it is to be."""
    if target.keep == "observables":
        compares = "expectations: those of the report's `observables`, in their order"
        return Certificate(name=NAME, compares=compares, expected=None)
    of_zero = Target("state", target.qubits, target.state)
    expected = score(short, of_zero, job.evaluation.errors, threads=threads)
    if target.qubits <= MAX_PROJECTOR_QUBITS:
        compares = "expectations/0/value: the fidelity with what the given circuit makes of |0…0⟩"
    else:
        compares = "the state in results.json: its fidelity with what the given circuit makes of |0…0⟩"
    return Certificate(name=NAME, compares=compares, expected=expected)


def _used(circuit: QuantumCircuit) -> set[int]:
    return {circuit.find_bit(qubit).index for instruction in circuit.data for qubit in instruction.qubits}


def _measured(short: Placed) -> QuantumCircuit:
    """With each qubit read, where it ended, into the classical bit of its own number."""
    whole = short.circuit.copy()
    whole.add_register(ClassicalRegister(len(short.final), "c"))
    for qubit, place in enumerate(short.final):
        whole.measure(place, qubit)
    return whole


def _outputs(short: Placed, target: Target, *, noisy: bool) -> list[OutputName]:
    told = target.keep == "observables" or target.qubits <= MAX_PROJECTOR_QUBITS
    if told or short.circuit.num_qubits > MAX_MATRIX_QUBITS:
        return ["counts"]
    return ["counts", "density_matrix" if noisy else "statevector"]


def _observables(job: ShorteningJob, short: Placed, target: Target) -> list[Observable]:
    """Over the qubits where the circuit's ended."""
    if target.keep == "observables":
        names = [each.name for each in job.dataset.observables]
        return [_moved(each, name, short.final) for each, name in zip(target.operators, names, strict=True)]
    if target.qubits > MAX_PROJECTOR_QUBITS:
        return []
    projector = SparsePauliOp.from_operator(Operator(np.outer(target.state, target.state.conj())))
    return [_moved(projector, "fidelity", short.final)]


def _moved(operator: SparsePauliOp, name: str | None, places: Sequence[int]) -> Observable:
    terms = []
    for label, coefficient in operator.to_list():
        if abs(coefficient.real) < LEAST:
            continue
        acting = [(letter, place) for letter, place in zip(reversed(label), places, strict=True) if letter != "I"]
        letters, qubits = ([*part] for part in zip(*acting, strict=True)) if acting else (["I"], [places[0]])
        terms.append(PauliTerm(paulis="".join(letters), qubits=qubits, coefficient=float(coefficient.real)))
    return Observable(name=name, terms=terms)
