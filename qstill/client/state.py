"""A job as it was when last heard of; what both clients' jobs have."""

from typing import Any

from qstill.client.results import summary_html
from qstill.contract.answers.jobs import JobView, Progress
from qstill.contract.circuits.job import BatchResult, CircuitResult
from qstill.contract.distillations.circuits.distribution.job import DistributionResult
from qstill.contract.distillations.circuits.job import ShorteningResult
from qstill.contract.distillations.embeddings.job import EmbeddingResult
from qstill.contract.distillations.recommenders.job import RecommenderResult
from qstill.contract.distillations.reports import ROWS, SENTENCES, USERS, domain_of
from qstill.contract.distillations.results import DistillationResult, ShortResult
from qstill.contract.kinds import CIRCUIT, SWEEP
from qstill.contract.status import FINAL, Status
from qstill.contract.sweeps.results import SweepResult

Summary = (
    (CircuitResult | BatchResult | SweepResult | DistillationResult)
    | (RecommenderResult | EmbeddingResult)
    | (ShorteningResult | DistributionResult)
)

TAUGHT: dict[str, type[ShortResult]] = {
    ROWS: DistillationResult,
    USERS: RecommenderResult,
    SENTENCES: EmbeddingResult,
}


class State:
    """view: the job as the service told it last."""

    view: JobView

    @property
    def id(self) -> str:
        return self.view.id

    @property
    def kind(self) -> str:
        return self.view.kind

    @property
    def name(self) -> str | None:
        return self.view.name

    @property
    def status(self) -> Status:
        return self.view.status

    @property
    def progress(self) -> Progress | None:
        return self.view.progress

    @property
    def done(self) -> bool:
        """Whether it will not change any more."""
        return self.view.status in FINAL

    @property
    def summary(self) -> Summary | None:
        """The short result of a job that succeeded."""
        return summary_of(self.view)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, {self.kind}, {self.status})"

    def _summary_html(self) -> str:
        return summary_html(self.view)


def summary_of(job: JobView) -> Summary | None:
    if job.result is None:
        return None
    found: Summary = _model_of(job.kind, job.result).model_validate(job.result, extra="ignore")
    return found


def _model_of(kind: str, result: dict[str, Any]) -> Any:
    if kind == CIRCUIT.name:
        return BatchResult if result.get("object") == "batch_result" else CircuitResult
    if kind == SWEEP.name:
        return SweepResult
    if "chosen_layers" in result:
        return ShorteningResult
    if "returned" in result:
        return DistributionResult
    return TAUGHT[domain_of(result)]
