"""Trained networks on the circuit engine: their measure over shots, with noise and without, raw and calibrated."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qstill.contract.circuits.noise import Noise
from qstill.contract.distillations.evaluation import QuantumEvaluation
from qstill.contract.distillations.report.quantum import Judged, OnEngine
from workers.circuits.program import Reals, seeds
from workers.distillation.data.dataset import Data
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.quantum.as_circuits import angles_of_rows, circuit_of
from workers.distillation.quantum.on_engine import Engine, distributions_of, means_of
from workers.distillation.training.keeper import Keeper
from workers.run import Stopped


class Judge:
    """The rows on which networks are judged, and how. answers: the teacher's logits (test rows, classes)."""

    def __init__(self, asked: QuantumEvaluation, data: Data, answers: Tensor, keeper: Keeper, seed: int) -> None:
        self.asked, self.data, self.keeper, self.seed = asked, data, keeper, seed
        tested = data.test.some(slice(0, asked.rows))
        self.x, self.labels, self.answers = tested.x, tested.labels, answers[: asked.rows]
        self.calibrated_on = data.train.x[data.learned[: asked.calibration_rows]]

    def judged(self, networks: Mapping[str, CircuitNetwork]) -> OnEngine:
        """networks: by what the report calls them, the student first."""
        noises: list[Noise | None] = [None] if self.asked.noise is None else [None, self.asked.noise]
        curve: list[Judged] = []
        for done, (name, network) in enumerate(networks.items()):
            self.keeper.run.progress(phase="on the circuit engine", done=done, total=len(networks), unit="networks")
            for noise in noises:
                curve += self._curve(name, network, noise)
        student = next(iter(networks.values()))
        test, calibration = self._distributions("student", student, noises[-1])
        return OnEngine(
            rows=len(self.x),
            calibration_rows=len(self.calibrated_on),
            bases=test.shape[1],
            simulated=self._value(student, student.means(self.x).detach().double().numpy()),
            curve=curve,
            gains=self._gains(student, means_of(calibration, student.sums, None, 0)).tolist(),
        )

    def _curve(self, name: str, network: CircuitNetwork, noise: Noise | None) -> list[Judged]:
        test, calibration = self._distributions(name, network, noise)
        found = []
        for number, shots in enumerate([*self.asked.shots, None]):
            of_test, of_calibration = seeds(self.seed + number, 2)
            means = means_of(test, network.sums, shots, of_test)
            gains = self._gains(network, means_of(calibration, network.sums, shots, of_calibration))
            raw, calibrated = self._value(network, means), self._value(network, means * gains)
            noisy = noise is not None
            found.append(Judged(network=name, noisy=noisy, shots=shots, value=raw, calibrated=calibrated))
        return found

    def _distributions(self, name: str, network: CircuitNetwork, noise: Noise | None) -> tuple[Reals, Reals]:
        """Of the test rows and of those for calibration; an attempt that goes on finds an earlier one's."""
        kept = f"distributions of {name}, {'noisy' if noise else 'ideal'}"
        if kept not in self.keeper.notes:
            engine = Engine(noise, self.asked.device, self.seed, self.keeper.run.threads, self._stop)
            angles = angles_of_rows(network, torch.cat([self.x, self.calibrated_on]))
            self.keeper.note(
                kept, torch.from_numpy(distributions_of(circuit_of(network), angles, network.sums, engine))
            )
        every: Reals = self.keeper.notes[kept].numpy()
        return every[: len(self.x)], every[len(self.x) :]

    def _stop(self) -> None:
        if self.keeper.run.stop_requested():
            raise Stopped

    def _gains(self, network: CircuitNetwork, seen: Reals) -> Reals:
        """(observables,): the least-squares scale of what was seen to what an ideal circuit says of the same rows."""
        with torch.no_grad():
            ideal: Reals = network.means(self.calibrated_on).double().numpy()
        squares = (seen**2).sum(0)
        return np.where(squares > 0, (ideal * seen).sum(0) / np.where(squares > 0, squares, 1.0), 1.0)

    def _value(self, network: CircuitNetwork, means: Reals) -> float:
        with torch.no_grad():
            logits = network.head(torch.from_numpy(means).float())
        task = self.data.task
        measured: Any = task.measured(logits, self.labels, self.answers)[0]
        return float(getattr(measured, task.measure.name))
