"""Expectation values of circuits as the circuit engine finds them: compiled, with noise, from so many shots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from torch import nn

from qstill.contract.circuits.device import ANYWHERE, Device
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.distillations.evaluation import MAX_JUDGED_QUBITS, QuantumEvaluation
from qstill.contract.errors import Problem
from workers.circuits.device import compile_for
from workers.circuits.engines import final_state
from workers.circuits.engines.dense import StateMethod
from workers.circuits.planning import with_noise
from workers.circuits.program import Ask, Program, Reals, generator
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.quantum.as_circuits import circuit_of, measured
from workers.quantum.measurements import constants_of, measurements_of
from workers.quantum.mitigate import folded
from workers.quantum.observables import PauliSum

TOGETHER = 16  # rows of one call, between which a job may be stopped


@dataclass(frozen=True)
class Engine:
    """Where circuits run. seed: for what compiling leaves to chance. between: called before every circuit.

    scale: circuits are folded to so many times their gates, after they are compiled.
    """

    noise: Noise | None
    device: Device | None
    seed: int
    threads: int
    between: Callable[[], None] = lambda: None
    scale: int = 1

    def distributions(self, circuit: QuantumCircuit, rows: Reals) -> Reals:
        """(rows, 2^n) of a circuit that measures every qubit: what infinitely many shots would count.

        rows: (rows, parameters), angles in the order of the circuit's parameters.
        """
        program = self.program_of(circuit)
        order = {each.name: number for number, each in enumerate(circuit.parameters)}
        bindings = [{each: row[order[each.name]] for each in program.circuit.parameters} for row in rows]
        parts = [bindings[start : start + TOGETHER] for start in range(0, len(rows), TOGETHER)]
        return np.concatenate([self._probabilities(program, part) for part in parts])

    def distribution(self, placed: QuantumCircuit) -> Reals:
        """(2^n,) of a circuit that is compiled and has no parameters."""
        found: Reals = self._probabilities(self._with_noise(placed), [{}])[0]
        return found

    def _probabilities(self, program: Program, bindings: Sequence[Mapping[Any, float]]) -> Reals:
        ask = Ask(shots=1, seed=0, threads=self.threads, between=self.between, probabilities=True)
        method: StateMethod = "density_matrix" if program.mixed else "statevector"
        found = np.zeros((len(bindings), 1 << program.circuit.num_clbits))
        samples = final_state.sample_each(program, [ask] * len(bindings), method, bindings if bindings[0] else ())
        for number, sample in enumerate(samples):
            for key, probability in (sample.probabilities or {}).items():
                found[number, int(key, 2)] = probability
        return found

    def placed(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """Compiled and folded. Raises the Problem of a device that does not take it."""
        try:
            return folded(compile_for(circuit, self.device or ANYWHERE, seed=self.seed).circuit, self.scale)
        except Problem as problem:
            raise problem.within("/evaluation/quantum") from None

    def program_of(self, circuit: QuantumCircuit) -> Program:
        """The circuit as it runs. Raises the Problem of a device or noise that does not take it."""
        return self._with_noise(self.placed(circuit))

    def _with_noise(self, placed: QuantumCircuit) -> Program:
        try:
            program, _ = with_noise(self.noise, placed)
        except Problem as problem:
            raise problem.within("/evaluation/quantum") from None
        _refuse_large(program)
        return program


def _refuse_large(program: Program) -> None:
    active = len(program.shape.active)
    if program.mixed and active > MAX_JUDGED_QUBITS:
        title = f"Compiled, a row acts on {active} of the device's qubits; {MAX_JUDGED_QUBITS} are run with noise."
        raise Problem("too_many_qubits", title, pointer="/evaluation/quantum/device/coupling_map")


def refuse_unrunnable(asked: QuantumEvaluation | None, network: nn.Module, seed: int) -> None:
    """Raise the Problem of an evaluation on the engine that would fail, before anything is trained."""
    if asked is not None and isinstance(network, CircuitNetwork):
        whole = measured(circuit_of(network))
        Engine(asked.noise, asked.device, seed, threads=1).program_of(whole)


def distributions_of(circuit: QuantumCircuit, rows: Reals, sums: Sequence[PauliSum], engine: Engine) -> Reals:
    """(rows, measurements, 2^n): what rows' circuits would count, measurement by measurement.

    circuit: without measurements. rows: (rows, parameters), its angles.
    """
    measurements = measurements_of(sums)
    found = np.zeros((len(rows), len(measurements), 1 << circuit.num_qubits))
    for number, measurement in enumerate(measurements):
        found[:, number] = engine.distributions(measured(circuit, measurement.basis), rows)
    return found


def means_of(distributions: Reals, sums: Sequence[PauliSum], shots: int | None, seed: int) -> Reals:
    """(rows, observables) of distributions (rows, measurements, 2^n).

    shots: of each row and measurement; None: infinitely many.
    """
    if shots is not None:
        draw = generator(seed)
        distributions = draw.multinomial(shots, distributions / distributions.sum(2, keepdims=True)) / shots
    found = np.tile(constants_of(sums), (len(distributions), 1))
    qubits = distributions.shape[2].bit_length() - 1
    for number, measurement in enumerate(measurements_of(sums)):
        found += distributions[:, number] @ measurement.worth_of_all(qubits, len(sums)).T
    return found
