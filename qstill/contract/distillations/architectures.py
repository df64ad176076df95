"""The networks that teachers and students may be, and the names of the features inside them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_LAYERS = 8  # with MAX_WIDTH: below 10^7 weights, so that one state file stays below 200 MB
MAX_WIDTH = 1024
MAX_CONVOLUTIONS = 4
MAX_CHANNELS = 128  # four 3x3 layers of 128 channels are 450,000 weights: seconds an epoch on one core

MAX_RESNET_WIDTH = 64  # channels of the first stage; the last has four times as many
MAX_VIT_WIDTH = 256
MAX_TOKEN_WIDTH = 512

Width = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Channels = Annotated[int, Field(ge=1, le=MAX_CHANNELS)]
Dropout = Annotated[float, Field(ge=0, le=0.9)]
Activation = Literal["relu", "gelu", "tanh"]


class Mlp(Strict):
    """A multilayer perceptron. Its tensors: `hidden.N.weight`, `hidden.N.bias`, `head.weight`, `head.bias`.

    Features: `hidden.N`, after the activation.
    """

    kind: Literal["mlp"] = Field(description="Fully connected layers.", examples=["mlp"])
    hidden: Annotated[list[Width], Field(max_length=MAX_LAYERS)] = Field(
        description="Units of each hidden layer; an empty list is logistic regression.", examples=[[16]]
    )
    activation: Activation = Field("relu", description="After every hidden layer.", examples=["relu"])
    dropout: Dropout = Field(0.0, description="Probability that a hidden unit is dropped in training.", examples=[0.1])


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


TokenWidth = Annotated[int, Field(ge=4, le=MAX_TOKEN_WIDTH)]
Depth = Annotated[int, Field(ge=1, le=MAX_LAYERS)]
Heads = Annotated[int, Field(ge=1, le=16)]


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


OnText = BagOfEmbeddings | TextCnn | Lstm | TextTransformer | Decoder | Encoder
AnyArchitecture = Mlp | Cnn | ResNet | WideResNet | Vit | OnText
Architecture = Annotated[AnyArchitecture, Field(discriminator="kind")]

FeatureKind = Literal["flat", "image"]


def needs_images(architecture: AnyArchitecture) -> bool:
    """Whether the network takes images only."""
    return isinstance(architecture, Cnn | ResNet | WideResNet | Vit)


def features_of(architecture: AnyArchitecture) -> dict[str, FeatureKind]:
    """The features that a network can be asked for, in the order in which it computes them.

    flat: (rows, width), of a language model (tokens, width). image: (rows, channels, height, width).
    """
    match architecture:
        case Mlp():
            return _numbered("hidden", len(architecture.hidden), "flat")
        case Cnn():
            return _numbered("convolutions", len(architecture.channels), "image")
        case Vit():
            return {"embedding": "image", **_numbered("blocks", architecture.depth, "image"), "pool": "flat"}
        case BagOfEmbeddings():
            return {"pool": "flat", **_numbered("hidden", len(architecture.hidden), "flat")}
        case TextCnn() | Lstm():
            return {"pool": "flat"}
        case TextTransformer():
            return {"embedding": "flat", **_numbered("blocks", architecture.depth, "flat"), "pool": "flat"}
        case Decoder() | Encoder():
            return {"embedding": "flat", **_numbered("blocks", architecture.depth, "flat"), "last": "flat"}
        case ResNet() | WideResNet():
            return {"stem": "image", **_numbered("stages", 3, "image"), "pool": "flat"}


def _numbered(name: str, count: int, kind: FeatureKind) -> dict[str, FeatureKind]:
    return {f"{name}.{number}": kind for number in range(count)}
