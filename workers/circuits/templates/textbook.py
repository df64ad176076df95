"""Bell, GHZ, superposition, teleportation, Deutsch-Jozsa, Bernstein-Vazirani. Nielsen and Chuang, chapters 1 and 2."""

from math import ceil, log2

import numpy as np
from pydantic import JsonValue
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import DiagonalGate, UniformSuperpositionGate

from qstill.contract.circuits.templates.answer import Answer
from qstill.contract.circuits.templates.textbook import (
    Bell,
    BernsteinVazirani,
    DeutschJozsa,
    Ghz,
    Superposition,
    Teleportation,
)
from workers.circuits.templates.evidence import FITS, Floats, distribution, fit, most_frequent
from workers.circuits.templates.prepared import Counts, Prepared


def bell(template: Bell) -> Prepared:
    """Φ+ with a bit flipped and a phase turned is any of the four; ZZ, XX and YY are each +1 or -1 on it."""
    flipped, turned = template.state.startswith("psi"), template.state.endswith("minus")
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    if flipped:
        circuit.x(1)
    if turned:
        circuit.z(0)
    for qubit in (0, 1):
        if template.basis == "y":
            circuit.sdg(qubit)
        if template.basis != "z":
            circuit.h(qubit)
    circuit.measure((0, 1), (0, 1))
    zz, xx = (-1 if flipped else 1), (-1 if turned else 1)
    correlation = {"z": zz, "x": xx, "y": -zz * xx}[template.basis]
    expected = {"00": 0.5, "11": 0.5} if correlation == 1 else {"01": 0.5, "10": 0.5}

    def interpret(counts: Counts, shots: int) -> Answer:
        same = counts.get("00", 0) + counts.get("11", 0)
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"Both qubits read the same in {same:,} of {shots:,} shots.",
            found={"correlation": 2 * same / shots - 1},
            expected={"correlation": float(correlation)},
            agrees=tested.good,
            criterion=FITS,
            figures={"probabilities": dict(expected), **tested.figures()},
        )

    return Prepared(circuit, interpret)


def ghz(template: Ghz) -> Prepared:
    qubits = template.qubits
    circuit = QuantumCircuit(qubits, qubits)
    circuit.h(0)
    for qubit in range(1, qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure(range(qubits), range(qubits))
    expected = {"0" * qubits: 0.5, "1" * qubits: 0.5}

    def interpret(counts: Counts, shots: int) -> Answer:
        zeros, ones = (counts.get(key, 0) for key in expected)
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"All {qubits} qubits read the same in {zeros + ones:,} of {shots:,} shots.",
            found={"all_zero": zeros / shots, "all_one": ones / shots},
            expected={"all_zero": 0.5, "all_one": 0.5},
            agrees=tested.good,
            criterion=FITS,
            figures=tested.figures(),
        )

    return Prepared(circuit, interpret)


def superposition(template: Superposition) -> Prepared:
    qubits = ceil(log2(template.states))
    circuit = QuantumCircuit(qubits, qubits)
    if 1 << qubits == template.states:
        circuit.h(range(qubits))
    else:
        circuit.append(UniformSuperpositionGate(template.states, qubits), range(qubits))
    circuit.measure(range(qubits), range(qubits))
    expected = {format(state, f"0{qubits}b"): 1 / template.states for state in range(template.states)}

    def interpret(counts: Counts, shots: int) -> Answer:
        tested = fit(counts, shots, expected)
        largest = max(counts.values()) / shots
        return Answer(
            summary=f"{len(counts):,} different states were read; {template.states:,} are equally probable.",
            found={"states": len(counts), "largest_frequency": largest},
            expected={"states": template.states, "probability": 1 / template.states},
            agrees=tested.good,
            criterion=FITS,
            figures=tested.figures(),
        )

    return Prepared(circuit, interpret)


