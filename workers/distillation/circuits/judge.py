"""What a circuit is worth where it will run: compiled for the device, as a density matrix under the noise.

The same compiler, noise and engine as a circuit job's. Nothing is sampled. Wrong readings do not bear on a state.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Qubit

from qstill.contract.circuits.device import ANYWHERE, Device
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.distillations.circuits.job import MAX_NOISY_QUBITS, ShorteningJob
from qstill.contract.errors import Problem
from workers.circuits.device import Figures, compile_for, figures
from workers.circuits.engines import aer
from workers.circuits.engines.states import state
from workers.circuits.planning import with_noise
from workers.circuits.program import Program
from workers.distillation.circuits.given import Complex, Target

BEST_LEVEL = 3  # of the transpiler
DIGITS = 12  # of a fidelity: what threads add up in another order is not told apart


@dataclass(frozen=True)
class Placed:
    """A circuit as it runs. initial, final: where each qubit starts and ends; -1 for one that is idle and has no place.

    swaps: those that compiling inserted.
    """

    circuit: QuantumCircuit
    initial: Sequence[int]
    final: Sequence[int]
    before: Figures
    after: Figures
    swaps: int


def as_it_is(circuit: QuantumCircuit) -> Placed:
    """Without a device."""
    places, found = range(circuit.num_qubits), figures(circuit)
    return Placed(circuit, places, places, found, found, 0)


def placed(circuit: QuantumCircuit, device: Device | None, *, seed: int, level: int | None = None) -> Placed:
    """Compiled for the device, or without one for u and cx. level: of the transpiler; None: the device's own.

    Raises Problem.
    """
    wanted = device or ANYWHERE
    if level is not None:
        wanted = wanted.model_copy(update={"optimization_level": level})
    try:
        done = compile_for(circuit, wanted, seed=seed)
    except Problem as problem:
        raise problem.within("/evaluation") from None
    return Placed(done.circuit, done.initial_layout, done.final_layout, done.before, done.after, done.swaps)


def both_given(job: ShorteningJob, circuit: QuantumCircuit) -> tuple[Placed, Placed]:
    """The controls: the given circuit as it would run, and at the transpiler's best. Raises Problem."""
    seed, device = job.training.seed, job.evaluation.device
    own = as_it_is(circuit) if device is None else placed(circuit, device, seed=seed)
    return own, placed(circuit, device, seed=seed, level=BEST_LEVEL)


def score(circuit: Placed, target: Target, noise: Noise | None, *, threads: int) -> float:
    """How much of what has to stay is left under the noise: 1 is all. Raises Problem."""
    if target.keep == "unitary":
        found = _process_fidelity(circuit, target, noise, threads)
    elif target.keep == "state":
        found = float(np.vdot(target.state, mixed_state(circuit, target, noise, threads=threads) @ target.state).real)
    else:
        found = target.agreement(target.expectations(mixed_state(circuit, target, noise, threads=threads)))
    return round(found, DIGITS)


def mixed_state(circuit: Placed, target: Target, noise: Noise | None, *, threads: int) -> Complex:
    """What becomes of |0…0⟩, (2^n, 2^n) over the qubits as submitted."""
    program = _noisy(circuit, noise, beside=0)
    return state("density_matrix", QuantumCircuit(target.qubits), program, circuit.final, threads=threads)


def _noisy(circuit: Placed, noise: Noise | None, *, beside: int) -> Program:
    """beside: qubits that stand beside the circuit's."""
    try:
        program, _ = with_noise(noise, circuit.circuit)
    except Problem as problem:
        raise problem.within("/evaluation") from None
    active = len(program.shape.active)
    if active + beside > MAX_NOISY_QUBITS:
        title = (
            f"Compiled, the circuit acts on {active} of the device's qubits; {MAX_NOISY_QUBITS - beside} are judged."
        )
        ways = [{"note": "name a device of fewer qubits, or leave the noise out"}]
        raise Problem("too_many_qubits", title, pointer="/evaluation/device/coupling_map", ways_out=ways)
    return program


def _process_fidelity(circuit: Placed, target: Target, noise: Noise | None, threads: int) -> float:
    """⟨V|ρ|V⟩ of what becomes of n pairs of qubits in Bell states of which the circuit acts on one half (Choi's state).

    For a unitary it is |Tr(V†U)|²/4^n.
    """
    assert target.unitary is not None
    qubits = target.qubits
    program = _noisy(circuit, noise, beside=qubits)
    wires = _wires(circuit, program.shape.active)
    begin = [wires[place] for place in _named(circuit.initial)]
    end = [wires[place] for place in _named(circuit.final)]
    references = [Qubit() for _ in range(qubits)]
    whole = QuantumCircuit([*dict.fromkeys([*program.shape.active, *wires.values()]), *references])
    pairs = list(zip(_places(whole, begin), _places(whole, references), strict=True))
    # Aer's own `set_density_matrix` looks for eigenvalues first, which takes longer than all the rest
    whole.append(
        Instruction("set_density_matrix", whole.num_qubits, 0, [_paired(whole.num_qubits, pairs)]), whole.qubits
    )
    for instruction in program.final().data:
        whole._append(instruction)
    translated = aer.translate(whole, "density_matrix")
    translated.save_density_matrix([*_places(whole, end), *_places(whole, references)])
    found = aer.run(translated, "density_matrix", threads=threads, shots=1, noise_model=program.aer_noise)
    mixed = np.asarray(found.data(0)["density_matrix"], dtype=np.complex128)
    wanted = target.unitary.T.reshape(-1) / np.sqrt(1 << qubits)  # the references are the high bits
    return float(np.vdot(wanted, mixed @ wanted).real)


def _named(places: Sequence[int]) -> list[int]:
    """A qubit without a place of its own gets a number that no device has."""
    return [place if place >= 0 else -1 - qubit for qubit, place in enumerate(places)]


def _wires(circuit: Placed, active: Sequence[Qubit]) -> dict[int, Qubit]:
    """A wire for every place where a qubit starts or ends; a qubit that nothing acts on gets one of its own."""
    known, touched = circuit.circuit.qubits, set(active)
    places = dict.fromkeys([*_named(circuit.initial), *_named(circuit.final)])
    return {place: known[place] if place >= 0 and known[place] in touched else Qubit() for place in places}


def _places(circuit: QuantumCircuit, qubits: Sequence[Qubit]) -> list[int]:
    return [circuit.find_bit(qubit).index for qubit in qubits]


def _paired(qubits: int, pairs: Sequence[tuple[int, int]]) -> Complex:
    """The density matrix of Bell pairs, and of 0 on all others."""
    amplitudes = np.zeros(1 << qubits, dtype=np.complex128)
    for number in range(1 << len(pairs)):
        index = 0
        for bit, (one, other) in enumerate(pairs):
            index |= (number >> bit & 1) * ((1 << one) | (1 << other))
        amplitudes[index] = 1.0
    amplitudes /= np.linalg.norm(amplitudes)
    return np.outer(amplitudes, amplitudes.conj())
