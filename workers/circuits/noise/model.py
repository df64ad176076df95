"""From a noise model to Aer's, and to the circuit that it acts on.

`for_noise` writes a circuit so that every place where an error can act is one instruction with one name: a one- or
two-qubit gate, or an identity before a measurement or after a reset. `noise_model` hangs the errors on these names.
An engine may then drop measurements and trailing resets, as for a final state, and still apply every error but those
of reading, which `readout_matrix` gives.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from qiskit import QuantumCircuit
from qiskit.circuit import ForLoopOp, Qubit
from qiskit_aer.noise import (
    NoiseModel,
    QuantumError,
    ReadoutError,
    amplitude_damping_error,
    depolarizing_error,
    kraus_error,
    pauli_error,
    phase_damping_error,
    thermal_relaxation_error,
)

from qstill.contract.circuits.noise.channels import (
    AmplitudeDamping,
    Depolarizing,
    GateError,
    KrausError,
    PauliError,
    PhaseDamping,
    Thermal,
)
from qstill.contract.circuits.noise.model import ANY_ONE, ANY_TWO, CustomNoise, GateRule, Noise
from qstill.contract.circuits.noise.named import as_custom
from workers.circuits.channels import completed
from workers.circuits.noise.locations import AFTER_RESET, BEFORE_MEASURE, NOWHERE, locate, name_of

MAX_SAID = 10  # rules that changed nothing; a calibrated device's are hundreds
_NANOSECONDS = 1_000  # in a microsecond

ERRORS: TypeAdapter[GateError] = TypeAdapter(GateError)
_RULED_BY = {BEFORE_MEASURE: "measure", AFTER_RESET: "reset"}  # what a rule calls the places beside a gate


def for_noise(circuit: QuantumCircuit, noise: Noise) -> QuantumCircuit:
    """The same circuit with one instruction where an error can act; unchanged if none can. Bind parameters before.

    One- and two-qubit gates stay one gate each, IonQ's native ones too. Wider gates, and gates that a source defines,
    are written by Qiskit's definitions in one- and two-qubit gates. Raises `Problem` where there is no definition.
    """
    rules = as_custom(noise)
    if not rules.gates and not rules.readout:
        return circuit
    named = {rule.name for rule in rules.gates}
    return locate(
        circuit,
        gates=bool(named - {"measure", "reset"}),
        measurements="measure" in named,
        resets="reset" in named,
        untouched_readings=bool(rules.readout),
    )


def noise_model(noise: Noise, circuit: QuantumCircuit, *, qubits: Sequence[int]) -> NoiseModel | None:
    """Aer's noise model for a circuit that `for_noise` returned, or None if nothing in it is noisy.

    qubits: what number each qubit of `circuit` has in the noise, for a circuit that idle qubits were dropped from.
    """
    rules = as_custom(noise)
    places: dict[str, set[tuple[int, ...]]] = {}
    for name, place, _ in _places(circuit):
        places.setdefault(name, set()).add(place)
    model = NoiseModel()
    for name, pairs in places.items():
        if name == "measure":
            _add_readout(model, rules, [place[0] for place in pairs], qubits)
            continue
        width = len(next(iter(pairs)))
        fitting = [rule for rule in rules.gates if _names(rule, name, width)]
        if all(rule.qubits is None for rule in fitting):
            _add(model, fitting, name, width, None)
            continue
        for place in pairs:
            there = tuple(qubits[qubit] for qubit in place)
            _add(model, [rule for rule in fitting if _stands_at(rule, there)], name, width, place)
    return None if model.is_ideal() else model


def noise_cost(noise: Noise, circuit: QuantumCircuit) -> int:
    """How many times an error can act in one shot of a circuit that `for_noise` returned; a `while` counts once."""
    rules = as_custom(noise)
    acting = [rule for rule in rules.gates if not _is_ideal(rule.error.model_dump_json(), rule.error.qubits)]
    total = 0
    for name, place, times in _places(circuit):
        if name == "measure":
            total += times * any(_reads(rule.qubits, place[0]) and any(rule.flips) for rule in rules.readout)
        else:
            width = len(place)
            total += times * any(_names(rule, name, width) and _stands_at(rule, place) for rule in acting)
    return total


def idle_rules(noise: Noise, circuit: QuantumCircuit) -> list[str]:
    """What to say of the rules of a custom noise that nothing in a circuit that `for_noise` returned falls under."""
    if not isinstance(noise, CustomNoise):
        return []
    places = {(name, place) for name, place, _ in _places(circuit)}
    read = {place[0] for name, place in places if name == "measure"}
    said = []
    for index, rule in enumerate(noise.gates):
        if not any(
            name != "measure" and _names(rule, name, len(place)) and _stands_at(rule, place) for name, place in places
        ):
            said.append(_idle(f"/noise/gates/{index}", rule.gate, rule.qubits, "stands nowhere in the circuit"))
    for index, readout in enumerate(noise.readout):
        if not any(_reads(readout.qubits, qubit) for qubit in read):
            said.append(_idle(f"/noise/readout/{index}", "a reading", readout.qubits, "happens nowhere in the circuit"))
    return said[:MAX_SAID]


def _idle(pointer: str, what: str, qubits: list[int] | None, how: str) -> str:
    where = "" if qubits is None else f" on qubits {', '.join(map(str, qubits))}"
    return f"{pointer} ({what}{where}) {how}: it changed nothing."


def errors_at(rules: CustomNoise, name: str, place: tuple[int, ...]) -> list[GateError]:
    """The errors of an instruction of a located circuit, in the order in which they happen.

    name: as `name_of` gives it. place: its qubits' numbers in the noise.
    """
    if name == NOWHERE:
        return []
    width = len(place)
    return [rule.error for rule in rules.gates if _names(rule, name, width) and _stands_at(rule, place)]


def readout_matrix(noise: Noise, qubit: int) -> NDArray[np.float64] | None:
    """(2, 2), row i column j: the probability that a qubit in i reads j; None if readings are right.

    qubit: its number in the noise. For engines that draw from a final state instead of measuring.
    """
    matrix = np.eye(2)
    for rule in as_custom(noise).readout:
        if _reads(rule.qubits, qubit):
            p01, p10 = rule.flips
            matrix = matrix @ np.array([[1 - p01, p01], [p10, 1 - p10]])
    return None if np.array_equal(matrix, np.eye(2)) else matrix


def _places(circuit: QuantumCircuit) -> Iterator[tuple[str, tuple[int, ...], int]]:
    """Name, qubits, and how often it runs, of every instruction, those in branches and loops included."""

    def walk(block: QuantumCircuit, index: dict[Qubit, int], times: int) -> Iterator[tuple[str, tuple[int, ...], int]]:
        for instruction in block.data:
            place = tuple([index[qubit] for qubit in instruction.qubits])
            if instruction.is_control_flow():
                operation = instruction.operation
                repeated = times * len(operation.params[0]) if isinstance(operation, ForLoopOp) else times
                for inner in operation.blocks:
                    yield from walk(inner, dict(zip(inner.qubits, place, strict=True)), repeated)
            elif (name := name_of(instruction)) != NOWHERE:
                yield name, place, times

    return walk(circuit, {qubit: index for index, qubit in enumerate(circuit.qubits)}, 1)


def _names(rule: GateRule, name: str, width: int) -> bool:
    """Whether the rule's gate is the one of this name."""
    if name in _RULED_BY:
        return rule.name == _RULED_BY[name]
    return rule.name in (name, ANY_ONE if width == 1 else ANY_TWO)


