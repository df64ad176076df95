"""What a model may be asked, what it says, and how a worker is asked on the way."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas import Strict, View, refuse

MAX_ROWS = 256
MAX_NUMBERS = 1 << 18  # of all rows: some 5 MB of JSON, which pass through the ledger

Side = Annotated[int, Field(ge=1, le=4096)]


class NewPrediction(Strict):
    """Rows as the data was when it was uploaded: a checkpoint made here standardises them itself."""

    inputs: Annotated[
        list[Annotated[list[float], Field(min_length=1, max_length=MAX_NUMBERS)]],
        Field(min_length=1, max_length=MAX_ROWS),
    ] = Field(
        description="Up to 256 rows of equally many numbers; images flattened, channel by channel and line by line.",
        examples=[[[5.1, 3.5, 1.4, 0.2]]],
    )
    shape: Annotated[list[Side], Field(min_length=1, max_length=3)] | None = Field(
        None,
        description="Of one row, as (features) or (channels, height, width), where the model does not say so itself: "
        "weights of a convolutional network that were uploaded without a card.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _one_table(self) -> "NewPrediction":
        width = len(self.inputs[0])
        for number, row in enumerate(self.inputs):
            if len(row) != width:
                reason = f"row 0 has {width} numbers and this one {len(row)}"
                refuse(("inputs", number), "rows_differ", reason, len(row))
        if width * len(self.inputs) > MAX_NUMBERS:
            reason = f"at most {MAX_NUMBERS:,} numbers at once; send fewer rows"
            refuse(("inputs",), "too_many_numbers", reason, width * len(self.inputs))
        return self


class Prediction(View):
    """What a model says of rows."""

    object: Literal["prediction"] = Field("prediction", description="What this is.")
    model: str = Field(description="Which model.", examples=["model_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    classes: list[str] = Field(
        description="The columns below; numbers from 0 where the model does not name its classes.",
        examples=[["setosa", "versicolor", "virginica"]],
    )
    logits: list[list[float]] = Field(
        description="A row for each input; logarithms of the probabilities if the model gives those.",
        examples=[[[4.1, 0.3, -2.2]]],
    )
    probabilities: list[list[float]] = Field(description="Their softmax.", examples=[[[0.976, 0.022, 0.002]]])
    predicted: list[str] = Field(description="The most likely class of each row.", examples=[["setosa"]])


class Question(BaseModel):
    """A prediction on its way to a worker."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    rows: NewPrediction
