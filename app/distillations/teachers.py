"""Who may teach: a network trained in the job, weights that were uploaded, or a teacher's answers alone."""

from typing import Annotated, Literal

from pydantic import Field

from app.distillations.architectures import Architecture
from app.distillations.training import Training
from app.schemas import FileId, Strict


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
