"""Where interactions come from, and which of them are held out."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.schemas import FileId, Seed, Strict, refuse

MAX_INTERACTIONS = 5_000_000  # 120 MB of users, items and times; an epoch of them is minutes on one core
MAX_SYNTHETIC_USERS = 20_000
MAX_SYNTHETIC_ITEMS = 20_000
MAX_SYNTHETIC_SCORES = 50_000_000  # users by items: all of them are computed to draw from

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
HeldOut = Annotated[float, Field(ge=0.01, le=0.4)]


HOW = (
    "leave_one_out: each user's last interaction is tested and the one before chooses the epoch; users with fewer than "
    "three are trained on only. time: the same two moments for everybody, so that nothing is predicted from its "
    "future; interactions of one moment stay together."
)


class OwnSplit(Strict):
    """A column, or a file, that says in which split each interaction is."""

    column: Column | None = Field(
        None,
        description="The column with train, validation (val, valid, dev) or test, or with 0, 1 or 2: of the table, or "
        "of `file` where one is named, `split` or its only one if this is null.",
        examples=["split"],
    )
    file: FileId | None = Field(
        None,
        description="An uploaded file of purpose `split`: a word a row, in the order of the table, or the numbers of "
        "the rows of each split. It is read as those of other data are.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _says_where(self) -> "OwnSplit":
        if self.column is None and self.file is None:
            refuse(("column",), "says_nothing", "name the column, or the file, that says the splits", None)
        return self


class HoldingOut(Strict):
    """How many interactions are held out."""

    validation: HeldOut = Field(
        0.1, description="time only: share of the interactions that chooses the best epoch.", examples=[0.1]
    )
    test: HeldOut = Field(
        0.1, description="time only: share of the interactions, the latest, that the report reads once.", examples=[0.1]
    )


class SyntheticInteractions(HoldingOut):
    """Interactions of users that do not exist."""

    source: Literal["synthetic_interactions"] = Field(
        description="Drawn from a latent-factor model whose parameters come from a seed: each user has tastes, each "
        "item traits and a popularity that falls with its rank as Zipf's law says, and users choose without "
        "repetition. Nobody's behaviour was observed: results show how methods compare, not what your data will say.",
        examples=["synthetic_interactions"],
    )
    split: Literal["leave_one_out", "time"] = Field("leave_one_out", description=HOW, examples=["leave_one_out"])
    users: Annotated[int, Field(ge=10, le=MAX_SYNTHETIC_USERS)] = Field(1000, description="Users.", examples=[1000])
    items: Annotated[int, Field(ge=10, le=MAX_SYNTHETIC_ITEMS)] = Field(500, description="Items.", examples=[500])
    per_user: Annotated[int, Field(ge=3, le=500)] = Field(
        30, description="Interactions of a user, on average; every user has three or more.", examples=[30]
    )
    factors: Annotated[int, Field(ge=1, le=256)] = Field(
        8, description="Dimensions of tastes and traits.", examples=[8]
    )
    taste: Annotated[float, Field(ge=0, le=10)] = Field(
        3.0, description="Standard deviation of a user's preference over items, in nats.", examples=[3.0]
    )
    popularity: Annotated[float, Field(ge=0, le=3)] = Field(
        0.7, description="Zipf's exponent: the n-th most popular item has weight n^-popularity.", examples=[0.7]
    )
    seed: Seed = Field(0, description="Draws everything; the same seed gives the same interactions.", examples=[0])

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "SyntheticInteractions":
        if self.per_user * 2 > self.items:
            reason = f"users choose at most half of the {self.items} items"
            refuse(("per_user",), "too_few_items", reason, self.per_user)
        if self.users * self.items > MAX_SYNTHETIC_SCORES:
            reason = f"users times items may be {MAX_SYNTHETIC_SCORES} at most"
            refuse(("users",), "too_many_interactions", reason, self.users)
        return self


class UploadedInteractions(HoldingOut):
    """Interactions that you uploaded."""

    source: Literal["interactions"] = Field(description="An uploaded table.", examples=["interactions"])
    file: FileId = Field(
        description="An uploaded csv (UTF-8, or UTF-16 with its mark, or a gzip of it, with a header) or parquet of "
        "purpose `dataset`: a row for each time that a user chose an item. Users and items are names or whole numbers "
        "from 0; no rating is read. Errors count rows from 0.",
        examples=["file_01990d3e7c5a7cc09d4b8c1f2a3b4c5d"],
    )
    split: Literal["leave_one_out", "time"] | OwnSplit = Field(
        "leave_one_out",
        description=f"{HOW} Or a column or file of your own, which names interactions for each of the three splits.",
        examples=["leave_one_out", {"column": "split"}],
    )
    user: Column = Field("user", description="The column of users.", examples=["user"])
    item: Column = Field("item", description="The column of items.", examples=["item"])
    time: Column | None = Field(
        None,
        description="The column of times, numbers or timestamps. Null: leave_one_out draws which interactions are held "
        "out, by `split_seed`.",
        examples=["time"],
    )
    duplicates: Literal["refuse", "first", "last"] = Field(
        "refuse",
        description="What to do when a user has one item twice: keep the first or the last by time, or by row where "
        "there is none. To keep both would test what was trained on.",
        examples=["first"],
    )
    split_seed: Seed = Field(0, description="Draws what is held out when there is no time.", examples=[0])

    @model_validator(mode="after")
    def _time_is_there(self) -> "UploadedInteractions":
        if self.split == "time" and self.time is None:
            refuse(("time",), "time_missing", "a split by time needs the column of times", None)
        if len({self.user, self.item, self.time}) < 3:
            refuse(("user",), "same_column", "user, item and time are columns of their own", self.user)
        if self.split_column in (self.user, self.item, self.time) and self.split_column is not None:
            refuse(("split", "column"), "same_column", "the column of splits is one of its own", self.split_column)
        return self

    @property
    def split_column(self) -> str | None:
        """The column of the table that says the splits."""
        return self.split.column if isinstance(self.split, OwnSplit) and self.split.file is None else None


Interactions = Annotated[SyntheticInteractions | UploadedInteractions, Field(discriminator="source")]
