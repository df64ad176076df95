"""QFT, phase estimation, Grover, Shor for 15, quantum volume, random Clifford."""

from collections import Counter
from fractions import Fraction
from math import asin, gcd, pi, sin, sqrt

import numpy as np
from pydantic import JsonValue
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Gate
from qiskit.circuit.library import (
    MCPhaseGate,
    PhaseGate,
    QFTGate,
    StatePreparation,
    grover_operator,
    phase_estimation,
    quantum_volume,
)
from qiskit.quantum_info import random_clifford, random_pauli

from qstill.contract.circuits.templates.algorithms import (
    Grover,
    PhaseEstimation,
    Qft,
    QuantumVolume,
    RandomClifford,
    Shor15,
)
from qstill.contract.circuits.templates.answer import Answer
from workers.circuits.templates.evidence import (
    FITS,
    SIGMA,
    distribution,
    exact_probabilities,
    fit,
    most_frequent,
    within,
)
from workers.circuits.templates.prepared import Counts, Prepared

FIFTEEN = 15
TWO_THIRDS = 2 / 3  # what heavy outputs must exceed, arXiv:1811.12926


def qft(template: Qft) -> Prepared:
    """Theory is the classical Fourier transform of the same state."""
    size = 1 << template.qubits
    state = np.zeros(size)
    state[template.offset :: template.period] = 1
    state /= np.linalg.norm(state)
    qubits = range(template.qubits)
    circuit = QuantumCircuit(template.qubits, template.qubits)
    circuit.append(StatePreparation(state), qubits)
    circuit.append(QFTGate(template.qubits), qubits)
    circuit.measure(qubits, qubits)
    spectrum = np.abs(np.fft.ifft(state, norm="ortho")) ** 2
    expected = distribution(spectrum, template.qubits)
    peaks = sorted(expected, key=lambda key: (-expected[key], key))[:8]

    def interpret(counts: Counts, shots: int) -> Answer:
        tested = fit(counts, shots, expected)
        found = most_frequent(counts)
        return Answer(
            summary=f"Peaks stand where a period of {template.period} in {size} puts them; "
            f"the highest was read at {int(found, 2)}.",
            found={key: counts.get(key, 0) / shots for key in peaks},
            expected={key: expected[key] for key in peaks},
            agrees=tested.good,
            criterion=FITS,
            figures={"spectrum": spectrum.tolist(), "distance_of_peaks": size / template.period, **tested.figures()},
        )

    return Prepared(circuit, interpret)


def estimate_phase(template: PhaseEstimation) -> Prepared:
    size = 1 << template.qubits
    estimation = phase_estimation(template.qubits, PhaseGate(2 * pi * template.phase))
    circuit = QuantumCircuit(*estimation.qregs, ClassicalRegister(template.qubits, "phase"))
    circuit.x(template.qubits)  # the eigenstate
    circuit.compose(estimation, inplace=True)
    circuit.measure(range(template.qubits), range(template.qubits)[::-1])  # the first qubit holds the highest bit
    offsets = template.phase - np.arange(size) / size
    sums = np.exp(2j * pi * np.outer(np.arange(size), offsets)).sum(axis=0) / size
    expected = distribution(np.abs(sums) ** 2, template.qubits)

    def interpret(counts: Counts, shots: int) -> Answer:
        found = int(most_frequent(counts), 2) / size
        distance = abs(found - template.phase)
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"The phase is {found:g} turns, to {template.qubits} bits.",
            found=found,
            expected=template.phase,
            agrees=tested.good,
            criterion=FITS,
            figures={"error": min(distance, 1 - distance), "resolution": 1 / size, **tested.figures()},
        )

    return Prepared(circuit, interpret)


