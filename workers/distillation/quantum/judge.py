"""Trained networks on the circuit engine: their measure over shots, with noise and without, raw and calibrated."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from qstill.contract.circuits.noise.scaled import scaled
from qstill.contract.distillations.evaluation import QuantumEvaluation
from qstill.contract.distillations.mitigation import CliffordGains, ZeroNoise
from qstill.contract.distillations.report.quantum import EngineMitigation, Judged, OnEngine
from workers.circuits.program import Reals, seeds
from workers.distillation.data.dataset import Data
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.quantum.as_circuits import angles_of_rows, circuit_of
from workers.distillation.quantum.mitigated import gains_by_variants, variants_of, without_noise
from workers.distillation.quantum.on_engine import Engine, distributions_of, means_of
from workers.distillation.training.keeper import Keeper
from workers.quantum.measurements import constants_of
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
        curve: list[Judged] = []
        for done, (name, network) in enumerate(networks.items()):
            self.keeper.run.progress(phase="on the circuit engine", done=done, total=len(networks), unit="networks")
            for strength in self.asked.strengths:
                curve += self._curve(name, network, strength)
        student = next(iter(networks.values()))
        of_the_job = 1.0 if 1.0 in self.asked.strengths else 0.0
        test, calibration = self._distributions("student", student, of_the_job)
        return OnEngine(
            rows=len(self.x),
            calibration_rows=len(self.calibrated_on),
            bases=test.shape[1],
            simulated=self._value(student, student.means(self.x).detach().double().numpy()),
            curve=curve,
            mitigation=self._said_of_mitigation(curve, test.shape[1]),
            gains=self._gains(student, means_of(calibration, student.sums, None, 0)).tolist(),
        )

    def _curve(self, name: str, network: CircuitNetwork, strength: float) -> list[Judged]:
        test, calibration = self._distributions(name, network, strength)
        found = []
        for number, shots in enumerate([*self.asked.shots, None]):
            of_test, of_calibration, of_mitigation = seeds(self.seed + number, 3)
            means = means_of(test, network.sums, shots, of_test)
            gains = self._gains(network, means_of(calibration, network.sums, shots, of_calibration))
            mitigated = None
            if strength and self.asked.mitigation is not None:
                mitigated = self._value(network, self._mitigated(name, network, strength, means, shots, of_mitigation))
            found.append(
                Judged(
                    network=name,
                    strength=strength,
                    shots=shots,
                    value=self._value(network, means),
                    calibrated=self._value(network, means * gains),
                    mitigated=mitigated,
                )
            )
        return found

    def _mitigated(
        self, name: str, network: CircuitNetwork, strength: float, means: Reals, shots: int | None, seed: int
    ) -> Reals:
        """(rows, observables). means: what was seen without it."""
        asked, sums = self.asked.mitigation, network.sums
        if isinstance(asked, ZeroNoise):
            at_scales = [self._distributions(name, network, strength, scale)[0] for scale in asked.scales]
            return without_noise(at_scales, asked, sums, shots, seed)
        assert asked is not None
        kept = f"variants of {name}, noise {strength:g}"
        if kept not in self.keeper.notes:
            angles = angles_of_rows(network, self.calibrated_on)
            engine = self._engine(strength)
            variants = variants_of(circuit_of(network), angles, sums, engine, count=asked.variants, seed=self.seed)
            self.keeper.note(kept, torch.from_numpy(np.stack(variants)))
        ideal, noisy = self.keeper.notes[kept].numpy()
        constants = constants_of(sums)
        return (means - constants) * gains_by_variants(ideal, noisy, sums, shots, seed) + constants

    def _said_of_mitigation(self, curve: list[Judged], measurements: int) -> EngineMitigation | None:
        asked, measure = self.asked.mitigation, self.data.task.measure
        if asked is None:
            return None
        shots = max(self.asked.shots)
        (one,) = [each for each in curve if (each.network, each.strength, each.shots) == ("student", 1.0, shots)]
        assert one.mitigated is not None
        found = {"raw": one.value, "calibrated": one.calibrated}
        gained = {name: measure.points * (one.mitigated - value) > 0 for name, value in found.items()}
        over = [name for name, better in gained.items() if better]
        said = [f"{'helped' if better else 'did not help'} over {name}" for name, better in gained.items()]
        values = " and ".join(measure.formatted(value) for value in found.values())
        reached = f"{measure.formatted(one.mitigated)} against {values} at {shots:,} shots a circuit"
        return EngineMitigation(
            kind=asked.kind,
            circuits_per_row=measurements * asked.circuits,
            circuits_before=measurements * asked.variants if isinstance(asked, CliffordGains) else 0,
            over=over,
            sentence=f"{', '.join(said)}: {reached}",
        )

    def _distributions(
        self, name: str, network: CircuitNetwork, strength: float, scale: int = 1
    ) -> tuple[Reals, Reals]:
        """Of the test rows and, of circuits that are not folded, of those for calibration; an attempt that goes on
        finds an earlier one's.
        """
        kept = f"distributions of {name}, noise {strength:g}, folded {scale}"
        if kept not in self.keeper.notes:
            rows = torch.cat([self.x, self.calibrated_on]) if scale == 1 else self.x
            angles = angles_of_rows(network, rows)
            engine = self._engine(strength, scale)
            self.keeper.note(
                kept, torch.from_numpy(distributions_of(circuit_of(network), angles, network.sums, engine))
            )
        every: Reals = self.keeper.notes[kept].numpy()
        return every[: len(self.x)], every[len(self.x) :]

    def _engine(self, strength: float, scale: int = 1) -> Engine:
        noise = self.asked.noise if strength else None
        if noise is not None and strength != 1.0:
            noise = scaled(noise, strength)
        return Engine(noise, self.asked.device, self.seed, self.keeper.run.threads, self._stop, scale)

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
        return self.data.task.value_of(self.data.task.measure, logits, self.labels)
