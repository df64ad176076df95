"""What a distillation job may ask, and the small answer that lands in its row."""

from typing import Annotated, Any, Literal, NoReturn

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.distillations.objectives import Dkd, Kd, Objective
from app.schemas import Strict, Submission, View

MAX_LAYERS = 8  # with MAX_WIDTH: below 10^7 weights, so that one state file stays below 200 MB
MAX_WIDTH = 1024
MAX_CONVOLUTIONS = 4
MAX_CHANNELS = 128  # four 3x3 layers of 128 channels are 450,000 weights: seconds an epoch on one core
MAX_EPOCHS = 10_000  # one event row each at worst
MAX_BATCH = 4096  # rows; with MAX_WIDTH it bounds the activations to 16 MB a layer
MAX_SEEDS = 20  # each trains a student and a baseline
MAX_PERIODIC_CHECKPOINTS = 200  # files of one job
MAX_SEED = 2**53 - 1  # the largest integer that every JSON reader keeps exactly

BUILTIN_ROWS_AND_CLASSES = {"digits": (1797, 10), "iris": (150, 3), "wine": (178, 3), "breast_cancer": (569, 2)}
BUILTIN_IMAGES = {"digits"}

FileId = Annotated[str, StringConstraints(pattern=r"^file_[A-Za-z0-9_-]{1,64}$")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Fraction = Annotated[float, Field(ge=0.05, le=0.45)]
Dropout = Annotated[float, Field(ge=0, le=0.9)]
Activation = Literal["relu", "gelu", "tanh"]


class Mlp(Strict):
    """A multilayer perceptron. Its tensors: `hidden.N.weight`, `hidden.N.bias`, `head.weight`, `head.bias`."""

    kind: Literal["mlp"] = Field(description="Fully connected layers.", examples=["mlp"])
    hidden: Annotated[list[Width], Field(max_length=MAX_LAYERS)] = Field(
        description="Units of each hidden layer; an empty list is logistic regression.", examples=[[16]]
    )
    activation: Activation = Field("relu", description="After every hidden layer.", examples=["relu"])
    dropout: Dropout = Field(0.0, description="Probability that a hidden unit is dropped in training.", examples=[0.1])


class Cnn(Strict):
    """3x3 convolutions, each halving images of four pixels a side or more, then one linear layer.

    Its tensors: `convolutions.N.weight`, `convolutions.N.bias`, `head.weight`, `head.bias`.
    """

    kind: Literal["cnn"] = Field(description="A small convolutional network; image-shaped data only.", examples=["cnn"])
    channels: Annotated[list[Channels], Field(min_length=1, max_length=MAX_CONVOLUTIONS)] = Field(
        description="Channels of each convolution.", examples=[[8, 16]]
    )
    activation: Activation = Field("relu", description="After every convolution.", examples=["relu"])
    dropout: Dropout = Field(0.0, description="Probability that a feature is dropped before the head.", examples=[0.1])


Architecture = Annotated[Mlp | Cnn, Field(discriminator="kind")]


class Splitting(Strict):
    """How rows are divided, and which labels the student may see."""

    labelled: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="How many labels of the training split the student and the baseline see, drawn stratified; null: "
        "all. A teacher that is trained in this job sees every label of the training split.",
        examples=[50],
    )
    unlabelled_pool: bool = Field(
        True,
        description="Whether the student also learns from the training rows whose labels it does not see; the teacher "
        "speaks for them.",
        examples=[True],
    )
    validation: Fraction = Field(
        0.2,
        description="Share of the labelled rows that chooses the best epoch, with their labels, for teacher, student "
        "and baseline alike.",
        examples=[0.2],
    )
    test: Fraction = Field(
        0.2, description="Share of the labelled rows that is read once, at the end, for the report.", examples=[0.2]
    )
    split_seed: Seed = Field(0, description="Draws the splits and the labelled rows.", examples=[0])
    standardise: Literal["feature", "channel", "none"] = Field(
        "feature",
        description="Shift and scale inputs by the training split's mean and standard deviation: of each feature, or "
        "of each image channel.",
        examples=["feature"],
    )


class BuiltinData(Splitting):
    """A data set that comes with scikit-learn."""

    source: Literal["builtin"] = Field(description="A data set that needs no upload.", examples=["builtin"])
    name: Literal["digits", "iris", "wine", "breast_cancer"] = Field(
        description="Which one; `digits` are images of shape (1, 8, 8).", examples=["digits"]
    )


