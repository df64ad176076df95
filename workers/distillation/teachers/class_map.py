"""Teachers of more, fewer or other classes than the data's: their probabilities, added up class by class."""

import json
import math
from dataclasses import replace

import torch
from torch import Tensor

from qstill.contract.distillations.teachers.pieces import OfOtherClasses
from qstill.contract.errors import Problem
from qstill.contract.tables.cells import numbers_first
from workers.distillation.data.dataset import Data
from workers.distillation.rows import Rows
from workers.distillation.tasks.classes import Classes
from workers.distillation.teachers.base import SMALLEST_PROBABILITY, Teacher, listed

UNKNOWN = "unknown_classes"


def as_teacher_names(spec: OfOtherClasses, data: Data) -> Data:
    """The data as if its classes were the teacher's.

    Raises Problem: class_map_unfit, class_mismatch, unknown_classes.
    """
    if spec.class_map is None:
        return data
    if not isinstance(data.task, Classes):
        title = "Only classes of rows can be mapped: this data has tokens or real numbers."
        raise Problem("class_map_unfit", title, pointer="/class_map", ways_out=[{"class_map": None}])
    targets = {name for name in spec.class_map.values() if name is not None}
    if strange := sorted(targets - {*data.classes}, key=numbers_first):
        title = f"The map leads to {listed(strange)}; the data's classes are {listed(data.classes)}."
        raise Problem("class_mismatch", title, pointer="/class_map")
    if (silent := _unknown(spec, data)) and UNKNOWN not in spec.accept:
        title = f"No class of the teacher becomes {listed(silent)}: it would teach that their rows are others."
        ways_out = [{"leave_out": silent}, {"accept": [UNKNOWN]}]
        raise Problem(UNKNOWN, title, pointer="/class_map", ways_out=ways_out)
    return replace(data, task=Classes(sorted(spec.class_map, key=numbers_first)))


def mapped(teacher: Teacher, spec: OfOtherClasses, data: Data) -> Teacher:
    """The teacher with answers of the data's classes. teacher: with those of `as_teacher_names`."""
    if spec.class_map is None:
        return teacher
    names = sorted(spec.class_map, key=numbers_first)
    members = [
        torch.tensor([number for number, name in enumerate(names) if spec.class_map[name] == wanted], dtype=torch.int64)
        for wanted in data.classes
    ]
    kept = torch.cat(members)
    asked, unspoken = teacher.logits, teacher.unspoken

    def logits(rows: Rows) -> Tensor:
        answers = asked(rows)
        floor = answers.new_full((len(answers),), math.log(SMALLEST_PROBABILITY))
        shares = answers - answers.index_select(1, kept).logsumexp(1, keepdim=True)
        columns = [shares.index_select(1, each).logsumexp(1) if len(each) else floor for each in members]
        return torch.stack(columns, 1)

    def left_over(rows: Rows) -> Tensor:
        assert unspoken is not None
        open_ = unspoken(rows)
        return torch.stack([open_.index_select(1, each).all(1) & bool(len(each)) for each in members], 1)

    silent, dropped = _unknown(spec, data), [name for name, to in spec.class_map.items() if to is None]
    notes, warnings = [f"The teacher's {len(names)} classes were added up to the data's {len(members)}."], []
    if dropped:
        notes.append(f"What it says of {listed(dropped)} was left out, and the others share it.")
    if silent:
        warnings.append(f"The teacher knows nothing of {listed(silent)}, and says so of each row: never.")
    return replace(
        teacher,
        logits=logits,
        digest=f"{teacher.digest}:{json.dumps([sorted(spec.class_map.items()), data.classes])}",
        unspoken=None if unspoken is None else left_over,
        other_classes=True,
        notes=(*teacher.notes, *notes),
        warnings=(*teacher.warnings, *warnings),
    )


def _unknown(spec: OfOtherClasses, data: Data) -> list[str]:
    """The data's classes that no class of the teacher's becomes."""
    targets = {*(spec.class_map or {}).values()}
    return [name for number, name in enumerate(data.classes) if name not in targets and number not in data.left_out]
