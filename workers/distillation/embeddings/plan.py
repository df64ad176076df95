"""Which encoders a job trains."""

from collections.abc import Mapping

from qstill.contract.distillations.embeddings.job import EmbeddingJob, EncoderTraining
from qstill.contract.distillations.embeddings.students import AnyEncoder
from workers.distillation.embeddings.students import Material, begun
from workers.distillation.networks.pretrained.encoder import TextEncoder
from workers.distillation.networks.seeds import seed_of
from workers.distillation.training.keeper import Outcome
from workers.distillation.training.stage import AnyStage, pairs


class Stage(AnyStage[AnyEncoder, EncoderTraining, Material, TextEncoder]):
    """One encoder to train."""

    def begin(self, data: Material) -> TextEncoder:
        """The untaught network. Nothing in it is drawn while it learns: it stays in eval mode."""
        return begun(self.architecture, data, seed_of(self.weights_from, self.seed)).eval()

    def trained(self, outcomes: Mapping[str, Outcome], data: Material) -> TextEncoder:
        """The network with the weights of its best epoch, in main memory."""
        network = begun(self.architecture, data, 0, blank=True)
        network.load_state_dict(outcomes[self.name].weights)
        return network.eval()


def student_stages(job: EmbeddingJob) -> list[tuple[Stage, Stage]]:
    """(student, the same untaught) of every seed."""
    of_all = {"architecture": job.student.architecture, "training": job.training}
    return pairs(Stage, first=job.training.seed, seeds=job.evaluation.seeds, **of_all)
