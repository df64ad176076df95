"""Training what was pruned: as a student is trained, from the weights that were left."""

from copy import deepcopy
from dataclasses import dataclass, replace

import torch

from qstill.contract.distillations.compression import Compression
from qstill.contract.distillations.job import DistillationJob
from workers.distillation.compress.magnitude import Masks, keep_masked, masked, masks_of
from workers.distillation.compress.structured import without_units
from workers.distillation.compress.ways import Way
from workers.distillation.data.dataset import Data
from workers.distillation.networks.network import Network
from workers.distillation.training.keeper import Keeper, Outcome
from workers.distillation.training.learner import score
from workers.distillation.training.plan import Lesson, Stage
from workers.distillation.training.train import train


@dataclass(frozen=True, eq=False)
class PrunedStage(Stage):
    """A stage that begins with a pruned network. masks: of weights that stay 0."""

    start: Network
    masks: Masks | None

    def begin(self, data: Data) -> Network:
        """A copy of the pruned network, in train mode."""
        network = deepcopy(self.start).train()
        if self.masks is not None:
            keep_masked(network, self.masks)
        return network


def pruned(network: Network, way: Way) -> tuple[Network, Masks | None]:
    """The network before it is fine-tuned, and which of its weights stay."""
    if way.pruning == "magnitude":
        masks = masks_of(network, way.sparsity)
        return masked(network, masks), masks
    return without_units(network, way.sparsity), None


def stage_of(job: DistillationJob, asked: Compression, way: Way, network: Network, like: Stage) -> PrunedStage:
    """network: what is pruned. like: the student's stage with the same seed, whose training this one takes over."""
    start, masks = pruned(network, way)
    training = job.training
    epochs = training.epochs if asked.fine_tune_epochs is None else max(1, asked.fine_tune_epochs)
    changed = {
        "epochs": epochs,
        "warm_up": min(training.warm_up, epochs - 1),
        "learning_rate": asked.learning_rate(training.learning_rate),
    }
    return PrunedStage(
        name=f"pruned-{replace(way, quantisation=None).name}-seed-{like.seed}",
        phase=f"fine-tuning {way.words}, seed {like.seed}",
        role="pruned",
        architecture=like.architecture,
        training=training.model_copy(update=changed),
        seed=like.seed,
        weights_from="pruned",
        pointer="/compression",
        training_pointer="/training",
        start=start,
        masks=masks,
    )


def fine_tuned(stage: PrunedStage, lesson: Lesson, data: Data, keeper: Keeper, *, epochs: int | None) -> Network:
    """The network of the best epoch on the validation rows; the one before the first epoch is among them.

    What an earlier attempt finished is not trained again.
    """
    if stage.name not in keeper.outcomes:
        start = stage.begin(data)
        before = score(start, data.validation, data.task, torch.device("cpu"))
        outcome = Outcome(start.state_dict(), 0, 0, before[0])
        if epochs != 0:
            best = train(stage, lesson, data, keeper)
            after = stage.begin(data)
            after.load_state_dict(best.weights)
            if data.task.order(*score(after, data.validation, data.task, torch.device("cpu"))) >= data.task.order(
                *before
            ):
                outcome = best
        keeper.finish(stage.name, replace(outcome, curve=[]))
    network = deepcopy(stage.start)
    network.load_state_dict(keeper.outcomes[stage.name].weights)
    return network.eval()
