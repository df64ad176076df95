"""Residual networks, and wide ones."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.distillations.architectures.family import (
    Family,
    FeatureKind,
    Form,
    numbered,
    units_can_go,
    widths,
)
from qstill.contract.distillations.architectures.pieces import Dropout
from qstill.contract.schemas import Strict

MAX_RESNET_WIDTH = 64  # channels of the first stage; the last has four times as many


class ResNet(Strict):
    """The residual network for small images of He and others (2016), its shortcuts without weights.

    Three stages of (depth - 2)/6 blocks with width, 2·width and 4·width channels; the second and the third halve the
    image. Features: `stem`, `stages.0`, `stages.1`, `stages.2`, images, after the activation; `pool`, their mean.
    """

    kind: Literal["resnet"] = Field(description="A CIFAR-style residual network; images only.", examples=["resnet"])
    depth: Literal[8, 14, 20, 26, 32, 44, 56] = Field(
        description="Layers with weights: 6n + 2. ResNet-20 of width 16 has 272,000 weights.", examples=[8]
    )
    width: Annotated[int, Field(ge=1, le=MAX_RESNET_WIDTH)] = Field(
        16, description="Channels of the first stage.", examples=[16]
    )


class WideResNet(Strict):
    """The wide residual network of Zagoruyko and Komodakis (2016): normalised before each convolution, WRN-depth-widen.

    Features: `stem`, `stages.0`, `stages.1`, `stages.2`, images (the last one normalised and activated); `pool`, its
    mean.
    """

    kind: Literal["wide_resnet"] = Field(description="A wide residual network; images only.", examples=["wide_resnet"])
    depth: Literal[10, 16, 22, 28, 40] = Field(description="Layers with weights: 6n + 4.", examples=[16])
    widen: Annotated[int, Field(ge=1, le=8)] = Field(
        2, description="Times 16 channels in the first stage.", examples=[2]
    )
    dropout: Dropout = Field(0.0, description="Between the two convolutions of a block.", examples=[0.1])


def _features(_: ResNet | WideResNet) -> dict[str, FeatureKind]:
    return {"stem": "image", **numbered("stages", 3, "image"), "pool": "flat"}


CONVOLUTION = """

def convolution(name, x, stride=1):
    weight = weights[f"{name}.weight"]
    return F.conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2)


def normalised(name, x):
    return F.batch_norm(x, *(weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))
"""

RESNET_PROGRAM = (
    CONVOLUTION
    + """

def network(x):
    x = torch.relu(normalised("stem_norm", convolution("stem", x)))
    for stage in range(3):
        for block in range((architecture["depth"] - 2) // 6):
            name, stride = f"stages.{stage}.{block}", 2 if stage and not block else 1
            y = torch.relu(normalised(f"{name}.first_norm", convolution(f"{name}.first", x, stride)))
            y = normalised(f"{name}.second_norm", convolution(f"{name}.second", y))
            x = x[:, :, ::stride, ::stride]
            x = torch.relu(y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1])))  # new channels begin empty
    return linear("head", x.mean((2, 3)))

"""
)

WIDE_RESNET_PROGRAM = (
    CONVOLUTION
    + """

def network(x):
    x = convolution("stem", x)
    for stage in range(3):
        for block in range((architecture["depth"] - 4) // 6):
            name, stride = f"stages.{stage}.{block}", 2 if stage and not block else 1
            active = torch.relu(normalised(f"{name}.first_norm", x))
            y = torch.relu(normalised(f"{name}.second_norm", convolution(f"{name}.first", active, stride)))
            if f"{name}.shortcut.weight" in weights:
                x = convolution(f"{name}.shortcut", active, stride)
            x = convolution(f"{name}.second", y) + x
    return linear("head", torch.relu(normalised("norm", x)).mean((2, 3)))

"""
)


def _forms(_: tuple[int, ...]) -> list[Form[ResNet]]:
    every = widths(1, MAX_RESNET_WIDTH)
    return [
        Form(words="a resnet-8", of=lambda w: ResNet(kind="resnet", depth=8, width=w), widths=every),
        Form(words="a resnet-14", of=lambda w: ResNet(kind="resnet", depth=14, width=w), widths=every),
    ]


RESNET = Family(
    definition=ResNet,
    reads="images",
    question="inputs",
    features=_features,
    why_no_units=units_can_go,
    program=RESNET_PROGRAM,
    forms=_forms,
)
WIDE_RESNET = Family(
    definition=WideResNet,
    reads="images",
    question="inputs",
    features=_features,
    why_no_units=units_can_go,
    program=WIDE_RESNET_PROGRAM,
)