def _stands_at(rule: GateRule, place: tuple[int, ...]) -> bool:
    """Whether the rule holds on these qubits."""
    return _reads(rule.qubits, place[0]) if len(place) == 1 else rule.qubits is None or tuple(rule.qubits) == place


def _reads(named: list[int] | None, qubit: int) -> bool:
    return named is None or qubit in named


def _add(model: NoiseModel, rules: list[GateRule], name: str, width: int, place: tuple[int, ...] | None) -> None:
    """Hang the rules' errors, one after the other, on a gate: anywhere, or at one place."""
    if not rules:
        return
    error = channel(rules[0].error.model_dump_json(), width)
    for rule in rules[1:]:
        error = error.compose(channel(rule.error.model_dump_json(), width))
    if place is None:
        model.add_all_qubit_quantum_error(error, name)
    else:
        model.add_quantum_error(error, name, place)


def _add_readout(model: NoiseModel, rules: CustomNoise, measured: list[int], qubits: Sequence[int]) -> None:
    if all(rule.qubits is None for rule in rules.readout):
        matrix = readout_matrix(rules, 0)
        if matrix is not None:
            model.add_all_qubit_readout_error(ReadoutError(matrix))
        return
    for place in sorted(set(measured)):
        matrix = readout_matrix(rules, qubits[place])
        if matrix is not None:
            model.add_readout_error(ReadoutError(matrix), [place])


@lru_cache(1024)
def channel(error: str, width: int) -> QuantumError:
    """The channel of an error, given as JSON so that rules may share it, on a gate of `width` qubits."""
    described: GateError = ERRORS.validate_json(error)
    match described:
        case Depolarizing():
            return depolarizing_error(described.probability, width)
        case PauliError():
            channel = _pauli(described)
        case AmplitudeDamping():
            channel = amplitude_damping_error(described.gamma)
        case PhaseDamping():
            channel = phase_damping_error(described.gamma)
        case Thermal():
            t1, t2 = described.t1 * _NANOSECONDS, described.t2 * _NANOSECONDS
            channel = thermal_relaxation_error(t1, t2, described.time, described.excited_population)
        case KrausError():
            channel = kraus_error(completed(np.array(described.matrices)))
    return channel if channel.num_qubits == width else channel.tensor(channel)


@lru_cache(1024)
def _is_ideal(error: str, width: int) -> bool:
    return bool(channel(error, width).ideal())


def _pauli(error: PauliError) -> QuantumError:
    total = sum(error.terms.values())
    identity = "I" * error.qubits
    scale = max(total, 1.0)  # decimals may add up to a little more than 1
    terms = {identity: 0.0} | {term: probability / scale for term, probability in error.terms.items()}
    terms[identity] += max(0.0, 1 - total)
    return pauli_error(list(terms.items()))
