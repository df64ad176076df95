"""Small convolutional networks."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.distillations.architectures.family import Family, Form, numbered, units_can_go, widths
from qstill.contract.distillations.architectures.pieces import (
    MAX_CHANNELS,
    MAX_CONVOLUTIONS,
    Activation,
    Channels,
    Dropout,
)
from qstill.contract.distillations.architectures.programs import ACTIVATION
from qstill.contract.schemas import Strict


class Cnn(Strict):
    """3x3 convolutions, each halving images of four pixels a side or more, then one linear layer.

    Its tensors: `convolutions.N.weight`, `convolutions.N.bias`, `head.weight`, `head.bias`. Features: `convolutions.N`,
    images, after activation and pooling.
    """

    kind: Literal["cnn"] = Field(description="A small convolutional network; image-shaped data only.", examples=["cnn"])
    channels: Annotated[list[Channels], Field(min_length=1, max_length=MAX_CONVOLUTIONS)] = Field(
        description="Channels of each convolution.", examples=[[8, 16]]
    )
    activation: Activation = Field("relu", description="After every convolution.", examples=["relu"])
    dropout: Dropout = Field(0.0, description="Probability that a feature is dropped before the head.", examples=[0.1])


CNN_PROGRAM = (
    ACTIVATION
    + """

def network(x):
    for n in range(len(architecture["channels"])):
        name = f"convolutions.{n}"
        x = activation(F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1))
        if min(x.shape[2:]) >= 4:
            x = F.max_pool2d(x, 2)
    return linear("head", x.flatten(1))

"""
)


def _of(*channels: int) -> Cnn:
    return Cnn(kind="cnn", channels=list(channels))


def _forms(_: tuple[int, ...]) -> list[Form[Cnn]]:
    half = widths(1, MAX_CHANNELS // 2)
    return [
        Form(words="a cnn of one convolution", of=_of, widths=widths(1, MAX_CHANNELS)),
        Form(words="a cnn of two convolutions", of=lambda w: _of(w, 2 * w), widths=half),
        Form(words="a cnn of three convolutions", of=lambda w: _of(w, 2 * w, 2 * w), widths=half),
    ]


CNN = Family(
    definition=Cnn,
    reads="images",
    question="inputs",
    features=lambda cnn: numbered("convolutions", len(cnn.channels), "image"),
    why_no_units=units_can_go,
    program=CNN_PROGRAM,
    forms=_forms,
)
