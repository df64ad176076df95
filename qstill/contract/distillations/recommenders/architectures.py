"""The networks that score items for users."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.distillations.architectures.pieces import Activation
from qstill.contract.schemas import Strict

MAX_DIMENSIONS = 512
MAX_TOWER_LAYERS = 4
MAX_TOWER_WIDTH = 1024

Dimensions = Annotated[int, Field(ge=1, le=MAX_DIMENSIONS)]
Layers = Annotated[list[Annotated[int, Field(ge=1, le=MAX_TOWER_WIDTH)]], Field(max_length=MAX_TOWER_LAYERS)]


class MatrixFactorisation(Strict):
    """score = user · item + bias of the item. Its tensors: `user.weight`, `item.weight`, `bias.weight`."""

    kind: Literal["matrix_factorisation"] = Field(
        description="The inner product of a user's and an item's numbers, and the item's popularity.",
        examples=["matrix_factorisation"],
    )
    dimensions: Dimensions = Field(description="Numbers of a user and of an item.", examples=[8])


class TwoTower(Strict):
    """score = tower(user) · tower(item) + bias of the item.

    Its tensors: `user.weight`, `item.weight`, `bias.weight`, `user_tower.N.*`, `item_tower.N.*`.
    """

    kind: Literal["two_tower"] = Field(
        description="A network for users and one for items; their outputs are multiplied.", examples=["two_tower"]
    )
    dimensions: Dimensions = Field(description="Numbers of a user and of an item.", examples=[16])
    tower: Annotated[Layers, Field(min_length=1)] = Field(
        description="Units of each layer of a tower; the last is multiplied, without activation.",
        examples=[[32, 16]],
    )
    activation: Activation = Field("relu", description="Between the layers.", examples=["relu"])


class MlpScorer(Strict):
    """score = network(user, item): every pair passes through it, so that a ranking costs more than with the others.

    Its tensors: `user.weight`, `item.weight`, `hidden.N.*`, `head.*`.
    """

    kind: Literal["mlp_scorer"] = Field(
        description="A multilayer perceptron on a user's and an item's numbers.", examples=["mlp_scorer"]
    )
    dimensions: Dimensions = Field(description="Numbers of a user and of an item.", examples=[16])
    hidden: Annotated[Layers, Field(min_length=1)] = Field(description="Units of each hidden layer.", examples=[[32]])
    activation: Activation = Field("relu", description="After every hidden layer.", examples=["relu"])


AnyScorer = MatrixFactorisation | TwoTower | MlpScorer
Scorer = Annotated[AnyScorer, Field(discriminator="kind")]
