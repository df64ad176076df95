"""What a model may be asked, and how a worker is asked on the way.

One body, told apart by the field that it has: `inputs` of models of numbers and images, `rows` of models of tables
with words, gaps or dates, `texts` of text classifiers and encoders, `prompts` of language models, `masked` of masked
ones, `users` of recommenders.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from qstill.contract.schemas import Seed, Strict, refuse

MAX_ROWS = 256
MAX_NUMBERS = 1 << 18  # of all rows: some 5 MB of JSON, which pass through the ledger
MAX_CHARACTERS = 1 << 18  # of all texts or prompts
MAX_PROMPTS = 16
MAX_NEW_TOKENS = 2048  # of all prompts together; each is a pass through the network
MAX_LIST = 100  # items recommended to a user, or tokens for a mask
MAX_MASKS = 512  # of all texts; each is answered with a list
MASK = "<mask>"
MAX_EXCLUDED = 10_000  # items of all users

Side = Annotated[int, Field(ge=1, le=4096)]
GivenText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS, pattern=r"\S")]
Prompt = Annotated[str, StringConstraints(max_length=MAX_CHARACTERS)]
ItemName = Annotated[str, StringConstraints(max_length=1000)]
Cell = float | bool | Annotated[str, StringConstraints(max_length=10_000)] | None


class AskRows(Strict):
    """Rows as the data was when it was uploaded: a checkpoint made here standardises them itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"inputs": [[5.1, 3.5, 1.4, 0.2]]}]})

    inputs: Annotated[
        list[Annotated[list[float], Field(min_length=1, max_length=MAX_NUMBERS)]],
        Field(min_length=1, max_length=MAX_ROWS),
    ] = Field(
        description="Up to 256 rows of equally many numbers; images flattened, channel by channel and line by line. An "
        "onnx model of text takes the numbers of tokens, its padding at the end of shorter rows: which tokenizer it "
        "knows, its file does not hold.",
        examples=[[[5.1, 3.5, 1.4, 0.2]]],
    )
    shape: Annotated[list[Side], Field(min_length=1, max_length=3)] | None = Field(
        None,
        description="Of one row, as (features) or (channels, height, width), where the model does not say so itself: "
        "weights of a convolutional network that were uploaded without a card.",
        examples=[None],
    )

    @model_validator(mode="after")
    def _one_table(self) -> "AskRows":
        width = len(self.inputs[0])
        for number, row in enumerate(self.inputs):
            if len(row) != width:
                reason = f"row 0 has {width} numbers and this one {len(row)}"
                refuse(("inputs", number), "rows_differ", reason, len(row))
        if width * len(self.inputs) > MAX_NUMBERS:
            reason = f"at most {MAX_NUMBERS:,} numbers at once; send fewer rows"
            refuse(("inputs",), "too_many_numbers", reason, width * len(self.inputs))
        return self


class AskTable(Strict):
    """Rows of a table, as objects, for a model that was trained on its columns."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"rows": [{"age": 41, "job": "nurse", "since": "2021-04-01", "member": True}]}]}
    )

    rows: Annotated[
        list[Annotated[dict[ItemName, Cell], Field(min_length=1, max_length=10_000)]],
        Field(min_length=1, max_length=MAX_ROWS),
    ] = Field(
        description="Up to 256 rows, each value by the name of its column, as the table has it: numbers, words, true "
        "or false, dates as text; null, or no value at all, where nothing is known. Columns that are not read, and the "
        "one that is learned, may be there.",
        examples=[[{"age": 41, "job": "nurse", "since": "2021-04-01", "member": True}]],
    )

    @model_validator(mode="after")
    def _not_too_many(self) -> "AskTable":
        if (values := sum(map(len, self.rows))) > MAX_NUMBERS:
            refuse(("rows",), "too_many_values", f"at most {MAX_NUMBERS:,} values at once; send fewer rows", values)
        return self


class AskTexts(Strict):
    """Texts for a classifier of texts, or for an encoder. The tokenizer comes with the model."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"texts": ["A list comprehension makes a list of what a loop finds."]}]}
    )

    texts: Annotated[list[GivenText], Field(min_length=1, max_length=MAX_ROWS)] = Field(
        description="Up to 256 texts; what is longer than the model's rows is cut off, and a note says so.",
        examples=[["A list comprehension makes a list of what a loop finds."]],
    )

    @model_validator(mode="after")
    def _not_too_long(self) -> "AskTexts":
        refuse_too_long("texts", self.texts)
        return self


