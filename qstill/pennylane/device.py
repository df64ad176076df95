"""A device on `qml.devices.Device`. Gradients are PennyLane's own, by parameter shifts, and their tapes are one job."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pennylane as qml
from pennylane.devices import Device, ExecutionConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.devices.preprocess import (
    decompose,
    measurements_from_samples,
    null_postprocessing,
    validate_device_wires,
    validate_measurements,
)
from pennylane.measurements import ExpectationMP, MeasurementProcess, ProbabilityMP, SampleMP, VarianceMP
from pennylane.tape import QuantumScript
from pennylane.transforms import broadcast_expand, defer_measurements, split_non_commuting

from qstill.client import Client
from qstill.client.bodies import CircuitSettings
from qstill.client.results import Result, circuits_of

NAME = "qstill"
GATES = frozenset(
    {
        *("CNOT", "CZ", "SWAP", "Toffoli", "CSWAP", "CRX", "CRY", "CRZ", "RX", "RY", "RZ", "PhaseShift"),
        *("Identity", "PauliX", "PauliY", "PauliZ", "Hadamard", "S", "Adjoint(S)", "T", "Adjoint(T)"),
    }
)  # those that PennyLane writes as OpenQASM 2

Json = dict[str, Any]


@simulator_tracking
@single_tape_support
class QstillDevice(Device):
    """wires: how many, or their labels. client: None for one of this environment. settings: of all jobs, such as noise.

    Without shots expectation values, variances and probabilities are computed; with shots all is made of samples. What
    is measured midway is deferred, which takes a wire for each: name enough of them.
    """

    name = NAME

    def __init__(
        self, wires: Any, client: Client | None = None, *, shots: Any = None, **settings: Unpack[CircuitSettings]
    ) -> None:
        super().__init__(wires=wires, shots=shots)
        if self.wires is None:
            raise ValueError("a device needs its wires: how many, or their labels")
        self._client, self._settings = client or Client(), settings

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> Any:
        """Tapes as `execute` takes them: of gates that it can write, and measurements that it can read."""
        program = qml.CompilePipeline()
        program.add_transform(validate_device_wires, wires=self.wires, name=NAME)
        program.add_transform(defer_measurements, allow_postselect=False)
        program.add_transform(_split_if_sampled)
        program.add_transform(measurements_from_samples)
        program.add_transform(
            decompose,
            target_gates=set(GATES),
            stopping_condition=lambda operator: operator.name in GATES,
            skip_initial_state_prep=False,
            name=NAME,
        )
        computed = (ExpectationMP, VarianceMP, ProbabilityMP)
        program.add_transform(
            validate_measurements,
            analytic_measurements=lambda wanted: isinstance(wanted, computed),
            sample_measurements=lambda wanted: isinstance(wanted, SampleMP),
            name=NAME,
        )
        program.add_transform(broadcast_expand)
        return program

    def execute(self, circuits: Sequence[QuantumScript], execution_config: ExecutionConfig | None = None) -> Any:
        """Tapes that want the same shots and observables are one job. Raises JobFailed, and Problem for a refusal."""
        asked = [_Asked.of(tape, self.wires) for tape in circuits]
        groups: dict[str, list[int]] = {}
        for place, each in enumerate(asked):
            groups.setdefault(json.dumps(each.settings), []).append(place)
        jobs = []
        for group in groups.values():
            sources = [asked[place].source for place in group]
            settings: Any = {**self._settings, **asked[group[0]].settings}
            jobs.append(self._client.run(sources, wait=False, **settings))
        found: dict[int, Any] = {}
        for group, job in zip(groups.values(), jobs, strict=True):
            for place, result in zip(group, circuits_of(job), strict=True):
                found[place] = asked[place].read(result)
        return tuple(found[place] for place in range(len(asked)))


@qml.transform
def _split_if_sampled(tape: QuantumScript) -> Any:
    """What does not commute cannot be sampled at once; computed it can be."""
    return split_non_commuting(tape) if tape.shots else ((tape,), null_postprocessing)


@dataclass(frozen=True)
class _Asked:
    """A tape as the service takes it. settings: shots, observables and outputs. readers: one for each measurement."""

    source: str
    settings: Json
    readers: list[Callable[[Result], Any]]

    @classmethod
    def of(cls, tape: QuantumScript, wires: Any) -> "_Asked":
        source = qml.to_openqasm(tape, wires=wires, rotations=False, measure_all=True)
        if tape.shots:
            reader = _samples(tape, wires)
            return cls(source, {"shots": tape.shots.total_shots}, [reader])
        settings: Json = {"shots": 1, "observables": []}
        readers = []
        for wanted in tape.measurements:
            if isinstance(wanted, ProbabilityMP):
                settings["outputs"] = ["counts", "probabilities"]
                readers.append(_probabilities(wanted, wires))
            else:
                readers.append(_value(wanted, wires, settings["observables"]))
        return cls(source, settings, readers)

    def read(self, result: Result) -> Any:
        found = tuple(read(result) for read in self.readers)
        return found[0] if len(found) == 1 else found


def _samples(tape: QuantumScript, wires: Any) -> Callable[[Result], Any]:
    """(shots, wires) of the one measurement of a sampled tape; one such array for each of several numbers of shots."""
    (wanted,) = tape.measurements
    columns = [wires.index(wire) for wire in wanted.wires]

    def read(result: Result) -> Any:
        bits = result.to_samples()[:, columns].astype(int)
        parts = tuple(bits[low:high] for low, high in tape.shots.bins())
        return parts if tape.shots.has_partitioned_shots else parts[0]

    return read


def _probabilities(wanted: MeasurementProcess, wires: Any) -> Callable[[Result], Any]:
    """(2^wires,), the first wire the highest bit."""
    kept = [wires.index(wire) for wire in (wanted.wires or wires)]

    def read(result: Result) -> Any:
        count = len(wires)
        whole = result.to_numpy("exact").reshape([2] * count).transpose(range(count)[::-1])  # an axis for each wire
        rest = tuple(axis for axis in range(count) if axis not in kept)
        order = np.argsort(np.argsort(kept))
        return whole.sum(axis=rest).transpose(order).reshape(-1)

    return read


def _value(wanted: MeasurementProcess, wires: Any, observables: list[Json]) -> Callable[[Result], Any]:
    """An expectation value or a variance; what it needs is added to the observables."""
    sentence = wanted.obs.pauli_rep
    if sentence is None:
        raise qml.exceptions.DeviceError(f"{wanted.obs} is no sum of Pauli strings, which is what is computed here")
    first = len(observables)
    observables.append(_observable(sentence, wires))
    if isinstance(wanted, ExpectationMP):
        return lambda result: np.float64(result.expectations[first]["value"])
    observables.append(_observable(sentence @ sentence, wires))

    def variance(result: Result) -> Any:
        mean, of_square = (result.expectations[place]["value"] for place in (first, first + 1))
        return np.float64(of_square - mean**2)

    return variance


def _observable(sentence: Any, wires: Any) -> Json:
    terms = []
    for word, coefficient in sentence.items():
        if abs(np.imag(coefficient)) > 0:
            raise qml.exceptions.DeviceError("an observable has real coefficients")
        acts = [(letter, wires.index(wire)) for wire, letter in word.items()] or [("I", 0)]
        named = {"paulis": "".join(letter for letter, _ in acts), "qubits": [qubit for _, qubit in acts]}
        terms.append({**named, "coefficient": float(np.real(coefficient))})
    return {"terms": terms}