def grover(template: Grover) -> Prepared:
    """After k iterations a marked string is read with probability sin²((2k+1)θ), sin²θ being the marked share."""
    marked, length = template.marked, len(template.marked[0])
    qubits = range(length)
    angle = asin(sqrt(len(marked) / (1 << length)))
    best = round(pi / (4 * angle) - 0.5)
    iterations = best if template.iterations is None else template.iterations
    oracle = QuantumCircuit(length)
    for string in marked:
        zeros = [qubit for qubit in qubits if string[length - 1 - qubit] == "0"]
        for qubit in zeros:
            oracle.x(qubit)
        oracle.append(MCPhaseGate(pi, length - 1), qubits)
        for qubit in zeros:
            oracle.x(qubit)
    step = grover_operator(oracle)
    circuit = QuantumCircuit(length, length)
    circuit.h(qubits)
    for _ in range(iterations):
        circuit.compose(step, inplace=True)
    circuit.measure(qubits, qubits)
    theory = sin((2 * iterations + 1) * angle) ** 2
    other = (1 - theory) / ((1 << length) - len(marked))
    keys = [format(index, f"0{length}b") for index in range(1 << length)]
    expected = {key: theory / len(marked) if key in marked else other for key in keys}

    def interpret(counts: Counts, shots: int) -> Answer:
        success = sum(counts.get(key, 0) for key in marked) / shots
        found = sorted(sorted(counts, key=lambda key: (-counts[key], key))[: len(marked)])
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"{success:.1%} of the shots read a marked string, after {iterations} iterations.",
            found=list[JsonValue](found),
            expected=list[JsonValue](sorted(marked)),
            agrees=tested.good,
            criterion=FITS,
            figures={
                "iterations": iterations,
                "best_iterations": best,
                "success_probability": success,
                "theory": theory,
                "blind_guess": len(marked) / (1 << length),
                **tested.figures(),
            },
        )

    return Prepared(circuit, interpret)


