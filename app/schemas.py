"""The pieces that every request and answer is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Strict(BaseModel):
    """A request body: unknown fields are refused, types are not guessed (JSON `1` is a valid float, `"1"` is not)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class View(BaseModel):
    """An answer body."""

    model_config = ConfigDict(extra="forbid")


PRINTABLE = r"^[^\x00-\x1f\x7f\uFFFE\uFFFF]*$"  # what XML, and so a picture's title, can hold
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=32)]


class Submission(Strict):
    """What every job may say about itself."""

    name: Name | None = Field(None, description="A name for people.", examples=["bell"])
    labels: Labels = Field(
        default_factory=dict, description="Up to 32 key-value pairs to find the job by.", examples=[{"course": "qc101"}]
    )
    priority: Annotated[int, Field(ge=-100, le=100)] = Field(
        0, description="Higher runs earlier among the jobs of a queue."
    )
