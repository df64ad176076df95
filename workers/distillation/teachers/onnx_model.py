"""Teachers from any framework: an ONNX model, run by onnxruntime from its bytes alone."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import torch
from torch import Tensor

from app.distillations.teachers import Weights
from app.errors import Problem
from workers.distillation import checkpoints
from workers.distillation.data import Data, Rows
from workers.distillation.read import Array
from workers.distillation.teachers.base import Teacher, arranged, digest_of, logarithms, refuse_probabilities
from workers.distillation.teachers.onnx_check import parameters, read_onnx
from workers.distillation.teachers.onnx_cost import multiply_adds

BATCH_ROWS = 256  # of one run: bounds the activations of a model that we know nothing about
RUN_SECONDS = 120.0  # for one run; a loop without an end is no teacher
NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
WHOLE = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}  # numbers of tokens, or of anything that is counted
MAPS = ("seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))")  # scikit-learn's ZipMap

Shape = tuple[int | None, ...]  # None: any size


@dataclass(frozen=True)
class Feed:
    """How rows become the model's input. batch: rows of one run if the model fixes them. said: in words, if news."""

    name: str
    number: type
    batch: int | None
    arrange: Callable[[Array], Array]
    said: str | None


def from_onnx(spec: Weights, path: Path, data: Data, threads: int) -> Teacher:
    """Raises Problem: teacher_invalid, teacher_mismatch, class_mismatch; and kind_mismatch when it is asked."""
    if data.text is not None:
        title = "An onnx teacher is given numbers; which tokenizer it was trained with, its file does not say."
        raise Problem("teacher_mismatch", title, pointer="/file")
    content = path.read_bytes()
    model = read_onnx(content)
    session = open_session(content, threads)
    feed = _feed(session, data.input_shape)
    names = list(spec.classes or data.classes)
    numbered = spec.classes is not None
    output, is_map = _output(session, spec.output, len(names))
    raw = spec.inputs != "standardised"

    def read(answer: Any) -> Array:
        return _table(answer, names, numbered) if is_map else _columns(answer)

    def logits(rows: Rows) -> Tensor:
        x = (rows.raw if raw else rows.x).numpy()
        answers = _run(session, feed, output, x, read)
        if data.targets is not None:
            return answers
        answers = _two_columns(answers, len(names), spec.kind)
        if spec.kind == "probabilities":
            return logarithms(answers, checkpoints.invalid)
        refuse_probabilities(answers)
        return answers

    teacher = Teacher(
        logits,
        digest_of(spec, content),
        bytes=len(content),
        parameters=parameters(model),
        multiply_adds=multiply_adds(model, data.input_shape),
        notes=(feed.said,) if feed.said else (),
    )
    return arranged(teacher, spec.classes, data.classes)


def open_session(content: bytes, threads: int) -> ort.InferenceSession:
    """onnxruntime on CPU threads, the same bits every time. Raises Problem teacher_invalid."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what is wrong is said in a problem
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen kinds, all from one module of C++
        raise checkpoints.invalid(f"onnxruntime does not take the model: {_first_line(error)}") from error


def _feed(session: ort.InferenceSession, row: tuple[int, ...]) -> Feed:
    """Match the one input to the rows' shape: as it is, flattened, with the channels last, or without them."""
    inputs = session.get_inputs()
    taken = NUMBERS | WHOLE
    if len(inputs) != 1 or inputs[0].type not in taken:
        told = ", ".join(f"{each.name}: {each.type}" for each in inputs[:10])
        title = f"The model takes {len(inputs)} inputs ({told[:300]}); one tensor of numbers is needed."
        raise Problem("teacher_mismatch", title, pointer="/file")
    only = inputs[0]
    declared: Shape = tuple(dim if isinstance(dim, int) and dim >= 0 else None for dim in only.shape or ())
    batch, wanted = (declared[0], declared[1:]) if declared else (None, None)
    if batch == 0:
        raise checkpoints.invalid("The model takes batches of no rows.")
    for shape, arrange, said in _arrangements(row):
        if wanted is None or (len(shape) == len(wanted) and all(map(_fits, wanted, shape))):
            return Feed(only.name, taken[only.type], batch, arrange, said and f"The teacher was given {said}.")
    shown = ", ".join("any" if dim is None else str(dim) for dim in wanted or ())
    title = f"The model takes inputs of shape ({shown}); one row of this data has {row}."
    raise Problem("teacher_mismatch", title, pointer="/file")


def _fits(wanted: int | None, size: int) -> bool:
    return wanted is None or wanted == size


def _arrangements(row: tuple[int, ...]) -> list[tuple[tuple[int, ...], Callable[[Array], Array], str | None]]:
    """(shape, how rows get it, in words), the nearest first."""
    ways: list[tuple[tuple[int, ...], Callable[[Array], Array], str | None]] = [(row, lambda x: x, None)]
    if len(row) == 3:
        channels, height, width = row
        last = (height, width, channels)
        ways.append((last, lambda x: x.transpose(0, 2, 3, 1), "images with their channels last"))
        if channels == 1:
            ways.append(((height, width), lambda x: x[:, 0], "images without a dimension for their one channel"))
    flat = int(np.prod(row))
    ways.append(((flat,), lambda x: x.reshape(len(x), flat), "flattened images" if len(row) == 3 else None))
    return ways


def _output(session: ort.InferenceSession, wanted: str | None, classes: int) -> tuple[str, bool]:
    """(name, whether it is a list of maps) of the output to read."""
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
    return fitting[-1].name, fitting[-1].type in MAPS


def _has_columns(output: Any, classes: int) -> bool:
    if output.type not in NUMBERS:
        return False
    shape = list(output.shape or ())
    columns = shape[-1] if shape else None
    enough = {classes, 1} if classes == 2 else {classes}
    return not shape or (len(shape) == 2 and (not isinstance(columns, int) or columns in enough))


def _run(session: ort.InferenceSession, feed: Feed, output: str, x: Array, read: Callable[[Any], Array]) -> Tensor:
    """Answers (rows, columns), in batches; a fixed batch is filled up with copies of the last row."""
    size = feed.batch or BATCH_ROWS
    answers = []
    for first in range(0, len(x), size):
        rows = x[first : first + size]
        given = rows if feed.batch is None else np.concatenate([rows, rows[-1:].repeat(size - len(rows), axis=0)])
        if feed.number in WHOLE.values():
            _refuse_fractions(given)
        fed: Array = np.ascontiguousarray(feed.arrange(given), dtype=feed.number)
        answer = read(_run_once(session, {feed.name: fed}, output))
        if len(answer) != len(given):
            raise checkpoints.invalid(f"The model answered {len(answer)} rows to {len(given)}.")
        answers.append(answer[: len(rows)])
    return torch.from_numpy(np.concatenate(answers).astype(np.float32))


def _refuse_fractions(rows: Array) -> None:
    """Raise Problem inputs_mismatch where a model of whole numbers would be given something else, rounded."""
    if not (rows == np.trunc(rows)).all():
        title = "The model takes whole numbers, and some of the rows hold others; of a teacher, `raw` inputs may be."
        raise Problem("inputs_mismatch", title, pointer="/inputs", ways_out=[{"inputs": "raw"}])


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
        raise checkpoints.invalid(f"The model fails on this data: {_first_line(error)}") from error
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


def _two_columns(answers: Tensor, classes: int, kind: str) -> Tensor:
    """A column for each class, where a model of two classes gives the second one only."""
    if classes != 2 or answers.shape[1] != 1:
        return answers
    return torch.cat([1 - answers, answers] if kind == "probabilities" else [torch.zeros_like(answers), answers], dim=1)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