def shor_15(template: Shor15) -> Prepared:
    """The order r of a modulo 15 from phases s/r, then factors from gcd(a^(r/2) ± 1, 15)."""
    counting = template.counting_qubits
    register, work = QuantumRegister(counting, "counting"), QuantumRegister(4, "work")
    circuit = QuantumCircuit(register, work, ClassicalRegister(counting, "phase"))
    circuit.h(register)
    circuit.x(work[0])  # the number 1
    for index in range(counting):
        factor = pow(template.a, 1 << index, FIFTEEN)
        if factor != 1:
            circuit.append(_times(factor).control(), [register[index], *work])
    circuit.append(QFTGate(counting).inverse(), register)
    circuit.measure(register, circuit.clbits)
    order = _order(template.a)
    size = 1 << counting
    expected = {format(peak * size // order, f"0{counting}b"): 1 / order for peak in range(order)}

    def interpret(counts: Counts, shots: int) -> Answer:
        found = _order_from(counts, template.a, size)
        factors = _factors(template.a, found)
        tested = fit(counts, shots, expected)
        if factors:
            words = f"15 = {factors[0]} × {factors[1]}"
        elif found == order:
            words = "it gives no factors: try another base"
        else:
            words = "its factors do not follow: take more shots, or less noise"
        measured = "No order was read" if found is None else f"The order of {template.a} modulo 15 is {found}"
        theory = _factors(template.a, order)
        return Answer(
            summary=f"{measured}; {words}.",
            found={"order": found, "factors": list[JsonValue](factors)},
            expected={"order": order, "factors": list[JsonValue](theory)},
            agrees=tested.good and found == order and factors == theory,
            criterion=f"{FITS} Order and factors are the same.",
            figures={"phases": {key: counts.get(key, 0) / shots for key in expected}, **tested.figures()},
        )

    return Prepared(circuit, interpret)


def _times(factor: int) -> Gate:
    """x → factor·x mod 15 for x in 1 … 14. Times two is a rotation of the four bits, times -1 their complement."""
    gate = QuantumCircuit(4, name=f"×{factor} mod 15")
    negative = factor in (7, 11, 13, 14)
    doublings = (1, 2, 4, 8).index(FIFTEEN - factor if negative else factor)
    for _ in range(doublings):
        gate.swap(2, 3)
        gate.swap(1, 2)
        gate.swap(0, 1)
    if negative:
        gate.x(range(4))
    return gate.to_gate()


def _order(base: int) -> int:
    return next(power for power in range(1, FIFTEEN) if pow(base, power, FIFTEEN) == 1)


def _order_from(counts: Counts, base: int, size: int) -> int | None:
    """The order that most shots speak for: the denominator of a measured phase, if its power of a is 1."""
    votes: Counter[int] = Counter()
    for key, count in counts.items():
        denominator = Fraction(int(key, 2), size).limit_denominator(FIFTEEN - 1).denominator
        if pow(base, denominator, FIFTEEN) == 1:
            votes[denominator] += count
    return min(votes, key=lambda order: (-votes[order], order)) if votes else None


def _factors(base: int, order: int | None) -> list[int]:
    """The two factors of 15, or none where the order is odd or a^(r/2) is -1."""
    if order is None or order % 2:
        return []
    root = pow(base, order // 2, FIFTEEN)
    factors = sorted({gcd(root - 1, FIFTEEN), gcd(root + 1, FIFTEEN)})
    return factors if 1 < factors[0] < FIFTEEN else []


def volume(template: QuantumVolume, *, seed: int) -> Prepared:
    """Heavy outputs are those more probable than the median."""
    qubits = range(template.qubits)
    model = quantum_volume(template.qubits, seed=np.random.default_rng(seed))
    ideal = exact_probabilities(model)
    heavy = {format(index, f"0{template.qubits}b") for index in np.flatnonzero(ideal > np.median(ideal))}
    theory = float(ideal[ideal > np.median(ideal)].sum())
    circuit = QuantumCircuit(template.qubits, template.qubits)
    circuit.compose(model, inplace=True)
    circuit.measure(qubits, qubits)

    def interpret(counts: Counts, shots: int) -> Answer:
        found = sum(count for key, count in counts.items() if key in heavy) / shots
        lowest = found - 2 * sqrt(found * (1 - found) / shots)
        return Answer(
            summary=f"{found:.1%} of the shots read a heavy output; {theory:.1%} are expected of this circuit.",
            found=found,
            expected=theory,
            agrees=within(found, theory, sqrt(theory * (1 - theory) / shots)),
            criterion=f"The share of heavy outputs lies within {SIGMA} standard deviations of the exact one.",
            figures={
                "heavy_outputs": len(heavy),
                "two_sigma_below": lowest,
                "above_two_thirds": lowest > TWO_THIRDS,
                "mean_over_random_circuits": (1 + float(np.log(2))) / 2,
            },
        )

    return Prepared(circuit, interpret)


def clifford(template: RandomClifford, *, seed: int) -> Prepared:
    """C, then P, then C†: the tableau of C says which Pauli C†PC is, and its X part which bits it flips."""
    generator = np.random.default_rng(seed)
    qubits = range(template.qubits)
    drawn = random_clifford(template.qubits, seed=generator)
    pauli = random_pauli(template.qubits, seed=generator)
    there = drawn.to_circuit()
    circuit = QuantumCircuit(template.qubits, template.qubits)
    circuit.compose(there, inplace=True)
    circuit.barrier()
    for qubit in qubits:
        letter = pauli[qubit].to_label()[-1].lower()
        if letter != "i":
            getattr(circuit, letter)(qubit)
    circuit.barrier()
    circuit.compose(there.inverse(), inplace=True)
    circuit.measure(qubits, qubits)
    flips = pauli.evolve(drawn, frame="h").x
    expected = "".join("1" if flip else "0" for flip in reversed(flips))

    def interpret(counts: Counts, shots: int) -> Answer:
        found = most_frequent(counts)
        hits = counts.get(expected, 0)
        return Answer(
            summary=f"{found} was read in {counts[found]:,} of {shots:,} shots.",
            found=found,
            expected=expected,
            agrees=hits == shots,
            criterion="Every shot reads the bits that the conjugated Pauli flips.",
            figures={"success_probability": hits / shots, "gates": circuit.size() - template.qubits},
        )

    return Prepared(circuit, interpret)
