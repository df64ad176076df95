"""What the parameters of objectives are made of: numbers with bounds, and numbers that change over the epochs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from qstill.contract.schemas import Strict

MAX_WEIGHT = 1000  # of a term on logits; beyond it a learning rate is what one wants to change
MAX_FEATURE_WEIGHT = 1e6  # of a term on features, whose means over many small squares want thousands
LEAST_TEMPERATURE = 0.01  # below, logits in single precision divide to infinity
MAX_WARM_UP = 10_000  # epochs, as many as a job may have


class Ramp(Strict):
    """A number that moves from one value to another over the first epochs, and then stays."""

    model_config = ConfigDict(serialize_by_alias=True)

    start: float = Field(alias="from", description="The value in the first epoch.", examples=[8.0])
    end: float = Field(alias="to", description="The value from epoch `epochs` on.", examples=[2.0])
    shape: Literal["linear", "cosine"] = Field(
        "linear", description="linear: equal steps; cosine: slow at both ends.", examples=["linear"]
    )
    epochs: Annotated[int, Field(ge=2, le=MAX_WARM_UP)] = Field(
        description="How many epochs it takes, the first and the last included.", examples=[20]
    )


_NUMBER = TypeAdapter(Annotated[float, Field(strict=True, allow_inf_nan=False)])


def _number_or_ramp(given: Any) -> float | Ramp:
    """One error where the field stands; a union would tell of both its members, at places below it."""
    if isinstance(given, Ramp):
        return given
    return Ramp.model_validate(given) if isinstance(given, Mapping) else _NUMBER.validate_python(given)


@dataclass(frozen=True)
class _Within:
    """Bounds of a number, and of both ends of a ramp."""

    least: float
    most: float

    def __call__(self, value: float | Ramp) -> float | Ramp:
        for end in (value.start, value.end) if isinstance(value, Ramp) else (value,):
            if end < self.least:
                raise PydanticKnownError("greater_than_equal", {"ge": self.least})
            if end > self.most:
                raise PydanticKnownError("less_than_equal", {"le": self.most})
        return value


_Share = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
_Weight = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_WEIGHT})]
_FeatureWeight = Annotated[float, WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_FEATURE_WEIGHT})]
_Temperature = Annotated[float, WithJsonSchema({"type": "number", "minimum": LEAST_TEMPERATURE, "maximum": 1000})]

Share = Annotated[_Share | Ramp, AfterValidator(_Within(0, 1)), BeforeValidator(_number_or_ramp)]
Weight = Annotated[_Weight | Ramp, AfterValidator(_Within(0, MAX_WEIGHT)), BeforeValidator(_number_or_ramp)]
FeatureWeight = Annotated[
    _FeatureWeight | Ramp, AfterValidator(_Within(0, MAX_FEATURE_WEIGHT)), BeforeValidator(_number_or_ramp)
]
Temperature = Annotated[
    _Temperature | Ramp, AfterValidator(_Within(LEAST_TEMPERATURE, 1000)), BeforeValidator(_number_or_ramp)
]


def refuse_all_zero(*weights: float | Ramp) -> None:
    """Raise a validation error of the model when no term has a weight in any epoch."""
    if not any(weight.start or weight.end if isinstance(weight, Ramp) else weight for weight in weights):
        raise PydanticCustomError("nothing_to_minimise", "all weights are zero: there is nothing to minimise")