class AskPrompts(Strict):
    """Beginnings of texts for a language model to go on from."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"prompts": ["The import statement "], "max_tokens": 64, "temperature": 0.8, "seed": 0}]
        }
    )

    prompts: Annotated[list[Prompt], Field(min_length=1, max_length=MAX_PROMPTS)] = Field(
        description="Up to 16 beginnings; an empty one lets the model begin. Each is answered as if it were alone.",
        examples=[["The import statement "]],
    )
    max_tokens: Annotated[int, Field(ge=1, le=512)] = Field(
        64, description="At most so many tokens are added to each.", examples=[64]
    )
    temperature: Annotated[float, Field(ge=0, le=100)] = Field(
        1.0, description="Logits are divided by it before a token is drawn; 0: always the likeliest.", examples=[0.8]
    )
    top_k: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Draw from so many of the likeliest tokens only; null: from all.", examples=[40]
    )
    seed: Seed = Field(
        0, description="Draws the tokens: the same seed, prompt and settings give the same text.", examples=[0]
    )

    @model_validator(mode="after")
    def _not_too_long(self) -> "AskPrompts":
        refuse_too_long("prompts", self.prompts)
        tokens = self.max_tokens * len(self.prompts)
        if tokens > MAX_NEW_TOKENS:
            reason = f"{len(self.prompts)} prompts may have at most {MAX_NEW_TOKENS // len(self.prompts)} tokens each"
            refuse(("max_tokens",), "too_many_tokens", reason, self.max_tokens)
        return self


class AskMasked(Strict):
    """Texts for a masked language model to fill in."""

    masked: Annotated[list[GivenText], Field(min_length=1, max_length=MAX_ROWS)] = Field(
        description=f"Up to 256 texts with `{MASK}` wherever a token is to be found, at most 512 of them in all.",
        examples=[["The import <mask> binds a name."]],
    )
    top_k: Annotated[int, Field(ge=1, le=MAX_LIST)] = Field(
        5, description="How many of the likeliest tokens to name for each mask.", examples=[5]
    )

    @model_validator(mode="after")
    def _has_masks(self) -> "AskMasked":
        refuse_too_long("masked", self.masked)
        for number, text in enumerate(self.masked):
            if MASK not in text:
                refuse(("masked", number), "no_mask", f"there is no {MASK} in this text: nothing to fill in", None)
        if (masks := sum(text.count(MASK) for text in self.masked)) > MAX_MASKS:
            refuse(("masked",), "too_many_masks", f"at most {MAX_MASKS} masks at once; send fewer texts", masks)
        return self


class AskUsers(Strict):
    """Users for a recommender."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"users": ["17", "42"], "k": 10, "exclude": [["3", "5"], []]}]}
    )

    users: Annotated[list[ItemName], Field(min_length=1, max_length=MAX_ROWS)] = Field(
        description="Up to 256 users, by their names in the data.", examples=[["17", "42"]]
    )
    k: Annotated[int, Field(ge=1, le=MAX_LIST)] = Field(10, description="Items for each user.", examples=[10])
    exclude: list[list[ItemName]] | None = Field(
        None,
        description="For each user, the items not to recommend, by name: those that the user has chosen already, say. "
        "A checkpoint holds no interactions, so that it does not know them.",
        examples=[[["3", "5"], []]],
    )

    @model_validator(mode="after")
    def _a_list_for_each(self) -> "AskUsers":
        if self.exclude is not None and len(self.exclude) != len(self.users):
            reason = f"{len(self.exclude)} lists for {len(self.users)} users"
            refuse(("exclude",), "wrong_number_of_lists", reason, len(self.exclude))
        if sum(map(len, self.exclude or [])) > MAX_EXCLUDED:
            refuse(
                ("exclude",), "too_many_items", f"at most {MAX_EXCLUDED:,} items in all; ask about fewer users", None
            )
        return self


def refuse_too_long(field: str, texts: list[str]) -> None:
    """Raise a validation error for more characters than pass through the ledger at once."""
    if (characters := sum(map(len, texts))) > MAX_CHARACTERS:
        reason = f"at most {MAX_CHARACTERS:,} characters at once; send fewer {field}"
        refuse((field,), "too_many_characters", reason, characters)


BY_FIELD = {
    "inputs": AskRows,
    "rows": AskTable,
    "texts": AskTexts,
    "prompts": AskPrompts,
    "masked": AskMasked,
    "users": AskUsers,
}
AnyQuestion = AskRows | AskTable | AskTexts | AskPrompts | AskMasked | AskUsers


def _tag(body: Any) -> str:
    """Of the field that tells the questions apart; no field bears such a name: places of errors pass over it."""
    return next(f"of {field}" for field, kind in BY_FIELD.items() if isinstance(body, kind) or field in body)


def _one_question(body: Any) -> Any:
    """Refuse what is no question or several, for which no member of the union has a reason."""
    if isinstance(body, Mapping):
        named = [field for field in BY_FIELD if field in body]
        if len(named) != 1:
            reason = "a question has one of the fields `inputs`, `rows`, `texts`, `prompts`, `masked` and `users`"
            refuse(tuple(named[1:2]), "one_question", reason, named)
    elif not isinstance(body, AnyQuestion):
        refuse((), "one_question", "a question is an object", None)
    return body


NewPrediction = Annotated[
    Annotated[
        Annotated[AskRows, Tag("of inputs")]
        | Annotated[AskTable, Tag("of rows")]
        | Annotated[AskTexts, Tag("of texts")]
        | Annotated[AskPrompts, Tag("of prompts")]
        | Annotated[AskMasked, Tag("of masked")]
        | Annotated[AskUsers, Tag("of users")],
        Discriminator(_tag),
    ],
    BeforeValidator(_one_question),
]


class Question(BaseModel):
    """A prediction on its way to a worker."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: Literal["prediction"] = "prediction"
    model: str
    rows: NewPrediction
