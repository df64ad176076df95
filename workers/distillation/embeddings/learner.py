"""An encoder in training on vectors."""

import math

import torch
from torch import Tensor

from qstill.contract.distillations.embeddings.job import EmbeddingJob
from workers.distillation.embeddings.losses import loss_of
from workers.distillation.embeddings.metrics import judge_of
from workers.distillation.embeddings.plan import Stage
from workers.distillation.embeddings.students import Material
from workers.distillation.embeddings.vocabulary import narrowed
from workers.distillation.networks.pretrained.encoder import TextEncoder, trimmed
from workers.distillation.networks.seeds import seed_of
from workers.distillation.training.network_in_training import NetworkInTraining

SORTED_TOGETHER = 16  # batches, whose sentences are put together by their length


class EncoderLearner(NetworkInTraining[Stage, Material, TextEncoder]):
    """A network that learns a teacher's vectors. What a step sees depends on seed and epoch alone."""

    def __init__(self, stage: Stage, material: Material, job: EmbeddingJob) -> None:
        super().__init__(stage, material)
        data = material.data
        self.pad = self.network.form.pad
        self.tokens = material.tokens(stage.architecture, job.dataset.max_length)
        self.vocabulary = None
        if not stage.training.weight_decay:  # which moves what nobody reads, too
            self.vocabulary = narrowed(self.network, self.tokens[torch.cat([data.train, data.validation])])
            self.tokens = self.vocabulary.numbers[self.tokens]
        self.lengths = (self.tokens != self.pad).sum(1)
        self.loss = loss_of(job.objective)
        self.answers = material.answers.vectors
        self.judge = judge_of(self.answers[data.validation], torch.zeros(0, 2, dtype=torch.int64), 0)
        self.minimise(None, -(-len(data.train) // stage.training.batch_size))

    def weights(self, *, copied: bool = False) -> dict[str, Tensor]:
        """Of the whole network."""
        found = super().weights(copied=copied)
        return found if self.vocabulary is None else self.vocabulary.widened(found)

    def batches(self) -> tuple[Tensor, ...]:
        """Positions (batch,) of what is left of the running epoch: sentences of like length stand together, batches in
        any order.
        """
        size, train = self.stage.training.batch_size, self.data.data.train
        draw = torch.Generator().manual_seed(seed_of("batches", self.stage.seed, self.epoch))
        drawn = train[torch.randperm(len(train), generator=draw)]
        parts = [part[self.lengths[part].argsort(stable=True)] for part in torch.split(drawn, size * SORTED_TOGETHER)]
        found = [batch for part in parts for batch in torch.split(part, size)]
        order = torch.randperm(len(found), generator=draw).tolist()
        return tuple(found[place] for place in order)[self.batch :]

    def backward(self, positions: Tensor) -> Tensor:
        """The loss of these sentences; its gradients are with the parameters then."""
        loss = self.terms(positions)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def terms(self, positions: Tensor) -> Tensor:
        """The loss alone."""
        tokens = trimmed(self.tokens[positions], self.pad).to(self.device)
        return self.loss(self.network(tokens), self.answers[positions].to(self.device))

    def end_epoch(self) -> tuple[float, float]:
        """Turn to the next epoch. Returns this one's mean loss, and Spearman's correlation on the validation pairs."""
        loss = self.loss_sum / self.batch
        if not math.isfinite(loss) or not all(p.isfinite().all() for p in self.network.parameters()):
            raise self.stage.diverged()
        found = self.judge.spearman(self.network.vectors(self.tokens[self.data.data.validation]))
        return self.turn(loss, found, (found, -loss))
