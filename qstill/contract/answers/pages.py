"""A part of a list."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    object: Literal["list"] = Field("list", description="What this is.")
    data: list[T] = Field(description="The entries, in the order of the list.")
    has_more: bool = Field(
        description="Whether there is another page in the direction that was asked for.", examples=[False]
    )
    first_id: str | None = Field(description="Pass it as `before` for newer entries.", examples=[None])
    last_id: str | None = Field(description="Pass it as `after` for older entries.", examples=[None])
