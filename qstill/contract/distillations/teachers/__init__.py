"""Who may teach: a network of any origin, several of them, an endpoint elsewhere, a teacher's answers, a circuit."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.distillations.architectures import Architecture, family_of
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.pieces import (
    CLASSES,
    MISSING,
    ClassName,
    ClassNames,
    Inputs,
    Judged,
    Missing,
    OfOtherClasses,
)
from qstill.contract.distillations.teachers.remote import EndpointTeacher, ServedTeacher
from qstill.contract.distillations.training import Training
from qstill.contract.schemas import FileId, ReadableId, Strict, refuse

MAX_MEMBERS = 16  # of an ensemble; each answers every row
MAX_PATTERNS = 1_000  # each is held against each key that was read

OutcomePattern = Annotated[str, StringConstraints(pattern=r"^[01x]{1,64}$")]
Answers = Literal["logits", "probabilities", "log_probabilities", "sigmoid"]


class ModelFormat(Strict):
    """How an uploaded model is read. Nothing in it is ever executed but the operators that ONNX itself defines."""

    format: Literal["safetensors", "torch", "onnx", "folder"] = Field(
        "safetensors",
        description="`safetensors`: tensors named as the architecture says. `torch`: a state dict saved by torch.save "
        "in a .pt or .pth, read with weights_only. `onnx`: a whole model from any framework: one input of numbers, "
        "standard operators, no external data. A model of whole numbers, as uint8, is given pixels from 0 to 255. "
        "`folder`: a zip of a model of texts with its `tokenizer.json`, as `save_pretrained`, sentence-transformers or "
        "optimum write it: an encoder, which teaches vectors of sentences, or one with a head for classes "
        "(`…ForSequenceClassification`, or an ONNX), which teaches texts with labels, on tokens of its own. It says "
        "itself how it is read, but for `classes` where it calls them LABEL_0, LABEL_1.",
        examples=["onnx"],
    )
    architecture: Architecture | None = Field(
        None,
        description="The network that the weights belong to. Null: onnx needs none, and a checkpoint made here says so "
        "itself.",
        examples=[{"kind": "mlp", "hidden": [256, 256]}],
    )
    inputs: Inputs | None = Field(
        None,
        description="What the teacher was trained on, if its file does not say: this job's standardised inputs, or the "
        "data as uploaded. Null: `raw` for onnx, `standardised` for weights.",
        examples=["standardised"],
    )
    output: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None,
        description="onnx only: which output to read; null: the one with a column for each class. Where several have, "
        "you are asked.",
        examples=["probabilities"],
    )
    kind: Answers | None = Field(
        None,
        description="onnx only: what the output is; a classifier of scikit-learn gives probabilities. `sigmoid`: each "
        "class has a probability for itself, and those of a row are divided by their sum. One column is that of the "
        "second of two classes. Null: what the output shows to be; you are asked where it may be one or the other. "
        "Regression: the output is a number for each target, in the units of the data, and this stays null.",
        examples=["probabilities"],
    )
    classes: ClassNames | None = CLASSES

    @model_validator(mode="after")
    def _fits_its_format(self) -> "ModelFormat":
        if self.format == "torch" and self.architecture is None:
            refuse(("architecture",), "architecture_needed", "a torch checkpoint does not say what it is", None)
        if self.format == "onnx" and self.architecture is not None:
            reason = "an onnx file is its own architecture; leave it out"
            refuse(("architecture",), "architecture_not_needed", reason, self.architecture.kind)
        if self.architecture is not None and family_of(self.architecture).ending == ".zip":
            reason = "its weights are a folder, which says itself how it is read: name it with `format`: `folder`"
            refuse(("architecture",), "architecture_not_needed", reason, self.architecture.kind)
        if self.format == "folder" and (told := _told(self)):
            refuse((told,), "folder_knows", "a folder says itself how it is read; leave it out", None)
        if self.format != "onnx" and self.output is not None:
            refuse(("output",), "only_for_onnx", "weights have one output", self.output)
        if self.format != "onnx" and self.kind not in (None, "logits"):
            refuse(("kind",), "only_for_onnx", "a network of this service gives logits", self.kind)
        return self


def _told(reading: ModelFormat) -> str | None:
    """The first field that says how weights are read, beside their format."""
    fields = ("architecture", "inputs", "output", "kind")
    return next((field for field in fields if getattr(reading, field) is not None), None)


class TrainedTeacher(Strict):
    """A teacher that this job trains."""

    source: Literal["train"] = Field(description="Train the teacher first.", examples=["train"])
    architecture: Architecture = Field(
        description="The teacher's network.", examples=[{"kind": "mlp", "hidden": [256, 256]}]
    )
    training: Training | None = Field(None, description="Its own training; null: as the student's.", examples=[None])
    labels: Literal["all", "seen"] = Field(
        "all",
        description="What it is trained on: every label of the training split, or only those that the student sees. A "
        "teacher of the student's own architecture with `seen` is self-distillation.",
        examples=["all"],
    )


class UploadedTeacher(ModelFormat, OfOtherClasses):
    """A teacher that you uploaded."""

    source: Literal["file"] = Field(description="A model that you uploaded.", examples=["file"])
    file: FileId = Field(
        description="An uploaded file of purpose `teacher`. A checkpoint of an earlier job fits as it is, and brings "
        "its own architecture and standardisation.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e"],
    )
    tokenizer: FileId | None = Field(
        None,
        description="onnx of text only: its `tokenizer.json`, an uploaded file of purpose `teacher`. A zip of both is "
        "a `folder` instead.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _tokenizer_of_an_onnx(self) -> "UploadedTeacher":
        if self.tokenizer is not None and self.format != "onnx":
            reason = "only an .onnx is uploaded without its tokenizer"
            refuse(("tokenizer",), "only_for_onnx", reason, self.tokenizer)
        return self


class Registered(Strict):
    """A model of the registry, or what an earlier job made."""

    source: Literal["model"] = Field(description="A model that is here already.", examples=["model"])
    model: ReadableId = Field(
        description="The id of a model (`model_…`) or of a checkpoint (`ckpt_…`).",
        examples=["model_01990d3e7c5a7cc09d4b8c1f2a3b4c60"],
    )


class ModelTeacher(Registered, OfOtherClasses):
    """A model of the registry, or what an earlier job made."""


class SoftLabels(OfOtherClasses):
    """A teacher's answers instead of the teacher: no weights leave your hands."""

    source: Literal["soft_labels"] = Field(description="Answers that you uploaded.", examples=["soft_labels"])
    file: FileId = Field(
        description="An uploaded file of purpose `soft_labels`, rows in the order of the data set before it is split. "
        "Dense: .npy, .npz with one array, or .parquet with one column of lists or a column for each class; shape "
        "(rows, classes), of several labels a row (rows, labels); of two classes (rows,) is the second's. Sparse: .npz "
        "or .parquet with `indices` and `values`, both (rows, k): the classes, counted from 0, and what the teacher "
        "said of them. Counts also as .json: a list with an object of keys and counts for each row, or the "
        "`results.json` of a circuit job with a circuit for each row.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5f"],
    )
    kind: Literal["logits", "log_probabilities", "probabilities", "values", "counts"] = Field(
        description="What the numbers are; probabilities sum to 1 in each dense row, and to at most 1 in a sparse one "
        "(those of several labels stand each for itself); rows that rounding has brought within 0.05 of that are "
        "divided by their sum, and the report says so. "
        "Sparse logits do not tell what they leave over: only `renormalise` fits them. `values` are predictions of "
        "regression, in the units of the data, a column for each target; with one target (rows,) will do. `counts`: "
        "how often a row was read as each class, by a quantum computer or by people: its frequencies are the soft "
        "labels, and rows are drawn into batches by their shots, so that one of 16 shots says less than one of 4,096.",
        examples=["probabilities"],
    )
    outcomes: Annotated[dict[OutcomePattern, ClassName], Field(min_length=1, max_length=MAX_PATTERNS)] | None = Field(
        None,
        description="Of counts by key: the class that a key says, clbit 0 the rightmost character and `x` for either "
        "bit; the first that fits counts. Shots of other keys are left out, and the report says how many. Null: the "
        "counts are an array, a column for each class.",
        examples=[{"x0": "setosa", "01": "versicolor", "11": "virginica"}],
    )
    missing: Missing = Field("ghost", description=f"Sparse only. {MISSING}", examples=["ghost"])
    classes: ClassNames | None = CLASSES

    @model_validator(mode="after")
    def _outcomes_of_counts(self) -> "SoftLabels":
        if self.outcomes is not None and self.kind != "counts":
            refuse(("outcomes",), "superfluous", "it says which class a key of `counts` is", self.kind)
        if len({len(pattern) for pattern in self.outcomes or ()}) > 1:
            refuse(("outcomes",), "keys_differ", "all keys of one register have as many bits", self.kind)
        return self


