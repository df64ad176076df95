"""A student in training: the likelihood of the training shots, by Adam; the epoch is chosen on the validation shots."""

import math
from typing import Any

import torch
from torch import Generator, Tensor

from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.errors import Problem
from workers.distillation.circuits.distribution.models import independent_of
from workers.distillation.circuits.distribution.network import BitNetwork, bits_of
from workers.distillation.circuits.distribution.shots import Shots
from workers.distillation.networks.seeds import seed_of
from workers.distillation.training.keeper import Keeper, Outcome, Point, thinned

STAGE = "student"
SCORED_AT_ONCE = 4096  # shots: 30 bits of the widest cells take 400 MB


class Fit:
    """What a step draws depends on seed, epoch and batch alone: there is no random state to keep."""

    def __init__(self, job: DistributionJob, shots: Shots) -> None:
        self.training = job.training
        self.network = untrained(job, shots)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=self.training.learning_rate, fused=True)
        self.rows = bits_of(torch.from_numpy(shots.training), shots.bits).to(torch.uint8)
        self.judges = bits_of(torch.from_numpy(shots.validation), shots.bits).to(torch.uint8)
        self.epoch = self.batch = self.steps = 0
        self.loss_sum = 0.0
        self.best = Outcome(self._weights(), 0, 0, -self._nll())
        self.curve = [Point(0, -mean_log_probability(self.network, self.rows), self.best.validation_score)]

    @property
    def finished(self) -> bool:
        patience = self.training.patience
        tired = patience is not None and self.epoch - self.best.epoch >= patience
        return self.epoch >= self.training.epochs or tired

    def batches(self) -> tuple[Tensor, ...]:
        """Numbers of shots, of what is left of the running epoch."""
        draw = Generator().manual_seed(seed_of("batches", self.training.seed, self.epoch))
        order = torch.randperm(len(self.rows), generator=draw)
        return torch.split(order, self.training.batch_size)[self.batch :]

    def learn(self, batch: Tensor) -> None:
        """One step."""
        self.optimizer.zero_grad()
        loss = -self.network.log_probability(self.rows[batch]).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.loss_sum += float(loss.detach()) * len(batch)
        self.batch += 1
        self.steps += 1

    def end_epoch(self) -> None:
        """Score the epoch, and turn to the next. Raises Problem training_diverged."""
        loss, score = self.loss_sum / len(self.rows), -self._nll()
        if not math.isfinite(loss) or not math.isfinite(score):
            title = "The student's likelihood is no number any more."
            smaller = {"training": {"learning_rate": self.training.learning_rate / 10}}
            raise Problem("training_diverged", title, pointer="/training/learning_rate", ways_out=[smaller])
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        self.curve.append(Point(self.epoch, loss, score))
        if score > self.best.validation_score:
            self.best = Outcome(self._weights(), self.epoch, self.steps, score)

    def snapshot(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "weights": self._weights(),
            "optimizer": self.optimizer.state_dict(),
            "place": (self.epoch, self.batch, self.steps, self.loss_sum),
            "best": (self.best.weights, self.best.epoch, self.best.step, self.best.validation_score),
            "curve": [(point.epoch, point.loss, point.validation_score) for point in self.curve],
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from a snapshot."""
        self.network.load_state_dict(saved["weights"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.epoch, self.batch, self.steps, self.loss_sum = saved["place"]
        self.best = Outcome(*saved["best"])
        self.curve = [Point(*each) for each in saved["curve"]]

    def outcome(self) -> Outcome:
        """The best epoch."""
        best = self.best
        return Outcome(best.weights, best.epoch, best.step, best.validation_score, thinned(self.curve))

    def _weights(self) -> dict[str, Tensor]:
        return {name: weights.detach().clone() for name, weights in self.network.state_dict().items()}

    def _nll(self) -> float:
        return -mean_log_probability(self.network, self.judges)


def untrained(job: DistributionJob, shots: Shots) -> BitNetwork:
    """It says what independent bits of the training shots say."""
    odds = torch.from_numpy(independent_of(shots.training, shots.bits).log_odds)
    return BitNetwork(job.student.architecture, odds, job.training.seed)


@torch.no_grad()
def log_probability(network: BitNetwork, bits: Tensor) -> Tensor:
    """(rows,) in nats, however many rows."""
    return torch.cat([network.log_probability(part) for part in torch.split(bits, SCORED_AT_ONCE)])


def mean_log_probability(network: BitNetwork, bits: Tensor) -> float:
    """In nats a shot."""
    return float(log_probability(network, bits).mean())


def fitted(job: DistributionJob, shots: Shots, keeper: Keeper) -> Outcome:
    """Train to the end, from where an earlier attempt left off. Raises Problem, Stopped."""
    if STAGE in keeper.outcomes:
        return keeper.outcomes[STAGE]
    fit, run, epochs = Fit(job, shots), keeper.run, job.training.epochs
    earlier = keeper.snapshot(STAGE)
    if earlier is not None:
        fit.restore(earlier)
    run.event("stage", {"stage": STAGE, "state": "began", "epoch": fit.epoch, "epochs": epochs})
    while not fit.finished:
        for batch in fit.batches():
            keeper.between_batches(STAGE, fit.snapshot)
            fit.learn(batch)
        fit.end_epoch()
        point = fit.curve[-1]
        run.progress(
            phase=STAGE, done=fit.epoch, total=epochs, unit="epochs", loss=point.loss, nll=-point.validation_score
        )
        keeper.between_epochs(STAGE, fit.snapshot)
    run.event("stage", {"stage": STAGE, "state": "ended", "epoch": fit.epoch, "best": fit.best.epoch})
    keeper.finish(STAGE, fit.outcome())
    return keeper.outcomes[STAGE]


def trained(job: DistributionJob, shots: Shots, outcome: Outcome) -> BitNetwork:
    """The network of an outcome."""
    network = untrained(job, shots)
    network.load_state_dict(outcome.weights)
    return network.eval()
