"""Students whose initial weights are their teacher's, as DistilBERT's: which blocks, and which networks fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from qstill.contract.distillations.architectures import AnyArchitecture, family_of
from qstill.contract.distillations.architectures.pieces import MAX_LAYERS
from qstill.contract.schemas import Strict, refuse

PLACE = ("student", "initialise_from_teacher")

Block = Annotated[int, Field(ge=0, lt=MAX_LAYERS)]


class FromTeacher(Strict):
    """Initial weights that are the teacher's: its embeddings, positions, last norm and head, and some of its blocks."""

    blocks: Annotated[list[Block], Field(min_length=1, max_length=MAX_LAYERS)] | None = Field(
        None,
        description="Which of the teacher's blocks, counted from 0, one for each of the student's, ascending. Null: "
        "evenly spaced, the first and the last among them; of twelve blocks six are 0, 2, 4, 7, 9 and 11, those of "
        "DistilBERT. A student of one block begins from the first.",
        examples=[[0, 2]],
    )
    baseline: bool = Field(
        False,
        description="Whether the baseline begins there too. If not, it begins from random weights and owes the teacher "
        "nothing: the verdict is then about initialisation and objective together. If so, about the objective alone.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _in_order(self) -> FromTeacher:
        if self.blocks is not None and sorted(set(self.blocks)) != self.blocks:
            refuse(
                ("blocks",), "not_ascending", "blocks work on what those before them made: name each once", self.blocks
            )
        return self


def taken(blocks: Sequence[int] | None, student: int, teacher: int) -> list[int]:
    """The teacher's blocks that the student begins from. student, teacher: how many both have."""
    if blocks is not None:
        return list(blocks)
    steps = max(1, student - 1)
    return [(2 * i * (teacher - 1) + steps) // (2 * steps) for i in range(student)]  # rounded, halves up


class CannotBegin(ValueError):
    """Why a student cannot begin from a teacher, and at which field below the student."""

    def __init__(self, reason: str, code: str, *place: str) -> None:
        super().__init__(reason)
        self.reason, self.code, self.place = reason, code, place


def check(how: FromTeacher, student: AnyArchitecture, teacher: AnyArchitecture) -> None:
    """Raise CannotBegin unless the teacher's weights are a student's."""
    blocks = family_of(student).blocks
    if blocks is None:
        reason = f"blocks are taken from transformers, and a {student.kind} has none"
        raise CannotBegin(reason, "initialisation_mismatch", "architecture", "kind")
    if student.kind != teacher.kind:
        reason = f"the teacher is a {teacher.kind}, whose weights are none of a {student.kind}"
        raise CannotBegin(reason, "initialisation_mismatch", "architecture", "kind")
    for name in blocks.alike:
        if getattr(student, name) != (theirs := getattr(teacher, name)):
            reason = f"the teacher's {name} is {theirs}, and its weights fit no other"
            raise CannotBegin(reason, "initialisation_mismatch", "architecture", name)
    wanted, there = blocks.depth(student), blocks.depth(teacher)
    if wanted > there:
        reason = f"the teacher has {there} blocks: not enough for {wanted}"
        raise CannotBegin(reason, "initialisation_mismatch", "architecture", "depth")
    if how.blocks is None:
        return
    if len(how.blocks) != wanted:
        reason = f"the student has {wanted} blocks, and {len(how.blocks)} are named"
        raise CannotBegin(reason, "wrong_number_of_blocks", "initialise_from_teacher", "blocks")
    if how.blocks[-1] >= there:
        reason = f"the teacher's {there} blocks are counted from 0: there is no block {how.blocks[-1]}"
        raise CannotBegin(reason, "no_such_block", "initialise_from_teacher", "blocks")
