"""What a model's numbers are: what the job says, or what they show by themselves; what stays open is asked for.

A probability that is taken for a logit, or the other way round, is a teacher that nobody knows: softmax of
probabilities is nearly even, and a column between 0 and 1 always says "the second class".
"""

from collections.abc import Callable, Iterator

import torch
from onnx import ModelProto, NodeProto
from torch import Tensor

from qstill.contract.distillations.teachers import Answers
from qstill.contract.errors import Problem
from workers.distillation.tasks.judge import SUM_TOLERANCE
from workers.distillation.teachers.base import SMALLEST_PROBABILITY, logarithms, refuse_probabilities

WORDS: dict[Answers, str] = {
    "logits": "logits",
    "probabilities": "probabilities",
    "log_probabilities": "log-probabilities",
    "sigmoid": "probabilities, each class for itself, divided by their sum",
}
ANSWERS_OF: dict[str, Answers] = {
    "Sigmoid": "sigmoid",
    "Softmax": "probabilities",
    "LogSoftmax": "log_probabilities",
    "Gemm": "logits",
    "MatMul": "logits",
    "Conv": "logits",
}
LEAST_SHARE = 1e-7  # of a label's probability, and of what is left: beyond, single precision says 0 or 1
PASSING = frozenset({"Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Dropout"})  # values go on


def answers_by_operators(model: ModelProto, output: str) -> Answers | None:
    """What the operator says that an output comes from; None where it may be anything."""
    made = {name: node for node in model.graph.node for name in node.output}
    for node in _back(made, output):
        if node.op_type in ("Add", "Sub"):  # a bias
            kinds = {made[name].op_type for name in node.input if name in made}
            return "logits" if kinds & {"Gemm", "MatMul", "Conv"} else None
        if node.op_type not in PASSING:
            return ANSWERS_OF.get(node.op_type)
    return None


def _back(made: dict[str, NodeProto], name: str) -> Iterator[NodeProto]:
    """From an output through what passes values on. A checked graph has no circle."""
    while (node := made.get(name)) is not None:
        yield node
        name = node.input[0] if node.input else ""


def recognised(answers: Tensor, by_operators: Answers | None = None) -> Answers:
    """The kind of some answers (rows, columns) that nobody named.

    by_operators: what the model itself says, where numbers tell less. Raises Problem kind_mismatch where they leave it
    open.
    """
    single = answers.shape[1] == 1
    if not single and _distributions(answers):
        return "probabilities"
    if not single and bool((answers <= 0).all()) and _distributions(answers.exp()):
        return "log_probabilities"
    if bool(((answers >= 0) & (answers <= 1)).all()):
        open_to: tuple[Answers, ...] = ("probabilities" if single else "sigmoid", "logits")
        said = "between 0 and 1, as probabilities are"
    elif single and bool((answers <= 0).all()):
        open_to, said = ("log_probabilities", "logits"), "at most 0, as logarithms of probabilities are"
    else:
        return "logits"
    if by_operators in (*open_to, "sigmoid"):
        return "probabilities" if single and by_operators == "sigmoid" else by_operators
    what = "The one column of the answers" if single else "Each of the answers"
    title = f"{what} is {said}; as logits these would be another teacher. Say what they are."
    raise Problem("kind_mismatch", title, pointer="/kind", ways_out=[{"kind": kind} for kind in open_to])


def as_logits(answers: Tensor, kind: Answers, classes: int, invalid: Callable[[str], Problem]) -> Tensor:
    """Logits (rows, classes) of answers (rows, columns): one column is the second of two classes.

    Raises what `invalid` makes of a title, and Problem kind_mismatch.
    """
    if classes == 2 and answers.shape[1] == 1:
        if kind == "logits":
            return torch.cat([torch.zeros_like(answers), answers], dim=1)
        second = answers.exp() if kind == "log_probabilities" else answers
        return logarithms(torch.cat([1 - second, second], dim=1), invalid)
    if kind == "logits":
        refuse_probabilities(answers)
        return answers
    if kind == "sigmoid":
        outside = ~((answers >= 0) & (answers <= 1)).all(1)
        if bool(outside.any()):
            raise invalid(f"Row {int(outside.nonzero()[0])} holds a value that is no probability.")
        answers = answers.clamp(min=SMALLEST_PROBABILITY)
        return (answers / answers.sum(1, keepdim=True)).log()
    logs = logarithms(answers.exp() if kind == "log_probabilities" else answers, invalid)
    return answers.nan_to_num(neginf=float(logs.min())) if kind == "log_probabilities" else logs


def as_logits_of_labels(answers: Tensor, kind: Answers, invalid: Callable[[str], Problem]) -> Tensor:
    """Logits (rows, labels) of answers, each label by itself. Raises what `invalid` makes of a title."""
    if kind == "logits":
        return answers
    shares = answers.double().exp() if kind == "log_probabilities" else answers.double()
    outside = ~((shares >= 0) & (shares <= 1 + SUM_TOLERANCE)).all(1)
    if bool(outside.any()):
        raise invalid(f"Row {int(outside.nonzero()[0])} holds a value that is no probability.")
    return torch.logit(shares.clamp(LEAST_SHARE, 1 - LEAST_SHARE)).float()


def recognised_of_labels(answers: Tensor, by_operators: Answers | None) -> Answers:
    """The kind of answers of several labels. Raises Problem kind_mismatch where neither model nor numbers tell."""
    if bool(((answers < 0) | (answers > 1)).any()):
        return "logits"
    if by_operators is not None:
        return "sigmoid" if by_operators == "probabilities" else by_operators
    title = "Each of the answers is between 0 and 1, as probabilities are; as logits these would be another teacher."
    raise Problem("kind_mismatch", title, pointer="/kind", ways_out=[{"kind": kind} for kind in ("sigmoid", "logits")])


def misnamed(logits: Tensor) -> tuple[str, ...]:
    """A warning where what a teacher calls logits (rows, classes) looks like a probability of each class."""
    if not (bool(((logits >= 0) & (logits <= 1)).all()) and bool((logits > 0).any())):
        return ()
    return (
        "Every logit of the teacher lies between 0 and 1, as probabilities do. If they are some, it is another teacher "
        "than the one that was heard here: name their `kind`.",
    )


def _distributions(answers: Tensor) -> bool:
    return bool((answers >= 0).all()) and bool(((answers.sum(1) - 1).abs() <= SUM_TOLERANCE).all())
