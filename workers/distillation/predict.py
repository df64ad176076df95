"""What a model of the registry says of a few rows, read as it would be read to teach."""

import math
from pathlib import Path
from typing import Any

import onnxruntime as ort  # type: ignore[import-untyped]
import torch
from torch import Tensor

from app.distillations.teachers import ModelTeacher, Weights
from app.errors import Problem
from app.models.predictions import NewPrediction, Prediction, Question
from workers.distillation import checkpoints, teachers
from workers.distillation.data import Data, Rows, Standardisation
from workers.distillation.teachers.onnx_model import open_session
from workers.distillation.teachers.torch_file import read_torch
from workers.run import Run

Known = tuple[list[str], tuple[int, ...] | None]  # classes, and the shape of a row if the model says it


def predict(question: Question, run: Run) -> dict[str, Any]:
    """Returns a Prediction as JSON. Raises Problem."""
    torch.set_num_threads(run.threads)
    path, reading = run.files.get(question.model), Weights.model_validate(run.models.get(question.model, {}))
    if path is None or not path.is_file():
        raise Problem("model_not_found", "The model was deleted while you asked.", status=404)
    try:
        classes, shape = _onnx(reading, path, run.threads) if reading.format == "onnx" else _weights(reading, path)
        rows = _rows(question.rows, shape)
        spec = ModelTeacher(source="model", model=question.model)
        logits = teachers.loaded(spec, _only(rows, classes), run).logits(rows)
    except Problem as problem:
        problem.pointer = "/inputs" if problem.code == "inputs_mismatch" else None  # no other field is at fault
        raise
    if not logits.isfinite().all():
        raise Problem("not_finite", "The model answers with something that is no number.", pointer="/inputs")
    return Prediction(
        model=question.model,
        classes=classes,
        logits=logits.tolist(),
        probabilities=torch.softmax(logits.double(), dim=1).tolist(),
        predicted=[classes[code] for code in logits.argmax(1).tolist()],
    ).model_dump(mode="json")


def _weights(reading: Weights, path: Path) -> Known:
    weights, text = (read_torch(path), None) if reading.format == "torch" else checkpoints.read(path)
    if text is not None:
        card = checkpoints.card_of(text)
        if card.tokenizer is not None:
            raise Problem("text_model", "This model reads text; only models of numbers are tried here.")
        return card.classes, tuple(card.input_shape)
    head = weights.get("head.bias")
    if head is None or head.ndim != 1:
        raise checkpoints.invalid("The file has no tensor `head.bias`, which says how many classes there are.")
    return reading.classes or _numbers(len(head)), None


def _onnx(reading: Weights, path: Path, threads: int) -> Known:
    session = open_session(path.read_bytes(), threads)
    shape = tuple(session.get_inputs()[0].shape or ())[1:]
    fixed = tuple(shape) if shape and all(isinstance(side, int) for side in shape) else None
    return reading.classes or _numbers(_columns(session, reading.output)), fixed


def _columns(session: ort.InferenceSession, wanted: str | None) -> int:
    """How many classes the last table among the outputs has, or the one that is wanted."""
    outputs = [each for each in session.get_outputs() if wanted in (None, each.name)]
    widths = [each.shape[1] for each in outputs if len(each.shape or ()) == 2 and isinstance(each.shape[1], int)]
    if not widths:
        title = "The model does not say how many classes it has; promote it again with its `classes`."
        raise Problem("classes_unknown", title)
    return max(2, widths[-1])  # one column is the second of two classes


def _numbers(classes: int) -> list[str]:
    return [str(number) for number in range(classes)]


def _rows(given: NewPrediction, known: tuple[int, ...] | None) -> Rows:
    width = len(given.inputs[0])
    shape = known or tuple(given.shape or (width,))
    if math.prod(shape) != width:
        title = f"A row of this model has shape {shape}, which is {math.prod(shape)} numbers; yours have {width}."
        raise Problem("inputs_mismatch", title)
    raw = torch.tensor(given.inputs, dtype=torch.float32).reshape(-1, *shape)
    if not raw.isfinite().all():
        raise Problem("inputs_mismatch", "Some of the inputs are beyond the range of single precision.")
    count = torch.arange(len(raw))
    return Rows(raw, raw, torch.zeros_like(count), count)


def _only(rows: Rows, classes: list[str]) -> Data:
    """A data set of nothing but these rows, as it is all that reading a teacher asks for."""
    nothing = Standardisation(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    none: Tensor = torch.zeros(0, dtype=torch.int64)
    return Data(rows, rows, rows, rows.y, none, classes, nothing, len(rows.y), "")