class UploadedData(Splitting):
    """An uploaded npz archive or csv table."""

    source: Literal["file"] = Field(description="A data set that you uploaded.", examples=["file"])
    file: FileId = Field(
        description="An uploaded file of purpose `dataset`. npz: arrays `x`, of shape (rows, features), (rows, height, "
        "width) or (rows, channels, height, width), and `y`, integers, -1 where the label is unknown. csv: UTF-8 with "
        "a header, numbers, and a label column; an empty label is unknown. Errors count rows from 0.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    label: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="csv only: the label column; null: the last.", examples=["species"]
    )


Dataset = Annotated[BuiltinData | UploadedData, Field(discriminator="source")]


class Training(Strict):
    """How a network is trained."""

    epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] = Field(
        40,
        description="Passes over the training rows. The baseline gets as many optimizer steps as the student: its "
        "labelled rows are repeated to fill each epoch.",
        examples=[40],
    )
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] = Field(64, description="Rows a step.", examples=[64])
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adam", description="The optimizer.", examples=["adam"])
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(0.01, description="At the first step.", examples=[0.01])
    schedule: Literal["constant", "cosine"] = Field(
        "cosine", description="The learning rate over the steps; cosine ends at 0.", examples=["cosine"]
    )
    weight_decay: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="L2 penalty (sgd, adam) or decoupled decay (adamw).", examples=[0.0]
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="sgd only.", examples=[0.9])
    seed: Seed = Field(
        0,
        description="Initial weights, batch order and dropout. The n-th student and its baseline start from the same "
        "weights, drawn from seed + n.",
        examples=[0],
    )

    @model_validator(mode="after")
    def _momentum_needs_sgd(self) -> "Training":
        if self.momentum and self.optimizer != "sgd":
            _refuse("momentum_needs_sgd", ("momentum",), "momentum belongs to sgd; adam has its own", self.momentum)
        return self


class StudentTraining(Training):
    """How the student is trained, and the baseline with it."""

    checkpoint_every: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] | None = Field(
        None,
        description="Also keep the student of every n-th epoch; null: only the best epoch's.",
        examples=[10],
    )


class TrainedTeacher(Strict):
    """A teacher that this job trains, on every label of the training split."""

    source: Literal["train"] = Field(description="Train the teacher first.", examples=["train"])
    architecture: Architecture = Field(
        description="The teacher's network.", examples=[{"kind": "mlp", "hidden": [256, 256]}]
    )
    training: Training | None = Field(None, description="Its own training; null: as the student's.", examples=[None])


class UploadedTeacher(Strict):
    """A teacher whose weights you uploaded."""

    source: Literal["file"] = Field(description="Weights that you uploaded.", examples=["file"])
    file: FileId = Field(
        description="An uploaded safetensors file of purpose `teacher`; tensors are named as the architecture says. A "
        "checkpoint of an earlier job fits as it is, and brings its own standardisation.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"],
    )
    architecture: Architecture = Field(
        description="The network that the weights belong to.", examples=[{"kind": "mlp", "hidden": [256, 256]}]
    )
    inputs: Literal["standardised", "raw"] = Field(
        "standardised",
        description="What the teacher was trained on, if its file does not say: this job's standardised inputs, or the "
        "data as uploaded.",
        examples=["standardised"],
    )


class SoftLabels(Strict):
    """A teacher's answers instead of the teacher."""

    source: Literal["soft_labels"] = Field(description="Answers that you uploaded.", examples=["soft_labels"])
    file: FileId = Field(
        description="An uploaded .npy, or .npz with one array, of purpose `soft_labels`: shape (rows, classes), rows "
        "in the order of the data set before it is split, classes in ascending order.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5f"],
    )
    kind: Literal["logits", "probabilities"] = Field(
        description="What the numbers are; probabilities sum to 1 in each row.", examples=["probabilities"]
    )


Teacher = Annotated[TrainedTeacher | UploadedTeacher | SoftLabels, Field(discriminator="source")]


class Student(Strict):
    """The network to be taught."""

    architecture: Architecture = Field(
        description="The student's network; the baseline has the same.", examples=[{"kind": "mlp", "hidden": [16]}]
    )


class Evaluation(Strict):
    """What the students are compared with."""

    baseline: bool = Field(
        True,
        description="Also train the same student from the same initial weights, for as many steps, on its labels "
        "alone. Without it there is no verdict.",
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
                }
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

    @model_validator(mode="after")
    def _can_work(self) -> "DistillationJob":
        _refuse_impossible_splits(self.dataset)
        if isinstance(self.dataset, BuiltinData) and self.dataset.name not in BUILTIN_IMAGES:
            _refuse_images_only(self)
        if isinstance(self.objective, Dkd) and isinstance(self.dataset, BuiltinData):
            _refuse_two_classes(self.dataset)
        every = self.training.checkpoint_every
        if every and self.training.epochs // every * self.evaluation.seeds > MAX_PERIODIC_CHECKPOINTS:
            reason = f"a job keeps at most {MAX_PERIODIC_CHECKPOINTS} periodic checkpoints over all its seeds"
            _refuse("too_many_checkpoints", ("training", "checkpoint_every"), reason, every)
        return self