Member = Annotated[
    TrainedTeacher | UploadedTeacher | ModelTeacher | SoftLabels | EndpointTeacher, Field(discriminator="source")
]


class EnsembleTeacher(Judged):
    """Several teachers as one."""

    source: Literal["ensemble"] = Field(description="The average of several teachers.", examples=["ensemble"])
    members: Annotated[list[Member], Field(min_length=2, max_length=MAX_MEMBERS)] = Field(
        description="The teachers. Those that this job trains start from different seeds.",
        examples=[[{"source": "train", "architecture": {"kind": "mlp", "hidden": [64]}}] * 2],
    )
    average: Literal["probabilities", "geometric"] = Field(
        "probabilities",
        description="Mean of the probabilities, or of their logarithms (the normalised geometric mean, which is sure "
        "only of what all members are sure of). Regression: the mean of the predictions.",
        examples=["probabilities"],
    )
    weights: Annotated[list[Annotated[float, Field(gt=0, le=1000)]], Field(max_length=MAX_MEMBERS)] | None = Field(
        None,
        description="Of each member, in their order; only their proportions count. Null: equal.",
        examples=[[2, 1]],
    )

    @model_validator(mode="after")
    def _a_weight_for_each(self) -> "EnsembleTeacher":
        for place, member in enumerate(self.members):
            if isinstance(member, SoftLabels) and member.kind == "counts":
                reason = "an average forgets how many shots a row has: submit frequencies as `probabilities`"
                refuse(("members", place, "kind"), "not_in_an_ensemble", reason, member.kind)
        if self.weights is not None and len(self.weights) != len(self.members):
            reason = f"{len(self.weights)} weights for {len(self.members)} members"
            refuse(("weights",), "wrong_number_of_weights", reason, self.weights)
        return self


Single = TrainedTeacher | UploadedTeacher | ModelTeacher | SoftLabels | EndpointTeacher | ServedTeacher | CircuitTeacher
Teacher = Annotated[
    Single | EnsembleTeacher,
    Field(discriminator="source"),
]


def parts(teacher: Single | EnsembleTeacher) -> list[tuple[tuple[str | int, ...], Single]]:
    """(place below the job, teacher) of a teacher, or of each member of an ensemble."""
    if isinstance(teacher, EnsembleTeacher):
        return [(("teacher", "members", i), member) for i, member in enumerate(teacher.members)]
    return [(("teacher",), teacher)]
