"""What every teacher becomes: something that answers rows with logits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.tables.encoding import Encoding
from workers.distillation.tasks.judge import ROUNDED, SUM_TOLERANCE
from workers.distillation.tasks.targets import Targets

if TYPE_CHECKING:
    from workers.quantum.teachers.values import CircuitValues  # Qiskit, which other teachers are spared

SMALLEST_PROBABILITY = torch.finfo(torch.float32).tiny  # stands in for 0, whose logarithm no loss survives


class Writes(Protocol):
    """Rows (rows, tokens) to (rows, tokens + 1): their first `prompt` tokens, and how the teacher goes on."""

    def __call__(self, x: Tensor, how: Sequence, *, seed: int) -> Tensor: ...


@dataclass(frozen=True)
class Teacher:
    """logits: rows to (rows, classes), float32; of regression standardised targets. digest: names it.

    network, inputs: the network and what of a row it is shown, where there is one in this process.
    standardisation: what makes these inputs of raw rows; None: the job's own. order: of the network's logits, by the
    data's classes; None: the same.
    encoding: how it makes inputs of the columns of a table; None: as the job does.
    bytes, parameters, multiply_adds: of its file, of its network, and of one row; 0 where unknown.
    by: what computes its answers, where it is no network of this house.
    architecture: of a network that was read, not trained here.
    other_classes: whether its network's logits are of other classes than its answers.
    members: of an ensemble. round_trips: milliseconds of each request that an endpoint answered, without pauses.
    unspoken: rows to (rows, classes), True for a class whose probability it leaves to the student (`ghost`).
    weights: rows to (rows,), how much each says, of which only proportions count; None: all the same.
    circuit: what answers, where it is a quantum circuit.
    writes: goes on after the beginnings of rows (rows, tokens), where it is no network of this process.
    rows_at_once: that it is asked about before what it said is kept; None: as many as networks take.
    lasting: whether its answers are worth keeping; those that were uploaded are kept already.
    scope: who may share its answers; never shown. notes: what a reader of the report must know. warnings: what speaks
    against its numbers.
    """

    logits: Callable[[Rows], Tensor]
    digest: str
    network: nn.Module | None = None
    inputs: Callable[[Rows], Tensor] | None = None
    standardisation: Standardisation | None = None
    order: Tensor | None = None
    encoding: Encoding | None = None
    other_classes: bool = False
    bytes: int = 0
    parameters: int = 0
    multiply_adds: int = 0
    by: str = "onnxruntime"
    architecture: AnyArchitecture | None = None
    members: tuple[Teacher, ...] = ()
    round_trips: list[float] | None = None
    unspoken: Callable[[Rows], Tensor] | None = None
    weights: Callable[[Rows], Tensor] | None = None
    circuit: CircuitValues | None = None
    rows_at_once: int | None = None
    writes: Writes | None = None
    lasting: bool = True
    scope: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def within(teacher: Teacher, place: Callable[[Problem], Problem]) -> Teacher:
    """The same teacher. place: gives the problems that it has when it is asked their place in the job."""

    def logits(rows: Rows) -> Tensor:
        try:
            return teacher.logits(rows)
        except Problem as problem:
            raise place(problem) from None

    return replace(teacher, logits=logits)


def as_networks_learn(teacher: Teacher, targets: Targets | None) -> Teacher:
    """The teacher of regression, which answers in units of the data, with its answers standardised."""
    if targets is None:
        return teacher
    return replace(teacher, logits=lambda rows: targets.standardised(teacher.logits(rows)))


def digest_of(spec: ModelFormat, content: bytes) -> str:
    """Names a model by its bytes and all that changes how they are read; not by the upload that brought them."""
    read_as = spec.model_dump_json(include=ModelFormat.model_fields.keys() - {"classes"})
    return hashlib.sha256(read_as.encode() + content).hexdigest()


def arranged(teacher: Teacher, names: list[str] | None, classes: list[str], pointer: str = "/classes") -> Teacher:
    """The teacher with its answers in the order of the data's classes. names: its own order; None: the data's.

    Raises Problem class_mismatch.
    """
    if names is None or names == classes:
        return teacher
    if sorted(names) != sorted(classes):
        title = f"The teacher's classes are {listed(names)}; the data's are {listed(classes)}."
        raise Problem("class_mismatch", title, pointer=pointer, ways_out=[{"classes": classes[:20]}])
    order = torch.tensor([names.index(name) for name in classes])
    unspoken = teacher.unspoken
    return replace(
        teacher,
        logits=lambda rows: teacher.logits(rows).index_select(1, order),
        order=order,
        digest=f"{teacher.digest}:{'.'.join(str(i) for i in order.tolist())}",
        unspoken=None if unspoken is None else lambda rows: unspoken(rows).index_select(1, order),
    )


def logarithms(probabilities: Tensor, invalid: Callable[[str], Problem], first: int = 0) -> Tensor:
    """Logits (rows, classes) whose softmax the probabilities are. first: number of the first row, for the Problem."""
    sums = probabilities.sum(1)
    wrong = ((probabilities < 0).any(1) | ~((sums - 1).abs() <= SUM_TOLERANCE)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise invalid(
            f"Row {first + row} is not a distribution: its values sum to {float(sums[row]):.6g} or are negative."
        )
    return probabilities.clamp(min=SMALLEST_PROBABILITY).log()


def refuse_probabilities(logits: Tensor, pointer: str = "/kind") -> None:
    """Raise Problem kind_mismatch where what is called logits is plainly a table of probabilities."""
    sure = len(logits) > 1 and bool((logits >= 0).all()) and bool(((logits.sum(1) - 1).abs() <= ROUNDED).all())
    if sure:
        title = "These are called logits, but each row is a distribution: not negative, and its sum is 1."
        raise Problem("kind_mismatch", title, pointer=pointer, ways_out=[{"kind": "probabilities"}])


def listed(names: list[str]) -> str:
    """In a sentence, the first ten."""
    shown = ", ".join(repr(name[:40]) for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown
