"""A distillation of an encoder of texts: what a job may ask, and the small answer that lands in its row."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from qstill.contract.distillations.embeddings.data import SentenceFile, Sentences
from qstill.contract.distillations.embeddings.objectives import (
    SimilarityMatrix,
    VectorMse,
    VectorObjective,
    VectorSum,
    VectorTerm,
)
from qstill.contract.distillations.embeddings.students import Encoder
from qstill.contract.distillations.evaluation import MAX_SEEDS
from qstill.contract.distillations.results import ShortResult
from qstill.contract.distillations.teachers import Registered
from qstill.contract.distillations.training import Epochs, Optimisation
from qstill.contract.schemas import FileId, Seed, Strict, Submission

MEASURE: Literal["spearman"] = "spearman"


class UploadedEncoder(Strict):
    """An encoder that you uploaded."""

    source: Literal["file"] = Field(description="A model that you uploaded.", examples=["file"])
    file: FileId = Field(
        description="An uploaded .zip of purpose `teacher`: the folder that `SentenceTransformer.save` or "
        "`save_pretrained` writes, with `config.json`, `model.safetensors` and `tokenizer.json`; how tokens are pooled "
        "is read from `modules.json`, and without it their mean is taken. Read are bert, roberta, xlm-roberta, "
        "camembert, mpnet and distilbert. Nothing in it is run: a folder with programs is refused, a pickle beside the "
        "weights is left out.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"],
    )


EncoderTeacher = Annotated[UploadedEncoder | Registered, Field(discriminator="source")]


class EncoderStudent(Strict):
    """The encoder to be taught."""

    architecture: Encoder = Field(
        description="The student's network. It reads the teacher's tokens.",
        examples=[{"kind": "fewer_layers", "layers": 3}],
    )


class EncoderTraining(Optimisation):
    """How a student is trained. Nothing is dropped out: the teacher's answer to a sentence is one vector."""

    epochs: Epochs = Field(3, description="Passes over the training sentences.", examples=[3])
    batch_size: Annotated[int, Field(ge=2, le=1024)] = Field(
        32, description="Sentences a step, and as many that each is compared with.", examples=[32]
    )
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(
        1e-4, description="At the first step after the warm-up; of word vectors 0.003 is usual.", examples=[1e-4]
    )
    seed: Seed = Field(
        0,
        description="Batch order, and initial weights where they are drawn. The n-th student takes seed + n.",
        examples=[0],
    )


class EncoderEvaluation(Strict):
    """How students are judged."""

    seeds: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = Field(
        1, description="Students to train. A verdict needs two or more.", examples=[1]
    )
    baseline: bool = Field(
        True,
        description="Also judge the same student untaught, as it is before its first step. Without it there is no "
        "verdict.",
        examples=[True],
    )


class EmbeddingJob(Submission):
    """Teach a small encoder of texts the vectors of a large one, and measure what became of its similarities."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {"source": "builtin_sentences", "name": "python_reference"},
                    "teacher": {"source": "file", "file": "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"},
                    "student": {"architecture": {"kind": "fewer_layers", "layers": 3}},
                    "objective": {"kind": "vector_mse"},
                    "training": {"epochs": 3, "batch_size": 32, "learning_rate": 0.0001},
                    "export": ["onnx"],
                }
            ]
        }
    )

    dataset: Sentences = Field(
        description="The sentences; they need no labels.",
        examples=[{"source": "builtin_sentences", "name": "python_reference"}],
    )
    teacher: EncoderTeacher = Field(
        description="Who teaches.", examples=[{"source": "file", "file": "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"}]
    )
    student: EncoderStudent = Field(
        description="Who learns.", examples=[{"architecture": {"kind": "fewer_layers", "layers": 3}}]
    )
    objective: VectorObjective = Field(
        default_factory=lambda: VectorSum(
            kind="sum",
            terms=[
                VectorTerm(weight=1.0, objective=VectorMse(kind="vector_mse")),
                VectorTerm(weight=10.0, objective=SimilarityMatrix(kind="similarity_matrix")),
            ],
        ),
        description="What the student minimises.",
        examples=[{"kind": "vector_mse"}],
    )
    training: EncoderTraining = Field(
        default_factory=lambda: EncoderTraining(), description="How it is trained.", examples=[{"epochs": 3}]
    )
    evaluation: EncoderEvaluation = Field(
        default_factory=lambda: EncoderEvaluation(), description="How it is judged.", examples=[{"seeds": 3}]
    )
    export: Annotated[list[Literal["onnx"]], Field(max_length=1)] = Field(
        default_factory=list,
        description="Also publish the first seed's student as ONNX, run on the test sentences: from `input_ids`, int64 "
        "(batch, tokens), filled up with the padding's number, to `sentence_embedding`. `tokenizer.json` lies beside "
        "it. The folder that `SentenceTransformer` opens is the checkpoint itself.",
        examples=[["onnx"]],
    )


class EmbeddingResult(ShortResult):
    """The answer in short; the artifact `report.json` is the whole."""

    measure: Literal["spearman"] = Field(
        MEASURE,
        description="Spearman's rank correlation of the cosines of held-out pairs with the teacher's.",
        examples=[MEASURE],
    )


def files_of_embedding(job: EmbeddingJob) -> list[tuple[str, str, str]]:
    """The uploads that a job needs: (JSON pointer, file id, purpose)."""
    files = []
    if isinstance(job.dataset, SentenceFile):
        files.append(("/dataset/file", job.dataset.file, "dataset"))
    if isinstance(job.teacher, UploadedEncoder):
        files.append(("/teacher/file", job.teacher.file, "teacher"))
    return files


def formats_of_embedding(job: EmbeddingJob) -> list[tuple[str, str, str]]:
    """The formats that uploads must have: (JSON pointer, file id, format)."""
    return [("/teacher/file", job.teacher.file, "folder")] if isinstance(job.teacher, UploadedEncoder) else []


def models_of_embedding(job: EmbeddingJob) -> list[tuple[str, str]]:
    """The models and checkpoints that a job needs: (JSON pointer, id)."""
    return [("/teacher/model", job.teacher.model)] if isinstance(job.teacher, Registered) else []
