"""Networks that classify texts by other means than attention."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.distillations.architectures.family import Family, Form, numbered, units_are_added, widths
from qstill.contract.distillations.architectures.pieces import (
    MAX_CHANNELS,
    MAX_CONVOLUTIONS,
    MAX_LAYERS,
    MAX_TOKEN_WIDTH,
    Dropout,
    TokenWidth,
    Width,
)
from qstill.contract.distillations.architectures.programs import MEAN
from qstill.contract.schemas import Strict


class BagOfEmbeddings(Strict):
    """The mean of the tokens' embeddings, then fully connected layers: the order of the tokens is lost.

    Features: `pool`, the mean; `hidden.N`, after the activation.
    """

    kind: Literal["bag_of_embeddings"] = Field(
        description="A mean of embeddings; text classification.", examples=["bag_of_embeddings"]
    )
    width: TokenWidth = Field(32, description="Numbers of an embedding.", examples=[32])
    hidden: Annotated[list[Width], Field(max_length=MAX_LAYERS)] = Field(
        default_factory=list, description="Units of each hidden layer.", examples=[[32]]
    )
    dropout: Dropout = Field(0.0, description="Of the mean and of hidden units.", examples=[0.1])


class TextCnn(Strict):
    """The convolutional network for sentences of Kim (2014, 1408.5882): the largest answer of each filter.

    Features: `pool`, those answers.
    """

    kind: Literal["text_cnn"] = Field(
        description="Convolutions over tokens; text classification.", examples=["text_cnn"]
    )
    width: TokenWidth = Field(64, description="Numbers of an embedding.", examples=[32])
    filters: Annotated[int, Field(ge=1, le=MAX_CHANNELS * 2)] = Field(
        64, description="Filters of each size.", examples=[32]
    )
    sizes: Annotated[list[Annotated[int, Field(ge=1, le=16)]], Field(min_length=1, max_length=MAX_CONVOLUTIONS)] = (
        Field(default_factory=lambda: [3, 4, 5], description="Tokens that filters span.", examples=[[2, 3]])
    )
    dropout: Dropout = Field(0.0, description="Before the head.", examples=[0.1])


class Lstm(Strict):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) from left to right; the mean of its states.

    Features: `pool`, the mean.
    """

    kind: Literal["lstm"] = Field(description="A recurrent network; text classification.", examples=["lstm"])
    width: TokenWidth = Field(64, description="Numbers of an embedding.", examples=[32])
    hidden: Annotated[int, Field(ge=1, le=MAX_TOKEN_WIDTH)] = Field(
        64, description="Numbers of a state.", examples=[32]
    )
    depth: Annotated[int, Field(ge=1, le=4)] = Field(1, description="Layers.", examples=[1])
    dropout: Dropout = Field(0.0, description="Of embeddings and before the head.", examples=[0.1])


BAG_OF_EMBEDDINGS_PROGRAM = (
    MEAN
    + """

def network(numbers):
    x = mean_of(weights["embedding.weight"][numbers], (numbers != 0).unsqueeze(2).float())
    for n in range(len(architecture["hidden"])):
        x = torch.relu(linear(f"hidden.{n}", x))
    return linear("head", x)
"""
)

TEXT_CNN_PROGRAM = """

def network(numbers):
    real = (numbers != 0).unsqueeze(1).float()
    states = weights["embedding.weight"][numbers].transpose(1, 2)
    answers = []
    for n, size in enumerate(architecture["sizes"]):
        name = f"convolutions.{n}"
        every = F.conv1d(F.pad(states, (0, size - 1)), weights[f"{name}.weight"], weights[f"{name}.bias"])
        answers.append((torch.relu(every) * real).amax(2))
    return linear("head", torch.cat(answers, dim=1))
"""

LSTM_PROGRAM = (
    MEAN
    + """

recurrent = torch.nn.LSTM(architecture["width"], architecture["hidden"], architecture["depth"], batch_first=True)
part = "recurrent."
recurrent.load_state_dict({name.removeprefix(part): weights[name] for name in weights if name.startswith(part)})


def network(numbers):
    states, _ = recurrent(weights["embedding.weight"][numbers])
    return linear("head", mean_of(states, (numbers != 0).unsqueeze(2).float()))
"""
)

EVERY_WIDTH = widths(4, MAX_TOKEN_WIDTH)


def _bags(_: tuple[int, ...]) -> list[Form[BagOfEmbeddings]]:
    def of(width: int, *hidden: int) -> BagOfEmbeddings:
        return BagOfEmbeddings(kind="bag_of_embeddings", width=width, hidden=list(hidden))

    return [
        Form(words="a bag of embeddings", of=of, widths=EVERY_WIDTH),
        Form(words="a bag of embeddings with a hidden layer", of=lambda w: of(w, w), widths=EVERY_WIDTH),
    ]


def _text_cnns(_: tuple[int, ...]) -> list[Form[TextCnn]]:
    def of(width: int, sizes: list[int]) -> TextCnn:
        return TextCnn(kind="text_cnn", width=width, filters=width, sizes=sizes)

    every = widths(4, MAX_CHANNELS * 2)
    return [
        Form(words="a text cnn of one to three tokens", of=lambda w: of(w, [1, 2, 3]), widths=every),
        Form(words="a text cnn of three to five tokens", of=lambda w: of(w, [3, 4, 5]), widths=every),
    ]


def _lstms(_: tuple[int, ...]) -> list[Form[Lstm]]:
    return [Form(words="an lstm", of=lambda w: Lstm(kind="lstm", width=w, hidden=w), widths=EVERY_WIDTH)]


BAG_OF_EMBEDDINGS = Family(
    definition=BagOfEmbeddings,
    reads="text",
    question="texts",
    features=lambda bag: {"pool": "flat", **numbered("hidden", len(bag.hidden), "flat")},
    why_no_units=units_are_added,
    program=BAG_OF_EMBEDDINGS_PROGRAM,
    forms=_bags,
)
TEXT_CNN = Family(
    definition=TextCnn,
    reads="text",
    question="texts",
    features=lambda _: {"pool": "flat"},
    why_no_units=units_are_added,
    program=TEXT_CNN_PROGRAM,
    forms=_text_cnns,
)
LSTM = Family(
    definition=Lstm,
    reads="text",
    question="texts",
    features=lambda _: {"pool": "flat"},
    why_no_units=units_are_added,
    program=LSTM_PROGRAM,
    forms=_lstms,
)
