"""The angles of a short circuit: all starts of a depth at once, by Adam on the engine's gradient."""

import math
from typing import Any

import torch
from qiskit import QuantumCircuit
from torch import Tensor

from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.errors import Problem
from workers.distillation.circuits.given import Target
from workers.distillation.networks.seeds import seed_of
from workers.distillation.training.keeper import Keeper, Outcome, Point, thinned
from workers.quantum.ansatz import Rotation, hardware_efficient
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.overlaps import fidelity

DOUBLE = torch.float64  # nearly as fast on so few amplitudes, and the same bits do not hang on a sum's order
STEPS_BETWEEN_WORDS = 20
SMALL = 0.3  # radians of the first angles of every second start: near a layer of CX, where Trotter steps are


def short_circuit(job: ShorteningJob, layers: int, qubits: int) -> QuantumCircuit:
    """The ansatz. RY and RZ before each CX are all that an angle can add there, once |0…0⟩ is what comes in; a unitary
    needs an RZ before, too.
    """
    whole = job.dataset.keep == "unitary"
    before: tuple[Rotation, ...] = ("rz", "ry", "rz") if whole else ("ry", "rz")
    entanglement = job.student.architecture.entanglement
    return hardware_efficient(qubits, layers, entanglement, rotations=before, closing=("ry", "rz", "ry"))


class Task:
    """What a short circuit is fitted to."""

    def __init__(self, circuit: QuantumCircuit, target: Target) -> None:
        self._states: Tensor | None = None
        match target.keep:
            case "state":
                self._module = _overlapping(circuit, torch.from_numpy(target.state)[:, None])
            case "unitary":
                assert target.unitary is not None
                self._states = torch.eye(1 << target.qubits, dtype=torch.complex128)
                self._module = _overlapping(circuit, torch.from_numpy(target.unitary))
            case "observables":
                sums = [{str(label): float(c.real) for label, c in each.to_list()} for each in target.operators]
                self._module = DifferentiableCircuit(circuit, sums=sums, precision=DOUBLE)
        self._values, self._ranges = torch.from_numpy(target.values), torch.from_numpy(target.ranges)
        self._by_values = target.keep == "observables"

    def __call__(self, angles: Tensor) -> tuple[Tensor, Tensor]:
        """(loss, score) of each start, (R,). angles: (R, P). A score is between 0 and 1."""
        found = self._module(angles, states=self._states)
        if not self._by_values:
            score = fidelity(found)
            return 1 - score, score
        loss = ((found[:, 0] - self._values) / self._ranges).square().mean(-1)
        return loss, 1 - loss.detach().sqrt()


def _overlapping(circuit: QuantumCircuit, targets: Tensor) -> DifferentiableCircuit:
    return DifferentiableCircuit(circuit, targets=targets, precision=DOUBLE)


class Fit:
    """One depth on its way."""

    def __init__(self, job: ShorteningJob, layers: int, target: Target) -> None:
        self.training = job.training
        circuit = short_circuit(job, layers, target.qubits)
        self.task = Task(circuit, target)
        draw = torch.Generator().manual_seed(seed_of("angles", job.training.seed, layers))
        anywhere = 2 * torch.rand(job.training.restarts, circuit.num_parameters, dtype=DOUBLE, generator=draw) - 1
        reach = torch.tensor([math.pi, SMALL], dtype=DOUBLE).repeat(job.training.restarts)[: job.training.restarts]
        self.angles = (reach[:, None] * anywhere).requires_grad_()
        self.optimizer = torch.optim.Adam([self.angles], lr=job.training.learning_rate)
        self.step = 0
        self.curve: list[tuple[float, float]] = []  # mean and best score of each step

    @property
    def finished(self) -> bool:
        return self.step >= self.training.steps

    def learn(self) -> None:
        """One step. Raises Problem training_diverged."""
        rate = self.training.learning_rate * (1 + math.cos(math.pi * self.step / self.training.steps)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        loss, score = self.task(self.angles)
        loss.sum().backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        mean, best = float(score.detach().mean()), float(score.detach().max())
        if not math.isfinite(mean):
            title = "The angles are no numbers any more."
            smaller = {"training": {"learning_rate": self.training.learning_rate / 10}}
            raise Problem("training_diverged", title, pointer="/training/learning_rate", ways_out=[smaller])
        self.curve.append((mean, best))
        self.step += 1

    def snapshot(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "angles": self.angles.detach().clone(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "curve": self.curve,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from a snapshot."""
        with torch.no_grad():
            self.angles.copy_(saved["angles"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = saved["step"]
        self.curve = [tuple(each) for each in saved["curve"]]

    def outcome(self) -> Outcome:
        """angles: (R, P); scores: (R,)."""
        with torch.no_grad():
            _, scores = self.task(self.angles)
        curve = [Point(step, 1 - mean, best) for step, (mean, best) in enumerate(self.curve)]
        weights = {"angles": self.angles.detach().clone(), "scores": scores}
        return Outcome(weights, self.step, self.step, float(scores.max()), thinned(curve))


def stage_of(layers: int) -> str:
    """What the keeper calls the fit of a depth."""
    return f"layers-{layers}"


def fitted(job: ShorteningJob, layers: int, target: Target, keeper: Keeper) -> Outcome:
    """Fit a depth to the end, from where an earlier attempt left off. Raises Problem, Stopped."""
    name = stage_of(layers)
    if name in keeper.outcomes:
        return keeper.outcomes[name]
    fit = Fit(job, layers, target)
    earlier = keeper.snapshot(name)
    if earlier is not None:
        fit.restore(earlier)
    run, steps = keeper.run, job.training.steps
    run.event("stage", {"stage": name, "state": "began", "step": fit.step, "steps": steps})
    while not fit.finished:
        keeper.between_batches(name, fit.snapshot)
        fit.learn()
        if fit.step % STEPS_BETWEEN_WORDS == 0 or fit.finished:
            mean, best = fit.curve[-1]
            run.progress(phase=f"{layers} layers", done=fit.step, total=steps, unit="steps", best=best, mean=mean)
            keeper.between_epochs(name, fit.snapshot)
    run.event("stage", {"stage": name, "state": "ended", "step": fit.step, "steps": steps, "best": fit.curve[-1][1]})
    keeper.finish(name, fit.outcome())
    return keeper.outcomes[name]
