"""The networks that teachers and students may be."""

from typing import Annotated, Literal

from pydantic import Field

from app.schemas import Strict

MAX_LAYERS = 8  # with MAX_WIDTH: below 10^7 weights, so that one state file stays below 200 MB
MAX_WIDTH = 1024
MAX_CONVOLUTIONS = 4
MAX_CHANNELS = 128  # four 3x3 layers of 128 channels are 450,000 weights: seconds an epoch on one core

Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Dropout = Annotated[float, Field(ge=0, le=0.9)]
Activation = Literal["relu", "gelu", "tanh"]


class Mlp(Strict):
    """A multilayer perceptron. Its tensors: `hidden.N.weight`, `hidden.N.bias`, `head.weight`, `head.bias`."""

    kind: Literal["mlp"] = Field(description="Fully connected layers.", examples=["mlp"])
    hidden: Annotated[list[Width], Field(max_length=MAX_LAYERS)] = Field(
        description="Units of each hidden layer; an empty list is logistic regression.", examples=[[16]]
    )
    activation: Activation = Field("relu", description="After every hidden layer.", examples=["relu"])
    dropout: Dropout = Field(0.0, description="Probability that a hidden unit is dropped in training.", examples=[0.1])


class Cnn(Strict):
    """3x3 convolutions, each halving images of four pixels a side or more, then one linear layer.

    Its tensors: `convolutions.N.weight`, `convolutions.N.bias`, `head.weight`, `head.bias`.
    """

    kind: Literal["cnn"] = Field(description="A small convolutional network; image-shaped data only.", examples=["cnn"])
    channels: Annotated[list[Channels], Field(min_length=1, max_length=MAX_CONVOLUTIONS)] = Field(
        description="Channels of each convolution.", examples=[[8, 16]]
    )
    activation: Activation = Field("relu", description="After every convolution.", examples=["relu"])
    dropout: Dropout = Field(0.0, description="Probability that a feature is dropped before the head.", examples=[0.1])


Architecture = Annotated[Mlp | Cnn, Field(discriminator="kind")]
