"""Vision transformers."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.architectures.family import (
    Blocks,
    Family,
    Form,
    numbered,
    units_are_added,
    widths,
)
from qstill.contract.distillations.architectures.pieces import MAX_LAYERS, Dropout
from qstill.contract.distillations.architectures.programs import BLOCKS
from qstill.contract.schemas import Strict, refuse

MAX_VIT_WIDTH = 256
PATCHES = (4, 2, 7, 5, 3)  # pixels a side that a budget looks at; the first that tiles an image
SMALL = 16  # pixels a side, to which patches of two come first: one of four leaves 8x8 four tokens


class Vit(Strict):
    """A small vision transformer without a class token: patches, learned positions, the mean of all tokens.

    Features: `embedding` and `blocks.N`, images of one place a patch; `pool`, the normalised mean.
    """

    kind: Literal["vit"] = Field(description="A small vision transformer; images only.", examples=["vit"])
    patch: Annotated[int, Field(ge=1, le=32)] = Field(
        4, description="Pixels a side of a patch; divides the image's height and width.", examples=[2]
    )
    width: Annotated[int, Field(ge=4, le=MAX_VIT_WIDTH)] = Field(64, description="Numbers of a token.", examples=[32])
    depth: Annotated[int, Field(ge=1, le=MAX_LAYERS)] = Field(4, description="Blocks.", examples=[2])
    heads: Annotated[int, Field(ge=1, le=16)] = Field(
        4, description="Attention heads; they share the width evenly.", examples=[4]
    )
    dropout: Dropout = Field(0.0, description="After attention and after each feed-forward layer.", examples=[0.1])

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Vit":
        if self.width % self.heads:
            reason = f"{self.heads} heads cannot share a width of {self.width} evenly"
            refuse(("heads",), "heads_do_not_divide_width", reason, self.heads)
        return self


VIT_PROGRAM = (
    BLOCKS
    + """

def network(x):
    x = F.conv2d(x, weights["embedding.weight"], weights["embedding.bias"], stride=architecture["patch"])
    return linear("head", blocks(x.flatten(2).transpose(1, 2) + weights["positions"]).mean(1))

"""
)


def _forms(shape: tuple[int, ...]) -> list[Form[Vit]]:
    height, width = shape[-2:]
    order = PATCHES if min(height, width) > SMALL else (2, *PATCHES)
    patch = next((each for each in order if not height % each and not width % each), None)
    if patch is None:
        return []

    def of(depth: int, width: int) -> Vit:
        return Vit(kind="vit", patch=patch, width=width, depth=depth, heads=4)

    every = widths(4, MAX_VIT_WIDTH, multiple=4)
    return [
        Form(words="a vit of one block", of=lambda w: of(1, w), widths=every),
        Form(words="a vit of two blocks", of=lambda w: of(2, w), widths=every),
    ]


VIT = Family(
    definition=Vit,
    reads="images",
    question="inputs",
    features=lambda vit: {"embedding": "image", **numbered("blocks", vit.depth, "image"), "pool": "flat"},
    why_no_units=units_are_added,
    blocks=Blocks(depth=lambda vit: vit.depth, alike=("width", "heads", "patch")),
    program=VIT_PROGRAM,
    forms=_forms,
)
