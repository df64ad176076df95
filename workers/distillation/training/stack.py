"""Many small students in one pass: networks of one shape, their weights stacked.

    stack = Stack(lessons, data)      # (stage, lesson) of every student
    while not stack.finished:
        for positions in stack.batches():
            stack.learn(positions)
        stack.end_epoch()
    stack.outcomes                    # by the stages' names: each what `train` gives, within rounding

A step of one small student is a dozen calls that each take longer to begin than to compute; here a call serves all of
them. No term of one student's loss depends on another's weights, so the gradient of the sum is each one's own.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softmax

from qstill.contract.distillations.objectives import Kd, LogitMse
from workers.distillation.data.dataset import Data
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.families import family_of
from workers.distillation.networks.network import Network, Stackable
from workers.distillation.objectives.schedules import value_at
from workers.distillation.objectives.terms import UNKNOWN, is_known
from workers.distillation.training.kd_gradient import slope_of
from workers.distillation.training.keeper import Outcome, Snapshot
from workers.distillation.training.learner import batches
from workers.distillation.training.optimise import learning_rate
from workers.distillation.training.plan import Lesson, Stage

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # of Adam, as torch has them
MAX_NUMBERS = 20_000_000  # of stacked weights with their gradient and moments: 80 MB in single precision

Taught = tuple[Stage, Lesson]


def group_of(stage: Stage, lesson: Lesson) -> str | None:
    """Students of one group can be stacked; None for one that is trained alone.

    What may differ within a group: seed, learning rate and its schedule, weight decay, epochs, temperature and alpha.
    Labels are classes, or real numbers.
    """
    how, network = stage.training, stage.architecture
    shared = ("batch_size", "optimizer", "momentum", "nesterov", "balanced_batches", "device")
    plain = {
        "accumulate": 1, "clip_norm": None, "ema": None, "label_smoothing": 0.0, "class_weights": "none",
        "augmentation": None, "precision": "float32",
    }  # fmt: skip
    stackable = (
        family_of(network).stacks(network)
        and lesson.x is None
        and (lesson.objective is None or isinstance(lesson.objective, Kd | LogitMse))
        and (lesson.signal is None or (type(lesson.signal).__name__ == "Signal" and lesson.signal.unspoken is None))
        and all(getattr(how, name) == value for name, value in plain.items())
        and not getattr(how, "bias_correction", False)
        and not getattr(how, "checkpoint_every", None)
    )
    if not stackable:
        return None
    taught = None if lesson.objective is None else lesson.objective.kind
    return repr((network, taught, lesson.epoch_rows, *(getattr(how, name) for name in shared)))


class Stack:
    """The students that still learn, their weights (students, weights), and the best epoch of all that ever did."""

    def __init__(self, lessons: Sequence[Taught], data: Data) -> None:
        assert len({group_of(*each) for each in lessons}) == 1
        assert group_of(*lessons[0]) is not None
        first, lesson = lessons[0]
        self.data, self.device = data, first.device()
        self.all = list(lessons)
        networks = [stage.begin(data) for stage, _ in lessons]
        assert isinstance(networks[0], Stackable)
        self.network = networks[0]
        trained = {name: each for name, each in networks[0].named_parameters() if each.requires_grad}
        self.shapes = {name: tensor.shape for name, tensor in trained.items()}
        self.sizes = [shape.numel() for shape in self.shapes.values()]
        states = [network.state_dict() for network in networks]
        self.names = list(states[0])
        self.untrained = {  # of all students: what standardises their inputs, angles that are frozen
            name: torch.stack([state[name] for state in states]).to(self.device)
            for name in self.names
            if name not in trained
        }
        self.steps_per_epoch = -(-lesson.epoch_rows // first.training.batch_size)
        self.x = data.train.x.flatten(1).to(self.device)
        self.validation_x = data.validation.x.flatten(1).to(self.device)
        self.validation_y = data.validation.y.to(self.device)
        self.labels = lesson.labels.to(self.device)
        self.numbers = self.labels.is_floating_point()  # regression
        self.matches = isinstance(lesson.objective, LogitMse)
        self.signal = None if lesson.signal is None else lesson.signal.logits.float().to(self.device)
        self.outcomes: dict[str, Outcome] = {}  # of students that have ended, by their stages' names
        self.diverged: set[str] = set()  # their answers were no numbers any more; they have no outcome
        self.learning = torch.arange(len(lessons))  # which of `all` each row of the tensors below is
        weights = [torch.cat([state[name].flatten() for name in trained]) for state in states]
        self.weights = torch.stack(weights).to(self.device).requires_grad_()
        self.moments = [torch.zeros_like(self.weights, requires_grad=False) for _ in range(self._moment_count())]
        self.best = self.weights.detach().clone()
        worst = [-math.inf * data.task.measure.rank, -math.inf, 0.0]  # and the epoch
        self.best_scores = torch.tensor([worst]).repeat(len(lessons), 1).double()
        self.epoch = self.batch = 0
        self.latest: dict[str, float] = {}  # what chooses epochs, of the last one, by the stages' names
        self._begin_epoch()

    @property
    def students(self) -> list[Taught]:
        """Those that still learn."""
        return [self.all[i] for i in self.learning.tolist()]

    @property
    def finished(self) -> bool:
        return not len(self.learning)

    def batches(self) -> Iterator[Tensor]:
        """Positions (students, batch) of the steps of the epoch that are left, each student's as in a run alone."""
        own = [batches(stage, lesson, self.epoch) for stage, lesson in self.students]
        for step in range(self.batch, self.steps_per_epoch):
            yield torch.stack([each[step] for each in own])

    def learn(self, positions: Tensor) -> None:
        """One step of every student."""
        positions = positions.to(self.device)
        count, rows = positions.shape
        x = self.x.index_select(0, positions.flatten()).view(count, rows, -1)
        logits = self._logits(self.weights, x)
        with torch.no_grad():
            slope = self._slope(logits, positions)
        (gradient,) = torch.autograd.grad(logits, self.weights, slope)
        with torch.no_grad():
            self._step(gradient)
        self.batch += 1

    def _logits(self, weights: Tensor, x: Tensor) -> Tensor:
        """(students, classes, rows) of inputs (students, rows, features)."""
        parts = zip(self.shapes.items(), torch.split(weights, self.sizes, dim=1), strict=True)
        trained = {name: part.view(-1, *shape) for (name, shape), part in parts}
        return self.network.stacked(trained | self.beside, x)

    def _slope(self, logits: Tensor, positions: Tensor) -> Tensor:
        """The gradient of each student's loss by its logits, of the same shape: of `kd`, of `logit_mse`, or of the
        labels alone. Their values nobody asks for.

        That of a mean squared error is 2·difference/numbers; `slope_of` knows those of probabilities.
        """
        hard = self._slope_of_numbers(logits, positions) if self.numbers else self._slope_of_labels(logits, positions)
        if self.signal is None:
            return hard
        said = self.signal.index_select(0, positions.flatten()).view(*positions.shape, -1).transpose(1, 2)
        if self.matches:
            apart = logits - said
            apart = apart if self.numbers else apart - apart.mean(1, keepdim=True)
            soft = apart * (2 / (positions.shape[1] * logits.shape[1]))
        else:
            heat = self.heat[:, None, None]
            teacher = softmax(said.contiguous() / heat, dim=1)
            soft = slope_of(softmax(logits / heat, dim=1), teacher, heat / positions.shape[1])
        return torch.lerp(hard, soft, self.alpha[:, None, None])

    def _slope_of_labels(self, logits: Tensor, positions: Tensor) -> Tensor:
        labels = self.labels[positions][:, None]
        known = labels != UNKNOWN
        at_label = torch.zeros_like(logits).scatter_(1, labels.clamp(min=0), 1.0)
        return slope_of(softmax(logits, dim=1), at_label, known / known.sum(2, keepdim=True).clamp(min=1))

    def _slope_of_numbers(self, answers: Tensor, positions: Tensor) -> Tensor:
        labels = self.labels[positions].transpose(1, 2)
        known = is_known(labels)
        apart = torch.where(known, answers - torch.where(known, labels, 0), 0)
        return apart * (2 / known.sum((1, 2), keepdim=True).clamp(min=1))

    def _moment_count(self) -> int:
        how = self.all[0][0].training
        return 2 if how.optimizer != "sgd" else int(how.momentum > 0)

    def _step(self, gradient: Tensor) -> None:
        """As torch's own optimizers, with a learning rate and a decay for each student."""
        how, step = self.all[0][0].training, self.epoch * self.steps_per_epoch + self.batch + 1
        rate, weights = self.rates[:, self.batch, None], self.weights
        if how.optimizer == "adamw":
            weights.mul_(1 - rate * self.decay)
        else:
            gradient = gradient + self.decay * weights
        if how.optimizer == "sgd":
            if self.moments:
                momentum = self.moments[0]
                momentum.mul_(how.momentum).add_(gradient)  # from zero, the first step's is the gradient itself
                gradient = gradient.add(momentum, alpha=how.momentum) if how.nesterov else momentum
            weights.sub_(rate * gradient)
            return
        mean, square = self.moments
        mean.lerp_(gradient, 1 - BETA_1)
        square.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
        size = (square.sqrt() / math.sqrt(1 - BETA_2**step)).add_(EPSILON)
        weights.sub_(rate / (1 - BETA_1**step) * mean / size)

    def end_epoch(self, prune: Callable[["Stack"], set[str]] | None = None) -> None:
        """Judge every student on the validation rows, keep its best epoch, and let go of those that are done.

        prune: the names of students to let go of before their time; asked after the judgement.
        """
        with torch.no_grad():
            x = self.validation_x.expand(len(self.learning), -1, -1)
            accuracy, likelihood = self._judge(self._logits(self.weights, x))
        self.epoch, self.batch = self.epoch + 1, 0
        alive = torch.isfinite(likelihood)
        self.latest = dict(zip((stage.name for stage, _ in self.students), accuracy.tolist(), strict=True))
        held = self.best_scores[self.learning]
        rank = self.data.task.measure.rank
        before, now = rank * held[:, 0], rank * accuracy
        better = (now > before) | ((now == before) & (likelihood > held[:, 1]))
        better &= alive
        rows = self.learning[better]
        self.best[rows.to(self.device)] = self.weights.detach()[better.to(self.device)]
        epochs = torch.full_like(accuracy, self.epoch)
        self.best_scores[rows] = torch.stack([accuracy, likelihood, epochs], 1)[better]
        pruned = prune(self) if prune else set()
        self._let_go(alive, pruned)
        self._begin_epoch()

    def _judge(self, answers: Tensor) -> tuple[Tensor, Tensor]:
        """(what chooses the epoch, the loss below zero) of each student."""
        if self.data.task.named is None:
            return self._judged_numbers(answers) if self.numbers else self._judged(answers)
        found = [self.data.task.score(each.T, self.validation_y) for each in answers]
        worth, loss = torch.tensor(found, dtype=torch.float64).T
        return worth, -loss

    def _judged(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """(accuracy, log-likelihood) of each student, in double precision. logits: of the validation rows."""
        logs = log_softmax(logits, dim=1)
        picked = logs.gather(1, self.validation_y.expand(len(logits), 1, -1))
        right = logs.argmax(1) == self.validation_y
        return right.double().mean(1).cpu(), picked.mean((1, 2)).double().cpu()

    def _judged_numbers(self, answers: Tensor) -> tuple[Tensor, Tensor]:
        """(R², mean squared error below zero): as `targets.score`, of all students at once."""
        wanted = self.validation_y.T.double()  # (targets, rows)
        squares = (answers.double() - wanted).square()
        variation = (wanted - wanted.mean(1, keepdim=True)).square().sum(1)
        explained = (1 - squares.sum(2) / variation)[:, variation > 0]
        r2 = explained.mean(1) if explained.shape[1] else explained.new_zeros(len(answers))
        return r2.cpu(), -squares.mean((1, 2)).cpu()

    def _let_go(self, alive: Tensor, pruned: set[str]) -> None:
        """Take those out of the tensors that are done, pruned or diverged."""
        staying = []
        for place, index in enumerate(self.learning.tolist()):
            stage, _ = self.all[index]
            accuracy, _, best = self.best_scores[index].tolist()
            patience = stage.training.patience
            waited = patience is not None and self.epoch - best >= patience
            if not alive[place]:
                self.diverged.add(stage.name)
            elif waited or self.epoch >= stage.training.epochs or stage.name in pruned:
                step = int(best) * self.steps_per_epoch
                self.outcomes[stage.name] = Outcome(self._unstacked(index), int(best), step, accuracy)
            else:
                staying.append(place)
        if len(staying) < len(self.learning):
            self._take(torch.tensor(staying, dtype=torch.long))

    def _take(self, places: Tensor) -> None:
        self.learning, places = self.learning[places], places.to(self.device)
        self.weights = self.weights.detach()[places].requires_grad_()
        self.moments = [moment[places] for moment in self.moments]

    def _unstacked(self, index: int) -> dict[str, Tensor]:
        """The best weights of one of all."""
        parts = zip(self.shapes.items(), torch.split(self.best[index].cpu(), self.sizes), strict=True)
        found = {name: part.reshape(shape).clone() for (name, shape), part in parts}
        found |= {name: tensor[index].cpu().clone() for name, tensor in self.untrained.items()}
        return {name: found[name] for name in self.names}

    def _begin_epoch(self) -> None:
        """What the steps of an epoch need of every student: its parameters, and a learning rate for each step."""
        students = self.students
        learning = self.learning.to(self.device)
        self.beside = {name: tensor.index_select(0, learning) for name, tensor in self.untrained.items()}
        first = self.epoch * self.steps_per_epoch
        steps = range(first, first + self.steps_per_epoch)
        rates = [[learning_rate(stage.training, step, self.steps_per_epoch) for step in steps] for stage, _ in students]
        self.rates = torch.tensor(rates, device=self.device)
        decay = [stage.training.weight_decay for stage, _ in students]
        self.decay = torch.tensor(decay, device=self.device)[:, None]
        if self.signal is not None:
            taught = [each for _, lesson in students if isinstance(each := lesson.objective, Kd | LogitMse)]
            alpha = [value_at(each.alpha, self.epoch + 1) for each in taught]
            heat = [value_at(each.temperature, self.epoch + 1) for each in taught if isinstance(each, Kd)]
            self.alpha, self.heat = (torch.tensor(now, device=self.device) for now in (alpha, heat))

    def snapshot(self) -> Snapshot:
        """For `restore`; plain values and tensors only."""
        return {
            "learning": self.learning,
            "weights": self.weights.detach(),
            "moments": self.moments,
            "best": self.best,
            "best_scores": self.best_scores,
            "cursor": (self.epoch, self.batch),
            "outcomes": {name: vars(outcome) for name, outcome in self.outcomes.items()},
            "diverged": sorted(self.diverged),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Go on where `snapshot` was taken."""
        self.learning = snapshot["learning"]
        self.weights = snapshot["weights"].to(self.device).requires_grad_()
        self.moments = [moment.to(self.device) for moment in snapshot["moments"]]
        self.best, self.best_scores = snapshot["best"].to(self.device), snapshot["best_scores"]
        self.epoch, self.batch = snapshot["cursor"]
        self.outcomes = {name: Outcome(**outcome) for name, outcome in snapshot["outcomes"].items()}
        self.diverged = set(snapshot["diverged"])
        self._begin_epoch()


def most_together(network: Network, rows: int) -> int:
    """How many students of this shape are stacked at once, for steps of so many rows."""
    kept = network.kept(rows) if isinstance(network, Stackable) else 0
    return max(1, MAX_NUMBERS // (4 * parameters(network) + kept))
