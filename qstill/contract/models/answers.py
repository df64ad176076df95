"""What models answer."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.schemas import View


class Said(View):
    """What all answers have."""

    model: str = Field(description="Which model.", examples=["model_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"])
    notes: list[str] = Field(
        default_factory=list,
        description="What a reader must know: of texts that were cut off, or names that the model does not know.",
        examples=[["1 of 2 texts was cut off after 64 tokens."]],
    )


class Prediction(Said):
    """What a model says of rows or texts."""

    object: Literal["prediction"] = Field("prediction", description="What this is.")
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


class NamedLabels(Said):
    """What a model of several labels says of rows or texts."""

    object: Literal["labels"] = Field("labels", description="What this is.", examples=["labels"])
    labels: list[str] = Field(description="The columns below.", examples=[["even", "prime"]])
    logits: list[list[float]] = Field(description="A row for each input.", examples=[[[4.1, -2.2]]])
    probabilities: list[list[float]] = Field(
        description="Of each label by itself: their sigmoid.", examples=[[[0.984, 0.1]]]
    )
    predicted: list[list[str]] = Field(
        description="The labels of each row whose probability is above 0.5; none where it is empty.",
        examples=[[["even"]]],
    )


class Values(Said):
    """What a model of regression says of rows."""

    object: Literal["values"] = Field("values", description="What this is.")
    targets: list[str] = Field(description="The columns below.", examples=[["height", "weight"]])
    values: list[list[float]] = Field(
        description="A row for each input, in the units of the data that the model learned from.",
        examples=[[[1.74, 68.2]]],
    )


class NewToken(View):
    """A token that a language model added."""

    token: str = Field(description="As the tokenizer's vocabulary spells it.", examples=["the"])
    log_probability: float = Field(
        description="Nats, at temperature 1 and among all tokens but padding, whatever the question's settings.",
        examples=[-1.73],
    )


class Continuation(View):
    """How a language model goes on."""

    text: str = Field(description="What was added, decoded; the prompt is not repeated.", examples=["binds a name."])
    tokens: list[NewToken] = Field(description="What was added, token by token, the end mark too.")
    ended: Literal["end_of_text", "max_tokens"] = Field(
        description="Whether the model ended the text, or was stopped.", examples=["max_tokens"]
    )


class Continuations(Said):
    """How a language model goes on after prompts."""

    object: Literal["continuations"] = Field("continuations", description="What this is.")
    continuations: list[Continuation] = Field(description="One for each prompt, in their order.")


class Candidate(View):
    """A token that may stand where a mask is."""

    token: str = Field(description="As the tokenizer's vocabulary spells it.", examples=["statement"])
    probability: float = Field(description="Among all tokens of texts; special ones have none.", examples=[0.41])


class Filling(View):
    """How a masked language model fills a text in."""

    text: str = Field(
        description="The text with the likeliest token for each mask, as the tokenizer decodes it.",
        examples=["The import statement binds a name."],
    )
    masks: list[list[Candidate]] = Field(description="For each mask that the model saw, the likeliest tokens.")


class Fillings(Said):
    """How a masked language model fills texts in."""

    object: Literal["fillings"] = Field("fillings", description="What this is.")
    fillings: list[Filling] = Field(description="One for each text, in their order.")


class Vectors(Said):
    """What an encoder says of texts."""

    object: Literal["vectors"] = Field("vectors", description="What this is.", examples=["vectors"])
    vectors: list[list[float]] = Field(description="One for each text.", examples=[[[0.6, 0.8], [0.0, 1.0]]])
    cosines: list[list[float]] = Field(
        description="How alike the texts are: a row and a column for each.", examples=[[[1.0, 0.8], [0.8, 1.0]]]
    )


class Recommended(View):
    """An item of a list."""

    item: str = Field(description="Its name in the data.", examples=["17"])
    score: float = Field(
        description="The model's; only the order of one user's scores means something.", examples=[3.2]
    )


class Recommendations(Said):
    """What a recommender puts first."""

    object: Literal["recommendations"] = Field("recommendations", description="What this is.")
    recommendations: list[list[Recommended]] = Field(
        description="A list for each user, the best item first; shorter than `k` where fewer items are left.",
        examples=[[[{"item": "17", "score": 2.41}]]],
    )


Answer = Annotated[
    Prediction | NamedLabels | Values | Continuations | Fillings | Vectors | Recommendations,
    Field(discriminator="object"),
]