def teleportation(template: Teleportation) -> Prepared:
    """What arrives is prepared backwards, so that a faithful copy reads 0."""
    sent, bell_bits, arrived = QuantumRegister(3, "q"), ClassicalRegister(2, "bell"), ClassicalRegister(1, "arrived")
    circuit = QuantumCircuit(sent, bell_bits, arrived)
    circuit.u(template.theta, template.phi, 0, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure((0, 1), bell_bits)
    with circuit.if_test((bell_bits[1], 1)):
        circuit.x(2)
    with circuit.if_test((bell_bits[0], 1)):
        circuit.z(2)
    circuit.u(-template.theta, 0, -template.phi, 2)
    circuit.measure(2, arrived[0])
    expected = {f"0{bits:02b}": 0.25 for bits in range(4)}

    def interpret(counts: Counts, shots: int) -> Answer:
        faithful = sum(count for key, count in counts.items() if key[0] == "0")
        messages: dict[str, JsonValue] = {
            f"{bits:02b}": counts.get(f"0{bits:02b}", 0) + counts.get(f"1{bits:02b}", 0) for bits in range(4)
        }
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"The state arrived in {faithful:,} of {shots:,} shots, with all four messages.",
            found={"fidelity": faithful / shots},
            expected={"fidelity": 1.0},
            agrees=tested.good,
            criterion=f"{FITS} A state that did not arrive is excluded.",
            figures={"messages": messages, **tested.figures()},
        )

    return Prepared(circuit, interpret)


def deutsch_jozsa(template: DeutschJozsa, *, seed: int) -> Prepared:
    """A phase oracle of a function drawn by the seed, between two layers of Hadamards."""
    inputs = 1 << template.qubits
    generator = np.random.default_rng(seed)
    if template.function == "constant":
        table = np.full(inputs, generator.integers(2))
    else:
        table = generator.permutation(np.arange(inputs) % 2)
    signs: Floats = 1 - 2 * table.astype(np.float64)
    qubits = range(template.qubits)
    circuit = QuantumCircuit(template.qubits, template.qubits)
    circuit.h(qubits)
    circuit.append(DiagonalGate(signs.tolist()), qubits)
    circuit.h(qubits)
    circuit.measure(qubits, qubits)
    expected = distribution(_walsh_hadamard(signs) ** 2, template.qubits)

    def interpret(counts: Counts, shots: int) -> Answer:
        zeros = counts.get("0" * template.qubits, 0)
        verdict = "constant" if 2 * zeros >= shots else "balanced"
        tested = fit(counts, shots, expected)
        return Answer(
            summary=f"The function is {verdict}: {zeros:,} of {shots:,} shots read 0.",
            found=verdict,
            expected=template.function,
            agrees=tested.good and verdict == template.function,
            criterion=f"{FITS} 0 is certain for a constant function and excluded for a balanced one.",
            figures={"truth_table": "".join(map(str, table.tolist())), "zeros": zeros, **tested.figures()},
        )

    return Prepared(circuit, interpret)


def _walsh_hadamard(signs: Floats) -> Floats:
    """Σ_x signs[x]·(-1)^(x·y) / 2^n: the amplitudes before measuring, by the fast transform."""
    values = signs.copy()
    width = 1
    while width < len(values):
        pairs = values.reshape(-1, 2, width)
        values = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(-1)
        width *= 2
    return values / len(values)


def bernstein_vazirani(template: BernsteinVazirani) -> Prepared:
    """The last qubit is in |-⟩: each controlled-NOT kicks a phase back to its control."""
    secret = template.secret
    length = len(secret)
    circuit = QuantumCircuit(length + 1, length)
    circuit.x(length)
    circuit.h(range(length + 1))
    for qubit in range(length):
        if secret[length - 1 - qubit] == "1":
            circuit.cx(qubit, length)
    circuit.h(range(length))
    circuit.measure(range(length), range(length))

    def interpret(counts: Counts, shots: int) -> Answer:
        found = most_frequent(counts)
        hits = counts.get(secret, 0)
        return Answer(
            summary=f"The string is {found}, read in {counts[found]:,} of {shots:,} shots of one query each.",
            found=found,
            expected=secret,
            agrees=hits == shots,
            criterion="Every shot reads the secret.",
            figures={"success_probability": hits / shots, "theory": 1.0, "classical_queries": length},
        )

    return Prepared(circuit, interpret)
