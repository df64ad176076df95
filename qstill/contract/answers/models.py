"""A model of the registry: what one is promoted from, and how its owner sees it."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.architectures.family import Question
from qstill.contract.distillations.embeddings.students import Encoder
from qstill.contract.distillations.recommenders.architectures import Scorer
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.schemas import FileId, Labels, Moment, Name, Sha256, View, refuse

EXAMPLE_ID = "model_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"

CheckpointRef = Annotated[str, StringConstraints(pattern=r"^ckpt_[0-9a-f]{32}$")]


class NewModel(ModelFormat):
    """Promote a checkpoint, or a model that you uploaded, to a model with a name. Its bytes are copied."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "digits-small", "checkpoint": "ckpt_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"},
                {
                    "name": "iris-from-sklearn",
                    "file": "file_01990d3e7c5a7cc09d4b8c1f2a3b4c5e",
                    "format": "onnx",
                    "kind": "probabilities",
                    "classes": ["setosa", "versicolor", "virginica"],
                },
            ]
        }
    )

    name: Name = Field(description="A name for people.", examples=["digits-small"])
    labels: Labels = Field(
        default_factory=dict, description="Up to 32 key-value pairs.", examples=[{"stage": "production"}]
    )
    checkpoint: CheckpointRef | None = Field(
        None,
        description="A checkpoint of a distillation; it says itself how it is read. Either this or `file`.",
        examples=["ckpt_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"],
    )
    file: FileId | None = Field(
        None, description="An uploaded file of purpose `teacher`, read as the other fields say.", examples=[None]
    )

    @model_validator(mode="after")
    def _of_one_origin(self) -> "NewModel":
        if (self.checkpoint is None) == (self.file is None):
            refuse(("checkpoint",), "one_origin", "name a checkpoint or a file, and not both", self.checkpoint)
        if self.checkpoint is not None:
            told = self.model_fields_set & ModelFormat.model_fields.keys()
            for field in sorted(told):
                if getattr(self, field) != ModelFormat.model_fields[field].default:
                    refuse((field,), "checkpoint_knows", "a checkpoint says itself how it is read", None)
        return self

    def model_format(self) -> ModelFormat:
        """How its bytes are read."""
        return ModelFormat(**{name: getattr(self, name) for name in ModelFormat.model_fields})


class ModelView(View):
    """A model that jobs may name as their teacher."""

    object: Literal["model"] = Field("model", description="What this is.")
    id: str = Field(description="Sorts by age.", examples=[EXAMPLE_ID])
    name: str = Field(description="As given.", examples=["digits-small"])
    labels: dict[str, str] = Field(description="As given.", examples=[{"stage": "production"}])
    format: Literal["safetensors", "torch", "onnx", "folder"] = Field(
        description="Of its content.", examples=["safetensors"]
    )
    architecture: Architecture | Scorer | Encoder | None = Field(
        description="Its network; null for onnx, an uploaded folder, and where only the content says it."
    )
    answers: Question | None = Field(
        description="Which field a question to `/predict` has; null where only the content says it. Of an onnx model "
        "of text `inputs` are numbers of tokens.",
        examples=["inputs"],
    )
    bytes: int = Field(description="Size of the content.", examples=[5192])
    sha256: Sha256 = Field(description="Of the content, as hexadecimal digits.")
    origin: dict[str, Any] = Field(
        description="The checkpoint and job, or the file, that it was made from; they may be gone by now.",
        examples=[{"checkpoint": "ckpt_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"}],
    )
    created_at: Moment = Field(description="When it was promoted.")
    links: dict[str, str] = Field(
        description="Where it and its content are.", examples=[{"self": f"/v1/models/{EXAMPLE_ID}"}]
    )
