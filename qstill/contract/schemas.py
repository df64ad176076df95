"""The pieces that every request and answer is made of."""

from datetime import datetime
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


class Strict(BaseModel):
    """A request body: unknown fields are refused, types are not guessed (JSON `1` is a valid float, `"1"` is not)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class View(BaseModel):
    """An answer body."""

    model_config = ConfigDict(extra="forbid")


Moment = Annotated[datetime, Field(examples=["2026-03-14T09:26:53Z"])]
Sha256 = Annotated[str, Field(examples=["7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730"])]
FieldPath = tuple[str | int, ...]  # names and indices from the body, or a part of it, to a field
PRINTABLE = r"^[^\x00-\x1f\x7f\uFFFE\uFFFF]*$"  # what XML, and so a picture's title, can hold
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
FileId = Annotated[str, StringConstraints(pattern=r"^file_[A-Za-z0-9_-]{1,64}$")]
ReadableId = Annotated[str, StringConstraints(pattern=r"^(model|ckpt)_[0-9a-f]{32}$")]  # what can be read as a model
JobId = Annotated[str, StringConstraints(pattern=r"^job_[0-9a-f]{32}$")]
MAX_SEED = 2**63 - 1  # what a signed 64-bit integer holds; of the client's choice, so larger than SEED_BITS draw
SEED_BITS = 48  # of a seed that the service draws: a number that every JSON reader keeps exactly
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=32)]


class Submission(Strict):
    """What every job may say about itself."""

    name: Name | None = Field(None, description="A name for people.", examples=["bell"])
    labels: Labels = Field(
        default_factory=dict, description="Up to 32 key-value pairs to find the job by.", examples=[{"course": "qc101"}]
    )
    priority: Annotated[int, Field(ge=-100, le=100)] = Field(
        0, description="Higher runs earlier among your jobs of a queue.", examples=[10]
    )


def refuse(place: FieldPath, code: str, reason: str, given: Any) -> NoReturn:
    """Raise a validation error at a field below the model being validated; a ValueError would point at the whole."""
    context = {"reason": reason, "field": place[-1] if place else None}  # which the body may lack
    error = PydanticCustomError(code, "{reason}", context)  # a template: reasons may hold braces
    raise ValidationError.from_exception_data("body", [InitErrorDetails(type=error, loc=place, input=given)])
