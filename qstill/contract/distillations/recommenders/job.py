"""A distillation of recommenders: what a job may ask, and the small answer that lands in its row."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from qstill.contract.distillations.architectures.family import OnnxFormat
from qstill.contract.distillations.evaluation import MAX_SEEDS
from qstill.contract.distillations.recommenders.architectures import Scorer
from qstill.contract.distillations.recommenders.data import (
    Interactions,
    OwnSplit,
    SyntheticInteractions,
    UploadedInteractions,
)
from qstill.contract.distillations.recommenders.objectives import (
    Base,
    Bpr,
    De,
    RankingObjective,
    Rd,
    Rrd,
    SoftmaxKl,
    terms_of,
)
from qstill.contract.distillations.results import ShortResult
from qstill.contract.distillations.teachers import Registered
from qstill.contract.distillations.training import Optimisation
from qstill.contract.schemas import FileId, Seed, Strict, Submission, refuse


class RankingTraining(Optimisation):
    """How a recommender is trained."""

    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(512, description="Interactions a step.", examples=[512])
    loss: Base = Field(
        default_factory=lambda: Bpr(kind="bpr"),
        description="The base loss: what interactions say without a teacher.",
        examples=[{"kind": "bpr", "negatives": 1}],
    )
    seed: Seed = Field(
        0,
        description="Initial weights, batch order and what is drawn. The n-th student and its baseline start from the "
        "same weights, drawn from seed + n, and see the same batches and negatives.",
        examples=[0],
    )


class TrainedScorer(Strict):
    """A teacher that this job trains."""

    source: Literal["train"] = Field(description="Train the teacher first.", examples=["train"])
    architecture: Scorer = Field(
        description="The teacher's network.", examples=[{"kind": "matrix_factorisation", "dimensions": 32}]
    )
    training: RankingTraining | None = Field(
        None, description="Its own training; null: as the student's.", examples=[None]
    )


class UploadedLists(Strict):
    """A teacher's lists instead of the teacher."""

    source: Literal["lists"] = Field(description="Lists that you uploaded.", examples=["lists"])
    file: FileId = Field(
        description="An uploaded csv or parquet of purpose `soft_labels`, with the columns `user`, `item` and `score`: "
        "the items that the teacher ranks first for each user, in any order, the higher the better. Users without a "
        "list are learned from interactions alone. softmax_kl reads the scores as logits, and gives items outside of a "
        "list no probability; rd and rrd read the order alone.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5f"],
    )


RankingTeacher = Annotated[TrainedScorer | UploadedLists | Registered, Field(discriminator="source")]


class RankingStudent(Strict):
    """The network to be taught."""

    architecture: Scorer = Field(
        description="The student's network; the baseline has the same.",
        examples=[{"kind": "matrix_factorisation", "dimensions": 6}],
    )


class RankingEvaluation(Strict):
    """What the students are compared with, and by which measure."""

    baseline: bool = Field(
        True,
        description="Also train the same student from the same initial weights on the same batches without a teacher. "
        "Without it there is no verdict.",
        examples=[True],
    )
    seeds: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = Field(
        3, description="Students to train. A verdict needs two or more.", examples=[3]
    )
    k: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="Length of the lists that NDCG@k and Hit@k judge.", examples=[10]
    )
    sampled_negatives: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="Also report the measures among so many items drawn for each tested one, as many papers do; null: "
        "no. They can order models wrongly (Krichene and Rendle 2020), and decide nothing here.",
        examples=[99],
    )


class RecommenderJob(Submission):
    """Teach a small recommender how a larger one ranks, and measure whether it helped."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {"source": "synthetic_interactions", "users": 1000, "items": 500},
                    "teacher": {
                        "source": "train",
                        "architecture": {"kind": "matrix_factorisation", "dimensions": 32},
                    },
                    "student": {"architecture": {"kind": "matrix_factorisation", "dimensions": 6}},
                    "objective": {"kind": "rrd"},
                    "training": {"epochs": 40},
                    "evaluation": {"seeds": 3, "k": 10},
                }
            ]
        }
    )

    dataset: Interactions = Field(
        description="Who chose what.", examples=[{"source": "synthetic_interactions", "users": 1000, "items": 500}]
    )
    teacher: RankingTeacher = Field(
        description="Who teaches.",
        examples=[{"source": "train", "architecture": {"kind": "matrix_factorisation", "dimensions": 32}}],
    )
    student: RankingStudent = Field(
        description="Who learns.", examples=[{"architecture": {"kind": "matrix_factorisation", "dimensions": 6}}]
    )
    objective: RankingObjective = Field(
        default_factory=lambda: SoftmaxKl(kind="softmax_kl"),
        description="What the student minimises.",
        examples=[{"kind": "rrd"}],
    )
    training: RankingTraining = Field(
        default_factory=lambda: RankingTraining(), description="How it is trained.", examples=[{"epochs": 40}]
    )
    evaluation: RankingEvaluation = Field(
        default_factory=lambda: RankingEvaluation(), description="What it is compared with.", examples=[{"seeds": 3}]
    )

    export: Annotated[list[OnnxFormat], Field(max_length=2)] = Field(
        default_factory=list,
        description="Also publish the first seed's student in these formats, each run on the test interactions and "
        "compared with the network that it came from: `onnx` in float32, `onnx_int8` with weights of 8 bits. Both take "
        "numbers of users, int64 (batch), and score every item; the names are in the file. Seconds for each.",
        examples=[["onnx", "onnx_int8"]],
    )

    @model_validator(mode="after")
    def _can_work(self) -> "RecommenderJob":
        for place, _, objective in terms_of(self.objective):
            if isinstance(objective, De) and isinstance(self.teacher, UploadedLists):
                reason = "de compares the numbers inside both networks, and this teacher gives lists only"
                refuse((*place, "kind"), "features_unavailable", reason, "de")
            needs = items_needed(objective)
            if isinstance(self.dataset, SyntheticInteractions) and needs > self.dataset.items - self.dataset.per_user:
                reason = f"it asks for {needs} items that a user has not chosen; there are {self.dataset.items} in all"
                refuse((*place, "kind"), "too_few_items", reason, objective.kind)
        return self


def items_needed(objective: Rd | Rrd | De | SoftmaxKl) -> int:
    """How many items a user must not have chosen yet for a loss to have enough to draw from."""
    match objective:
        case Rd():
            return objective.top + 1
        case Rrd():
            return objective.interesting + objective.uninteresting
        case De() | SoftmaxKl():
            return 1


def files_of_recommender(job: RecommenderJob) -> list[tuple[str, str, str]]:
    """The uploads that a job needs: (JSON pointer, file id, purpose)."""
    files = []
    if isinstance(job.dataset, UploadedInteractions):
        files.append(("/dataset/file", job.dataset.file, "dataset"))
        if isinstance(job.dataset.split, OwnSplit) and job.dataset.split.file is not None:
            files.append(("/dataset/split/file", job.dataset.split.file, "split"))
    if isinstance(job.teacher, UploadedLists):
        files.append(("/teacher/file", job.teacher.file, "soft_labels"))
    return files


def models_of_recommender(job: RecommenderJob) -> list[tuple[str, str]]:
    """The models and checkpoints that a job needs: (JSON pointer, id)."""
    return [("/teacher/model", job.teacher.model)] if isinstance(job.teacher, Registered) else []


class RecommenderResult(ShortResult):
    """The answer in short, over all items; the artifact `report.json` is the whole."""

    measure: str = Field(description="What the numbers below are.", examples=["ndcg@10"], pattern=r"^ndcg@\d+$")