def referenced_files(job: DistillationJob) -> list[tuple[str, str, str]]:
    """The uploads that a job needs: (JSON pointer, file id, purpose: dataset | teacher | soft_labels)."""
    files = []
    if isinstance(job.dataset, UploadedData):
        files.append(("/dataset/file", job.dataset.file, "dataset"))
    if isinstance(job.teacher, UploadedTeacher):
        files.append(("/teacher/file", job.teacher.file, "teacher"))
    if isinstance(job.teacher, SoftLabels):
        files.append(("/teacher/file", job.teacher.file, "soft_labels"))
    return files


def _refuse_impossible_splits(data: BuiltinData | UploadedData) -> None:
    if not isinstance(data, BuiltinData):
        return  # its rows and classes are known once it is read
    rows, classes = BUILTIN_ROWS_AND_CLASSES[data.name]
    if data.labelled is not None and data.labelled < classes:
        reason = f"{data.name} has {classes} classes, and each needs at least one labelled row"
        _refuse("too_few_labels", ("dataset", "labelled"), reason, data.labelled)
    if data.labelled is not None and data.labelled > rows * (1 - data.validation - data.test) + classes:
        reason = f"{data.name} has {rows} rows, and {data.validation + data.test:.0%} of them are held out"
        _refuse("too_many_labels", ("dataset", "labelled"), reason, data.labelled)


def _refuse_images_only(job: DistillationJob) -> None:
    reason = "a cnn needs images; digits is the built-in data set that has them"
    if isinstance(job.teacher, TrainedTeacher | UploadedTeacher) and isinstance(job.teacher.architecture, Cnn):
        _refuse("architecture_mismatch", ("teacher", "architecture", "kind"), reason, "cnn")
    if isinstance(job.student.architecture, Cnn):
        _refuse("architecture_mismatch", ("student", "architecture", "kind"), reason, "cnn")
    if job.dataset.standardise == "channel":
        _refuse("architecture_mismatch", ("dataset", "standardise"), "only images have channels", "channel")


def _refuse_two_classes(data: BuiltinData) -> None:
    if BUILTIN_ROWS_AND_CLASSES[data.name][1] < 3:
        reason = f"{data.name} has two classes: apart from the target there is one left, and dkd compares several"
        _refuse("too_few_classes", ("objective", "kind"), reason, "dkd")


def _refuse(code: str, place: tuple[str, ...], reason: str, given: Any) -> NoReturn:
    """Raise a validation error that points to a field below the model being validated."""
    error = PydanticCustomError(code, "{reason}", {"reason": reason})
    raise ValidationError.from_exception_data("job", [InitErrorDetails(type=error, loc=place, input=given)])


class Spread(View):
    """A test accuracy over seeds, between 0 and 1."""

    mean: float = Field(description="Mean over the seeds.", examples=[0.958])
    sd: float | None = Field(description="Sample standard deviation; null for a single run.", examples=[0.004])


class Gain(View):
    """Student minus baseline, paired by seed, in percentage points of test accuracy."""

    points: float = Field(description="Mean difference.", examples=[16.2])
    low: float | None = Field(description="Lower end of its 95% confidence interval.", examples=[13.9])
    high: float | None = Field(description="Upper end of its 95% confidence interval.", examples=[18.5])


class DistillationResult(View):
    """The answer in short; the artifact `report.json` is the whole."""

    teacher: Spread = Field(description="The teacher's test accuracy.")
    student: Spread = Field(description="The distilled students' test accuracy.")
    baseline: Spread | None = Field(description="The same students without a teacher; null if not asked for.")
    gain: Gain | None = Field(description="What the teacher added; null without a baseline.")
    verdict: Literal["BEATS", "NO BEATS", "INCONCLUSIVE"] = Field(
        description="Whether distillation beats the same student trained without the teacher: by whether the interval "
        "of the gain lies above zero, not above zero, or on both sides. One seed decides nothing.",
        examples=["BEATS"],
    )
    checkpoints: int = Field(description="How many the job published.", examples=[7])
    student_sha256: str = Field(description="Of the first seed's published student.", examples=["9f86d081884c7d65"])
    seconds: float = Field(description="Computing time over all attempts.", examples=[4.2])
