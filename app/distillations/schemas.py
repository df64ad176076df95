"""What a distillation job may ask, and the small answer that lands in its row."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from app.distillations.architectures import AnyArchitecture, Architecture, features_of, needs_images
from app.distillations.compression import Compression, refuse_impossible_compression
from app.distillations.datasets import (
    BUILTIN_IMAGES,
    BUILTIN_ROWS_AND_CLASSES,
    AnyDataset,
    BuiltinData,
    Dataset,
    TextFile,
    UploadedData,
    is_regression,
)
from app.distillations.initialisation import FromTeacher, refuse_impossible_initialisation
from app.distillations.layers import LayersDoNotFit, layer_pairs
from app.distillations.measures import MeasureName
from app.distillations.objectives import Dkd, FeatureObjective, Kd, Objective, OnFeatures, Place, Rkd, singles
from app.distillations.objectives.features import MAX_RKD_BATCH
from app.distillations.regression_jobs import refuse_unfit_for_regression
from app.distillations.teachers import (
    EndpointTeacher,
    EnsembleTeacher,
    SoftLabels,
    Storage,
    Teacher,
    TrainedTeacher,
    UploadedTeacher,
    files_of,
    parts,
)
from app.distillations.text_jobs import refuse_mixed_with_text
from app.distillations.training import StudentTraining, Training
from app.schemas import Strict, Submission, View, refuse

MAX_SEEDS = 20  # each trains a student and a baseline
MAX_PERIODIC_CHECKPOINTS = 200  # files of one job

ExportFormat = Literal["onnx", "onnx_int8"]


class Student(Strict):
    """The network to be taught."""

    architecture: Architecture = Field(
        description="The student's network; the baseline has the same.", examples=[{"kind": "mlp", "hidden": [16]}]
    )
    initialise_from_teacher: FromTeacher | None = Field(
        None,
        description="Begin from the teacher's weights instead of random ones: transformers of one kind and width, "
        "whose weights are at hand. Null: do not.",
        examples=[None],
    )


class Evaluation(Strict):
    """What the students are compared with."""

    baseline: bool = Field(
        True,
        description="Also train the same student from the same initial weights, for as many steps, on its labels "
        "alone. Without it there is no verdict. Where students begin from their teacher, it begins from random weights "
        "unless `student.initialise_from_teacher.baseline` says otherwise.",
        examples=[True],
    )
    seeds: Annotated[int, Field(ge=1, le=MAX_SEEDS)] = Field(
        3, description="Students to train. A verdict needs two or more.", examples=[3]
    )


class DistillationJob(Submission):
    """Teach a small network what a larger one knows, and measure whether it helped."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
                    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256, 256]}},
                    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
                    "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
                    "training": {
                        "epochs": 40,
                        "batch_size": 64,
                        "optimizer": "adam",
                        "learning_rate": 0.01,
                        "seed": 0,
                    },
                    "evaluation": {"baseline": True, "seeds": 3},
                },
                {
                    "dataset": {
                        "source": "builtin_text",
                        "name": "python_topics",
                        "task": "classification",
                        "tokenizer": {"kind": "word", "vocabulary": 2000},
                        "labelled": 160,
                    },
                    "teacher": {"source": "train", "architecture": {"kind": "text_cnn", "sizes": [1, 2, 3]}},
                    "student": {"architecture": {"kind": "bag_of_embeddings", "width": 8}},
                    "training": {"epochs": 30, "learning_rate": 0.01},
                },
            ]
        }
    )

    dataset: Dataset = Field(
        description="The rows to learn from.", examples=[{"source": "builtin", "name": "digits", "labelled": 50}]
    )
    teacher: Teacher = Field(
        description="Who teaches.",
        examples=[{"source": "train", "architecture": {"kind": "mlp", "hidden": [256, 256]}}],
    )
    signal: Storage = Field(
        default_factory=lambda: Storage(),
        description="How the teacher's answers are kept.",
        examples=[{"precision": "float32"}],
    )
    student: Student = Field(description="Who learns.", examples=[{"architecture": {"kind": "mlp", "hidden": [16]}}])
    objective: Objective = Field(
        default_factory=lambda: Kd(),
        description="What the student minimises; kd where no `kind` is given.",
        examples=[{"kind": "kd", "temperature": 2.0, "alpha": 0.9}],
    )
    training: StudentTraining = Field(
        default_factory=lambda: StudentTraining(),
        description="How it is trained.",
        examples=[{"epochs": 40, "batch_size": 64, "optimizer": "adam", "learning_rate": 0.01, "seed": 0}],
    )
    evaluation: Evaluation = Field(
        default_factory=lambda: Evaluation(),
        description="What it is compared with.",
        examples=[{"baseline": True, "seeds": 3}],
    )
    export: Annotated[list[ExportFormat], Field(max_length=2)] = Field(
        default_factory=list,
        description="Also publish the first seed's student in these formats, each run on the test rows and compared "
        "with the network that it came from: `onnx` in float32, `onnx_int8` with weights of 8 bits. Both take inputs "
        "as they were uploaded: the standardisation is inside. Those of text take numbers of tokens, int64 (batch, "
        "length), and `tokenizer.json` is published beside them. Seconds for each.",
        examples=[["onnx", "onnx_int8"]],
    )
    compression: Compression | None = Field(
        None,
        description="Set distillation beside pruning and quantisation, at equal bytes and at equal latency; null: do "
        "not. Costs about as much again as the students, for each way of pruning. It lands in the report.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _can_work(self) -> "DistillationJob":
        refuse_mixed_with_text(self, architectures(self))
        refuse_unfit_for_regression(self)
        _refuse_impossible_splits(self.dataset)
        if isinstance(self.dataset, BuiltinData) and self.dataset.name not in BUILTIN_IMAGES:
            _refuse_images_only(self)
        _refuse_impossible_objectives(self)
        _refuse_impossible_views(self)
        _refuse_impossible_storage(self)
        refuse_impossible_compression(self)
        if self.training.bias_correction and not is_regression(self.dataset) and not self.dataset.leave_out:
            reason = "it corrects the classes that `dataset.leave_out` names, and none is left out"
            refuse(("training", "bias_correction"), "nothing_to_correct", reason, True)
        refuse_impossible_initialisation(self)
        every = self.training.checkpoint_every
        if every and self.training.epochs // every * self.evaluation.seeds > MAX_PERIODIC_CHECKPOINTS:
            reason = f"a job keeps at most {MAX_PERIODIC_CHECKPOINTS} periodic checkpoints over all its seeds"
            refuse(("training", "checkpoint_every"), "too_many_checkpoints", reason, every)
        return self


def referenced_files(job: DistillationJob) -> list[tuple[str, str, str]]:
    """The uploads that a job needs: (JSON pointer, file id, purpose)."""
    data = [("/dataset/file", job.dataset.file, "dataset")] if isinstance(job.dataset, UploadedData | TextFile) else []
    return data + files_of(job.teacher)


def _refuse_impossible_splits(data: AnyDataset) -> None:
    if not isinstance(data, BuiltinData):
        return  # its rows and classes are known once it is read
    rows, classes = BUILTIN_ROWS_AND_CLASSES[data.name]
    if data.labelled is not None and data.labelled < classes:
        reason = f"{data.name} has {classes} classes, and each needs at least one labelled row"
        refuse(("dataset", "labelled"), "too_few_labels", reason, data.labelled)
    if data.labelled is not None and data.labelled > rows * (1 - data.validation - data.test) + classes:
        reason = f"{data.name} has {rows} rows, and {data.validation + data.test:.0%} of them are held out"
        refuse(("dataset", "labelled"), "too_many_labels", reason, data.labelled)


def _refuse_impossible_storage(job: DistillationJob) -> None:
    top_k, data = job.signal.top_k, job.dataset
    if top_k is None:
        return
    if isinstance(job.teacher, SoftLabels):
        refuse(("signal", "top_k"), "already_kept", "soft labels are used as they were uploaded; thin them out", top_k)
    if isinstance(data, BuiltinData) and top_k > BUILTIN_ROWS_AND_CLASSES[data.name][1]:
        reason = f"{data.name} has {BUILTIN_ROWS_AND_CLASSES[data.name][1]} classes"
        refuse(("signal", "top_k"), "too_many_classes", reason, top_k)


def _refuse_images_only(job: DistillationJob) -> None:
    for place, architecture in architectures(job):
        if needs_images(architecture):
            reason = f"a {architecture.kind} needs images; digits is the built-in data set that has them"
            refuse((*place, "architecture", "kind"), "architecture_mismatch", reason, architecture.kind)
    if job.dataset.standardise == "channel":
        refuse(("dataset", "standardise"), "architecture_mismatch", "only images have channels", "channel")


def architectures(job: DistillationJob) -> list[tuple[Place, AnyArchitecture]]:
    """The networks that a job names, and where: its teachers', where they are said, and the student's."""
    named: list[tuple[Place, AnyArchitecture]] = [
        (place, teacher.architecture)
        for place, teacher in parts(job.teacher)
        if isinstance(teacher, TrainedTeacher | UploadedTeacher) and teacher.architecture is not None
    ]
    return [*named, (("student",), job.student.architecture)]


def _refuse_impossible_objectives(job: DistillationJob) -> None:
    for place, objective in singles(job.objective):
        if isinstance(objective, Dkd) and isinstance(job.dataset, BuiltinData):
            _refuse_two_classes(job.dataset, place)
        if isinstance(objective, Rkd) and job.training.batch_size > MAX_RKD_BATCH:
            reason = f"rkd compares all triples of a batch: at most {MAX_RKD_BATCH} rows"
            refuse(("training", "batch_size"), "batch_too_large", reason, job.training.batch_size)
        if isinstance(objective, OnFeatures):
            _refuse_impossible_layers(job, objective, place)


def _refuse_two_classes(data: BuiltinData, place: Place) -> None:
    if BUILTIN_ROWS_AND_CLASSES[data.name][1] < 3:
        reason = f"{data.name} has two classes: apart from the target there is one left, and dkd compares several"
        refuse((*place, "kind"), "too_few_classes", reason, "dkd")


def _refuse_impossible_layers(job: DistillationJob, objective: FeatureObjective, place: Place) -> None:
    foreign = isinstance(job.teacher, UploadedTeacher) and job.teacher.format == "onnx"
    if foreign or isinstance(job.teacher, SoftLabels | EndpointTeacher | EnsembleTeacher):
        reason = f"{objective.kind} compares features, and this teacher gives answers only"
        if isinstance(job.teacher, EnsembleTeacher):
            reason = f"{objective.kind} compares features, and those of an ensemble's members have no mean"
        refuse((*place, "kind"), "features_unavailable", reason, objective.kind)
    named = dict(architectures(job))
    if ("teacher",) not in named:
        return  # its network is known once it is read
    try:
        layer_pairs(objective, features_of(named["student",]), features_of(named["teacher",]))
    except LayersDoNotFit as fault:
        refuse((*place, *fault.place), "layers_do_not_fit", fault.reason, objective.layers)


def _refuse_impossible_views(job: DistillationJob) -> None:
    how = job.training.augmentation
    tables = isinstance(job.dataset, BuiltinData) and job.dataset.name not in BUILTIN_IMAGES
    teachers = parts(job.teacher)
    trainings: list[tuple[Place, Training | None]] = [
        ((*place, "training"), teacher.training) for place, teacher in teachers if isinstance(teacher, TrainedTeacher)
    ]
    for place, training in ((("training",), job.training), *trainings):
        if training is None or training.augmentation is None:
            continue
        if tables:
            refuse((*place, "augmentation"), "augmentation_needs_images", "only images are augmented", None)
        if (training.augmentation.flip or training.augmentation.crop) and job.dataset.standardise == "feature":
            reason = "flip and crop move pixels to where others were standardised: divide by `channel`, or by nothing"
            refuse(("dataset", "standardise"), "standardised_by_feature", reason, "feature")
    if how is not None and how.consistent and any(isinstance(each, SoftLabels) for _, each in teachers):
        reason = "soft labels say nothing of changed images: `consistent` has to be false"
        refuse(("training", "augmentation", "consistent"), "views_unavailable", reason, True)


class Spread(View):
    """A measure on the test rows over seeds: an accuracy between 0 and 1, or what else `measure` names."""

    mean: float = Field(description="Mean over the seeds.", examples=[0.958])
    sd: float | None = Field(description="Sample standard deviation; null for a single run.", examples=[0.004])


class Gain(View):
    """Student against baseline, paired by seed; above zero the student is better, whatever the measure."""

    points: float = Field(
        description="Mean difference: percentage points of test accuracy, student minus baseline; for regression the "
        "baseline's RMSE minus the student's.",
        examples=[16.2],
    )
    low: float | None = Field(description="Lower end of its 95% confidence interval.", examples=[13.9])
    high: float | None = Field(description="Upper end of its 95% confidence interval.", examples=[18.5])


class DistillationResult(View):
    """The answer in short; the artifact `report.json` is the whole."""

    measure: MeasureName = Field(
        "accuracy",
        description="What these numbers are: `accuracy`, where more is better, or for regression `rmse`, the root of "
        "the mean squared error, where less is: in the unit of the target, with several targets in standard deviations "
        "of their training labels.",
        examples=["accuracy"],
    )
    teacher: Spread = Field(description="The teacher on the test rows.")
    student: Spread = Field(description="The distilled students on the test rows.")
    baseline: Spread | None = Field(description="The same students without a teacher; null if not asked for.")
    gain: Gain | None = Field(description="What the teacher added; null without a baseline.")
    verdict: Literal["BEATS", "NO BEATS", "INCONCLUSIVE"] | None = Field(
        description="Whether distillation beats the same student trained without the teacher: by whether the interval "
        "of the gain lies above zero, not above zero, or on both sides. One seed decides nothing. Null without a "
        "baseline.",
        examples=["BEATS"],
    )
    checkpoints: int = Field(description="How many the job published.", examples=[7])
    student_sha256: str = Field(description="Of the first seed's published student.", examples=["9f86d081884c7d65"])
    seconds: float = Field(description="Computing time over all attempts.", examples=[4.2])
