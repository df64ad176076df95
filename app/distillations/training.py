"""How a network is trained."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.schemas import Seed, Strict, refuse

MAX_EPOCHS = 10_000  # one event row each at worst
MAX_BATCH = 4096  # rows; with MAX_WIDTH it bounds the activations to 16 MB a layer


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
            refuse(("momentum",), "momentum_needs_sgd", "momentum belongs to sgd; adam has its own", self.momentum)
        return self


class StudentTraining(Training):
    """How the student is trained, and the baseline with it."""

    checkpoint_every: Annotated[int, Field(ge=1, le=MAX_EPOCHS)] | None = Field(
        None,
        description="Also keep the student of every n-th epoch; null: only the best epoch's.",
        examples=[10],
    )
