"""Transformers on text."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from pydantic import Field, model_validator

from qstill.contract.distillations.architectures.family import (
    Blocks,
    Family,
    FeatureKind,
    Form,
    numbered,
    units_are_added,
    widths,
)
from qstill.contract.distillations.architectures.pieces import MAX_TOKEN_WIDTH, Depth, Dropout, Heads, TokenWidth
from qstill.contract.distillations.architectures.programs import BLOCKS, MEAN
from qstill.contract.schemas import Strict, refuse


class _Transformer(Strict):
    width: TokenWidth = Field(64, description="Numbers of a token.", examples=[32])
    depth: Depth = Field(2, description="Blocks.", examples=[2])
    heads: Heads = Field(4, description="Attention heads; they share the width evenly.", examples=[4])
    dropout: Dropout = Field(0.0, description="After attention and after each feed-forward layer.", examples=[0.1])

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "_Transformer":
        if self.width % self.heads:
            reason = f"{self.heads} heads cannot share a width of {self.width} evenly"
            refuse(("heads",), "heads_do_not_divide_width", reason, self.heads)
        return self


class TextTransformer(_Transformer):
    """A small transformer encoder: every token sees every other; learned positions, the mean of all tokens.

    Features: `embedding` and `blocks.N`, the mean of the tokens there; `pool`, the mean of the normalised ones.
    """

    kind: Literal["text_transformer"] = Field(
        description="A transformer encoder; text classification.", examples=["text_transformer"]
    )


class Decoder(_Transformer):
    """A small GPT: each token sees those before it and says what comes next. Its head is the embedding itself.

    Features, of each token as of a row: `embedding` and `blocks.N`; `last`, the normalised ones that the head sees.
    """

    kind: Literal["decoder"] = Field(
        description="A causal transformer with tied embeddings; language modelling.", examples=["decoder"]
    )


class Encoder(_Transformer):
    """A small BERT: each token sees all others and says which one stood in its place. Its head is the embedding itself.

    Features, of each token as of a row: `embedding` and `blocks.N`; `last`, the normalised ones that the head sees.
    """

    kind: Literal["encoder"] = Field(
        description="A bidirectional transformer with tied embeddings; masked language modelling.", examples=["encoder"]
    )


def _features(transformer: _Transformer) -> dict[str, FeatureKind]:
    return {"embedding": "flat", **numbered("blocks", transformer.depth, "flat"), "last": "flat"}


ALIKE = ("width", "heads")


EMBEDDED = """

def embedded(numbers):
    return weights["embedding.weight"][numbers] + weights["positions"][:, : numbers.shape[1]]
"""

TEXT_TRANSFORMER_PROGRAM = (
    BLOCKS
    + EMBEDDED
    + MEAN
    + """

def network(numbers):
    states = blocks(embedded(numbers), (numbers == 0)[:, None, None, :])
    return linear("head", mean_of(states, (numbers != 0).unsqueeze(2).float()))
"""
)

DECODER_PROGRAM = (
    BLOCKS
    + EMBEDDED
    + """

def network(numbers):
    future = torch.ones(numbers.shape[1], numbers.shape[1], dtype=torch.bool).triu(1)
    return F.linear(blocks(embedded(numbers), future), weights["embedding.weight"])
"""
)

ENCODER_PROGRAM = (
    BLOCKS
    + EMBEDDED
    + """

def network(numbers):
    return F.linear(blocks(embedded(numbers), (numbers == 0)[:, None, None, :]), weights["embedding.weight"])
"""
)

T = TypeVar("T", bound=_Transformer)


def _forms(name: str, of: Callable[[int, int], T]) -> Callable[[tuple[int, ...]], Sequence[Form[T]]]:
    """name: for people, with its article. of: a definition, by its depth and width."""
    every = widths(4, MAX_TOKEN_WIDTH, multiple=4)  # heads of one number at the least

    def forms(_: tuple[int, ...]) -> list[Form[T]]:
        return [
            Form(words=f"{name} of one block", of=lambda w: of(1, w), widths=every),
            Form(words=f"{name} of two blocks", of=lambda w: of(2, w), widths=every),
            Form(words=f"{name} of four blocks", of=lambda w: of(4, w), widths=every),
        ]

    return forms


TEXT_TRANSFORMER = Family(
    definition=TextTransformer,
    reads="text",
    question="texts",
    features=lambda text: {"embedding": "flat", **numbered("blocks", text.depth, "flat"), "pool": "flat"},
    why_no_units=units_are_added,
    blocks=Blocks(depth=lambda transformer: transformer.depth, alike=ALIKE),
    program=TEXT_TRANSFORMER_PROGRAM,
    forms=_forms(
        "a text transformer", lambda depth, width: TextTransformer(kind="text_transformer", depth=depth, width=width)
    ),
)
DECODER = Family(
    definition=Decoder,
    reads="text",
    question="prompts",
    features=_features,
    why_no_units=units_are_added,
    only_for="language_modelling",
    blocks=Blocks(depth=lambda transformer: transformer.depth, alike=ALIKE),
    head_bias=False,
    program=DECODER_PROGRAM,
    forms=_forms("a decoder", lambda depth, width: Decoder(kind="decoder", depth=depth, width=width)),
)
ENCODER = Family(
    definition=Encoder,
    reads="text",
    question="masked",
    features=_features,
    why_no_units=units_are_added,
    only_for="masked_language_modelling",
    blocks=Blocks(depth=lambda transformer: transformer.depth, alike=ALIKE),
    head_bias=False,
    program=ENCODER_PROGRAM,
    forms=_forms("an encoder", lambda depth, width: Encoder(kind="encoder", depth=depth, width=width)),
)
