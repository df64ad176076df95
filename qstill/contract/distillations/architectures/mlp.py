"""Multilayer perceptrons."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.distillations.architectures.family import Family, Form, numbered, widths
from qstill.contract.distillations.architectures.pieces import MAX_LAYERS, MAX_WIDTH, Activation, Dropout, Width
from qstill.contract.distillations.architectures.programs import ACTIVATION
from qstill.contract.schemas import Strict


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


MLP_PROGRAM = (
    ACTIVATION
    + """

def network(x):
    x = x.flatten(1)
    for n in range(len(architecture["hidden"])):
        x = activation(linear(f"hidden.{n}", x))
    return linear("head", x)

"""
)


def _of(*hidden: int) -> Mlp:
    return Mlp(kind="mlp", hidden=list(hidden))


def _forms(_: tuple[int, ...]) -> list[Form[Mlp]]:
    return [
        Form(words="a linear model", of=lambda _: _of(), widths=(0,)),
        Form(words="an mlp of one hidden layer", of=_of, widths=widths(1, MAX_WIDTH)),
        Form(words="an mlp of two hidden layers", of=lambda w: _of(w, w), widths=widths(2, MAX_WIDTH)),
        Form(words="an mlp that narrows", of=lambda w: _of(2 * w, w), widths=widths(2, MAX_WIDTH // 2)),
        Form(words="an mlp of three hidden layers", of=lambda w: _of(w, w, w), widths=widths(2, MAX_WIDTH)),
    ]


MLP = Family(
    definition=Mlp,
    reads="numbers",
    question="inputs",
    features=lambda mlp: numbered("hidden", len(mlp.hidden), "flat"),
    why_no_units=lambda mlp: None if mlp.hidden else "an mlp without hidden layers has no units to remove",
    program=MLP_PROGRAM,
    forms=_forms,
)
