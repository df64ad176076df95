"""Teachers from any framework: an ONNX model, run by onnxruntime from its bytes alone."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
import torch
from onnx import ModelProto
from torch import Tensor

from qstill.contract.distillations.teachers import Answers, ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.data.files.wording import in_words
from workers.distillation.rows import Rows
from workers.distillation.teachers.base import Teacher, arranged, digest_of
from workers.distillation.teachers.kinds import (
    WORDS,
    answers_by_operators,
    as_logits,
    as_logits_of_labels,
    recognised,
    recognised_of_labels,
)
from workers.distillation.teachers.onnx.check import parameters, read_onnx
from workers.distillation.teachers.onnx.columns import column_feed
from workers.distillation.teachers.onnx.cost import multiply_adds
from workers.distillation.teachers.onnx.feed import REAL, feed_of

RUN_SECONDS = 120.0  # for one run; a loop without an end is no teacher
MAPS = ("seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))")  # scikit-learn's ZipMap


@dataclass(frozen=True)
class Output:
    """is_map: whether it is a list of maps from class to value."""

    name: str
    is_map: bool


class Given(Protocol):
    """How rows become what a model takes. batch: rows of one run if the model fixes them. rows_at_once: otherwise.

    said: in words, what a reader of the report must know.
    """

    @property
    def rows_at_once(self) -> int: ...

    @property
    def batch(self) -> int | None: ...

    @property
    def said(self) -> tuple[str, ...]: ...

    def given(self, rows: Rows) -> dict[str, Array]:
        """Rows by the names of inputs."""
        ...


def from_onnx(spec: ModelFormat, path: Path, data: Data, threads: int) -> Teacher:
    """Raises Problem: teacher_invalid, teacher_mismatch, class_mismatch, inputs_mismatch, kind_mismatch, output_needed;
    some of them when it is asked.
    """
    data.inputs.check_onnx_teacher()

    def feed(session: ort.InferenceSession, _: ModelProto) -> Given:
        return column_feed(session, data) or feed_of(session, data, raw=spec.inputs != "standardised")

    content = path.read_bytes()
    return teacher_of_graph(spec, content, data, threads, feed, names_it=content)


def teacher_of_graph(
    spec: ModelFormat,
    content: bytes,
    data: Data,
    threads: int,
    feed_of_session: Callable[[ort.InferenceSession, ModelProto], Given],
    *,
    names_it: bytes,
) -> Teacher:
    """A model, and what it is given. content: of the ONNX. names_it: all bytes on which its answers depend.

    Raises as `from_onnx`.
    """
    model = read_onnx(content)
    session = open_session(content, threads)
    feed = feed_of_session(session, model)
    names = list(spec.classes or data.classes)
    numbered = spec.classes is not None

    def read(answer: Any, is_map: bool) -> Array:
        return _table(answer, names, numbered) if is_map else _columns(answer)

    def answers_of(output: Output, rows: Rows) -> Tensor:
        return _run(session, feed, output.name, rows, lambda answer: read(answer, output.is_map))

    few = data.train.some(slice(0, feed.rows_at_once))
    output = _one(_fitting(session, spec.output, len(names)), len(names), lambda each: answers_of(each, few))
    kind: Answers = spec.kind or "logits"
    values = data.task.answers == "values"
    if spec.kind is None and not values:
        by_operators = answers_by_operators(model, output.name)
        recognise = recognised_of_labels if data.task.yes_no else recognised
        kind = recognise(answers_of(output, few), by_operators)

    def logits(rows: Rows) -> Tensor:
        answers = answers_of(output, rows)
        if data.task.yes_no:
            return as_logits_of_labels(answers, kind, checkpoints.invalid)
        return answers if values else as_logits(answers, kind, len(names), checkpoints.invalid)

    teacher = Teacher(
        logits,
        digest_of(spec, names_it),
        bytes=len(content),
        parameters=parameters(model),
        multiply_adds=multiply_adds(model, data.input_shape),
        notes=(_read_as(output, None if values else kind, recognised=spec.kind is None), *feed.said),
    )
    return arranged(teacher, spec.classes, data.classes)


def _read_as(output: Output, kind: Answers | None, *, recognised: bool) -> str:
    """In words. kind: None for numbers of regression."""
    as_what = "numbers in the units of the data" if kind is None else WORDS[kind]
    how = ", which it shows by itself" if kind is not None and recognised else ""
    return f"Of the teacher's model, output {output.name[:100]!r} was read, as {as_what}{how}."


def _fitting(session: ort.InferenceSession, wanted: str | None, classes: int) -> list[Output]:
    """Those that may have a column for each class, by what the model declares."""
    outputs = session.get_outputs()
    if wanted is not None:
        outputs = [each for each in outputs if each.name == wanted]
        if not outputs:
            names = [each.name for each in session.get_outputs()][:10]
            title = f"The model has no output {wanted!r}; it has {', '.join(names)}."
            raise Problem("teacher_mismatch", title, pointer="/output", ways_out=[{"output": name} for name in names])
    fitting = [each for each in outputs if each.type in MAPS or _has_columns(each, classes)]
    if not fitting:
        told = ", ".join(f"{each.name}: {each.type} {list(each.shape or ())}" for each in outputs[:10])
        title = f"No output of the model has a column for each of the {classes} classes: {told[:300]}."
        raise Problem("class_mismatch", title, pointer="/output" if wanted else "/file")
    return [Output(each.name, each.type in MAPS) for each in fitting]


def _one(fitting: list[Output], classes: int, ask: Callable[[Output], Tensor]) -> Output:
    """The output to read. What several declare is tried; raises Problem output_needed where that leaves several.

    ask: for the answers to some rows.
    """
    if len(fitting) == 1:
        return fitting[0]
    tried = [each for each in fitting if _answers_classes(each, classes, ask)]
    if len(tried) == 1:
        return tried[0]
    names = [each.name for each in tried or fitting][:10]
    title = f"The model has several outputs that may be answers for {classes} classes: {', '.join(names)}. Name one."
    raise Problem("output_needed", title, pointer="/output", ways_out=[{"output": name} for name in names])


def _answers_classes(output: Output, classes: int, ask: Callable[[Output], Tensor]) -> bool:
    try:
        return ask(output).shape[1] in _widths(classes)
    except Problem:
        return False


def _has_columns(output: Any, classes: int) -> bool:
    if output.type not in REAL:
        return False
    shape = list(output.shape or ())
    columns = shape[-1] if shape else None
    return not shape or (len(shape) == 2 and (not isinstance(columns, int) or columns in _widths(classes)))


def _widths(classes: int) -> set[int]:
    """Columns that answers for so many classes may have."""
    return {1, 2} if classes == 2 else {classes}


def _run(session: ort.InferenceSession, feed: Given, output: str, rows: Rows, read: Callable[[Any], Array]) -> Tensor:
    """Answers (rows, columns), in batches; a fixed batch is filled up with copies of the last row."""
    size, total = feed.batch or feed.rows_at_once, len(rows.index)
    answers = []
    for first in range(0, total, size):
        end = min(first + size, total)
        places = torch.arange(first, end if feed.batch is None else first + size).clamp(max=end - 1)
        answer = read(_run_once(session, feed.given(rows.some(places)), output))
        if len(answer) != len(places):
            raise checkpoints.invalid(f"The model answered {len(answer)} rows to {len(places)}.")
        answers.append(answer[: end - first])
    return torch.from_numpy(np.concatenate(answers).astype(np.float32))


def _run_once(session: ort.InferenceSession, fed: dict[str, Array], output: str) -> Any:
    options = ort.RunOptions()
    options.log_severity_level = 4
    late = threading.Event()

    def end() -> None:
        late.set()
        options.terminate = True

    clock = threading.Timer(RUN_SECONDS, end)
    clock.start()
    try:
        return session.run([output], fed, options)[0]
    except Exception as error:
        if late.is_set():
            raise checkpoints.invalid(f"The model did not answer within {RUN_SECONDS:g} s.") from error
        raise checkpoints.invalid(f"The model fails on this data: {in_words(error)}") from error
    finally:
        clock.cancel()


def _columns(answer: Array) -> Array:
    if answer.ndim != 2:
        raise checkpoints.invalid(f"The model's output has shape {answer.shape}; (rows, classes) is needed.")
    return answer


def _table(answer: list[dict[Any, float]], classes: list[str], numbered: bool) -> Array:
    """scikit-learn's list of maps from class to value, as columns in the order of the classes.

    numbered: whether the job lists the classes, so that a model that knows them as 0, 1, 2, … may be believed.
    """
    named = [{str(name): value for name, value in row.items()} for row in answer]
    numbers = [str(number) for number in range(len(classes))]
    keys = numbers if numbered and named and named[0].keys() == set(numbers) else classes
    if named and named[0].keys() != set(keys):
        title = f"The model's classes are {sorted(named[0])[:10]}; the data's are {classes[:10]}. List them in order."
        raise Problem("class_mismatch", title, pointer="/classes", ways_out=[{"classes": classes[:20]}])
    return np.array([[row[key] for key in keys] for row in named], dtype=np.float32).reshape(-1, len(classes))
