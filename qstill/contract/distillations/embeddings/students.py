"""What a student of an encoder may be: each reads the teacher's tokens, and gives vectors of the teacher's width."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.distillations.architectures.pretrained import MAX_LAYERS, BertShape
from qstill.contract.schemas import Strict, refuse

MAX_VECTOR = 1024

Layer = Annotated[int, Field(ge=0, lt=256)]


class FewerLayers(Strict):
    """The teacher with some of its layers: its embeddings and those layers, as they are (DistilBERT, 1910.01108)."""

    kind: Literal["fewer_layers"] = Field(description="Some of the teacher's layers.", examples=["fewer_layers"])
    layers: Annotated[int, Field(ge=1, le=MAX_LAYERS)] | Annotated[list[Layer], Field(min_length=1, max_length=48)] = (
        Field(description="How many, evenly spaced from the first to the last; or which, counted from 0.", examples=[3])
    )

    @model_validator(mode="after")
    def _ascending(self) -> "FewerLayers":
        if isinstance(self.layers, list) and self.layers != sorted(set(self.layers)):
            refuse(("layers",), "not_ascending", "each layer once, in ascending order", self.layers)
        return self


class WordVectors(Strict):
    """A vector for each token, their mean, and a linear layer to the teacher's width: a table to look up, no attention.

    As model2vec makes them; the mean weighs all tokens alike, so that a vector's length says how much its token counts.
    """

    kind: Literal["word_vectors"] = Field(description="A bag of word vectors.", examples=["word_vectors"])
    width: Annotated[int, Field(ge=2, le=MAX_VECTOR)] = Field(
        64, description="Numbers of a vector; at most the teacher's.", examples=[64]
    )
    begin: Literal["answers", "embeddings", "random"] = Field(
        "answers",
        description="What the vectors are before training: the teacher's answer to each token alone, or its embedding "
        "of it, reduced to `width` by principal components, and shorter the more frequent a token is; or random.",
        examples=["answers"],
    )


class OwnEncoder(BertShape):
    """A BERT of your own measures, from random weights, on the teacher's tokens."""

    kind: Literal["bert"] = Field(description="A BERT of your own measures.", examples=["bert"])


AnyEncoder = FewerLayers | WordVectors | OwnEncoder
Encoder = Annotated[AnyEncoder, Field(discriminator="kind")]
