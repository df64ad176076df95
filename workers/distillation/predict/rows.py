"""What a model of the registry says when somebody tries it, read as it would be read to teach."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnxruntime as ort
import torch
from torch import Tensor

from qstill.contract.distillations.architectures import family_of
from qstill.contract.distillations.teachers import ModelFormat, ModelTeacher
from qstill.contract.errors import Problem
from qstill.contract.models.answers import NamedLabels, Prediction, Said, Values
from qstill.contract.models.questions import (
    BY_FIELD,
    AnyQuestion,
    AskMasked,
    AskPrompts,
    AskRows,
    AskTable,
    AskTexts,
    AskUsers,
    Question,
)
from workers.distillation import teachers
from workers.distillation.artifacts import checkpoints
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.data.dataset import Data
from workers.distillation.predict.records import Reader, reader_of_card, reader_of_onnx, table_of
from workers.distillation.predict.texts import classified, classified_by_folder, continued, filled_in
from workers.distillation.predict.vectors import vectors_of
from workers.distillation.recommenders.checkpoints import card_of as recommender_card
from workers.distillation.recommenders.recommend import recommended
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.tasks.classes import Classes
from workers.distillation.tasks.labels import Labels
from workers.distillation.tasks.numbers import Numbers
from workers.distillation.tasks.targets import Targets
from workers.distillation.tasks.task import Task
from workers.distillation.teachers.files.other_names import last_layer
from workers.distillation.teachers.files.weights import read_weights
from workers.distillation.teachers.onnx.check import read_onnx
from workers.run import Run

ANSWERS = {
    "inputs": "rows of numbers",
    "rows": "rows of a table, as objects",
    "texts": "texts",
    "prompts": "the beginnings of texts",
    "masked": "texts with masks",
    "users": "users",
}


@dataclass(frozen=True)
class Known:
    """What a model says of itself. shape: of a row, if it does. targets: of regression, and classes their names.

    yes_no: whether classes are labels of which a row has several.
    """

    classes: list[str]
    shape: tuple[int, ...] | None
    targets: Targets | None = None
    yes_no: bool = False


def predict(question: Question, run: Run) -> dict[str, Any]:
    """Returns an Answer as JSON. Raises Problem, with a pointer into the question."""
    torch.set_num_threads(run.threads)
    path, stored_as = run.files.get(question.model), ModelFormat.model_validate(run.models.get(question.model, {}))
    if path is None or not path.is_file():
        raise Problem("model_not_found", "The model was deleted while you asked.", status=404)
    asked = question.rows
    try:
        card = checkpoints.read_card(path) if stored_as.format == "safetensors" else None
        reader = _reader(stored_as, path, card, run.threads)
        _refuse_another_question(asked, card, stored_as.format, of_columns=reader is not None)
        spec = ModelTeacher(source="model", model=question.model)
        match asked:
            case AskRows():
                known = _known(stored_as, path, run.threads)
                rows = _rows(asked, known.shape)
                logits = teachers.loaded(spec, _only(rows, known), run).logits(rows)
                answer: Said = _said(question.model, known, logits, "/inputs")
            case AskTable():
                assert reader is not None  # or it was refused
                known = _known(stored_as, path, run.threads)
                rows, columns, notes = table_of(asked, reader)
                data = replace(_only(rows, known), columns=columns)
                answer = _said(question.model, known, teachers.loaded(spec, data, run).logits(rows), "/rows", notes)
            case AskTexts() if stored_as.format == "folder":
                answered = classified_by_folder(asked, path, stored_as, spec, run)
                if answered is None:
                    answer = vectors_of(asked, path, question.model, run)
                else:
                    classes, logits, notes = answered
                    answer = _prediction(question.model, classes, logits, "/texts", notes)
            case AskTexts():
                of_texts = checkpoints.card_of(card or "")
                logits, notes = classified(asked, of_texts, spec, run)
                said_of = _prediction if of_texts.labels is None else labels_said
                answer = said_of(question.model, of_texts.labels or of_texts.classes, logits, "/texts", notes)
            case AskPrompts():
                answer = continued(asked, checkpoints.card_of(card or ""), spec, run)
            case AskMasked():
                answer = filled_in(asked, checkpoints.card_of(card or ""), spec, run)
            case AskUsers():
                weights, _ = checkpoints.read(path)
                answer = recommended(asked, weights, recommender_card(card or ""), question.model)
    except Problem as problem:
        if (problem.pointer or "/").split("/")[1] not in type(asked).model_fields:
            problem.pointer = None  # it is the model's fault, and no field's
        raise
    return answer.model_dump(mode="json")


def _reader(stored_as: ModelFormat, path: Path, card: str | None, threads: int) -> Reader | None:
    """What a model takes of the columns of a table; None: nothing. card: its text, if it has one."""
    if stored_as.format == "onnx":
        return reader_of_onnx(path, threads)
    return None if card is None or checkpoints.is_recommender(card) else reader_of_card(checkpoints.card_of(card))


def _refuse_another_question(asked: AnyQuestion, text: str | None, format: str, *, of_columns: bool) -> None:
    """Raise Problem where a model answers another kind of question. text: of its card."""
    if format == "folder":
        wanted = "texts"
    elif text is not None and checkpoints.is_recommender(text):
        wanted = "users"
    elif text is not None and (card := checkpoints.card_of(text)).tokenizer is not None:
        wanted = family_of(card.architecture).question
    else:
        wanted = "rows" if of_columns else "inputs"
    if not isinstance(asked, BY_FIELD[wanted]):
        field = next(field for field, kind in BY_FIELD.items() if isinstance(asked, kind))
        title = f"This model answers {ANSWERS[wanted]}: send `{wanted}` instead of `{field}`."
        raise Problem("another_question", title, pointer=f"/{field}", ways_out=[{"field": wanted}])


def _said(model: str, known: Known, answers: Tensor, pointer: str, notes: Sequence[str] = ()) -> Said:
    """answers: (rows, classes or targets). pointer: to what was asked."""
    if known.yes_no:
        return labels_said(model, known.classes, answers, pointer, notes)
    if known.targets is None:
        return _prediction(model, known.classes, answers, pointer, notes)
    _refuse_infinite(answers, pointer)
    return Values(
        model=model, notes=list(notes), targets=known.classes, values=known.targets.in_units(answers).tolist()
    )


def _refuse_infinite(answers: Tensor, pointer: str) -> None:
    if not answers.isfinite().all():
        raise Problem("not_finite", "The model answers with something that is no number.", pointer=pointer)


def _prediction(model: str, classes: list[str], logits: Tensor, pointer: str, notes: Sequence[str] = ()) -> Prediction:
    """logits: (rows, classes). pointer: to what was asked, for the Problem of an answer that is no number."""
    _refuse_infinite(logits, pointer)
    return Prediction(
        model=model,
        notes=list(notes),
        classes=classes,
        logits=logits.tolist(),
        probabilities=torch.softmax(logits.double(), dim=1).tolist(),
        predicted=[classes[code] for code in logits.argmax(1).tolist()],
    )


def labels_said(model: str, names: list[str], logits: Tensor, pointer: str, notes: Sequence[str] = ()) -> NamedLabels:
    """logits: (rows, labels). pointer: to what was asked."""
    _refuse_infinite(logits, pointer)
    return NamedLabels(
        model=model,
        notes=list(notes),
        labels=names,
        logits=logits.tolist(),
        probabilities=logits.double().sigmoid().tolist(),
        predicted=[[name for name, logit in zip(names, row, strict=True) if logit > 0] for row in logits.tolist()],
    )


def _known(spec: ModelFormat, path: Path, threads: int) -> Known:
    return _onnx(spec, path, threads) if spec.format == "onnx" else _weights(spec, path)


def _weights(spec: ModelFormat, path: Path) -> Known:
    weights, text, _ = read_weights(spec, path)
    if text is not None:
        card = checkpoints.card_of(text)
        if card.targets is not None:
            targets = checkpoints.targets_of(card)
            return Known(targets.names, tuple(card.input_shape), targets)
        return Known(card.labels or card.classes, tuple(card.input_shape), yes_no=card.labels is not None)
    head = weights.get("head.bias", weights.get(f"{last_layer(weights)}.bias"))
    if head is None or head.ndim != 1:
        raise checkpoints.invalid("The file's last layer has no bias, which says how many classes there are.")
    return Known(spec.classes or _numbers(len(head)), None)


def _onnx(spec: ModelFormat, path: Path, threads: int) -> Known:
    content = path.read_bytes()
    read_onnx(content)  # onnxruntime would read the files that it names
    session = open_session(content, threads)
    shape = tuple(session.get_inputs()[0].shape or ())[1:]
    fixed = tuple(shape) if shape and all(isinstance(side, int) for side in shape) else None
    if (targets := _targets(session)) is not None:
        return Known(targets.names, fixed, targets)
    if (labels := _listed(session, "labels")) is not None:
        return Known(labels, fixed, yes_no=True)
    if spec.classes is not None:
        return Known(spec.classes, fixed)
    names, columns = _listed(session, "classes") or [], _columns(session, spec.output)
    return Known(names if len(names) == columns else _numbers(columns), fixed)


def _listed(session: ort.InferenceSession, name: str) -> list[str] | None:
    """Names that the card of a file exported here lists; a foreign file has no card."""
    try:
        names = json.loads(session.get_modelmeta().custom_metadata_map.get(checkpoints.CARD, "{}")).get(name)
    except (ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(names, list) or not names or not all(isinstance(each, str) for each in names):
        return None
    return names


def _targets(session: ort.InferenceSession) -> Targets | None:
    """Of regression exported here, whose answers are in units; a foreign file does not say that it predicts numbers."""
    names = _listed(session, "targets")
    if names is None:
        return None
    return Targets(names, torch.zeros(len(names), dtype=torch.float64), torch.ones(len(names), dtype=torch.float64))


def _columns(session: ort.InferenceSession, wanted: str | None) -> int:
    """How many classes the one table among the outputs has, or the one that is wanted."""
    outputs = [each for each in session.get_outputs() if wanted in (None, each.name)]
    tables = [each for each in outputs if len(each.shape or ()) == 2 and isinstance(each.shape[1], int)]
    widths = {each.shape[1] for each in tables}
    if len(widths) > 1:
        names = ", ".join(each.name for each in tables[:10])
        title = f"The model has several outputs that may be its answers: {names}. Promote it again with its `output`."
        raise Problem("output_needed", title)
    if not widths and any(len(each.shape or ()) == 3 for each in outputs):
        title = "The model answers every token. Promote the checkpoint of a language model: it goes on with `prompts`."
        raise Problem("classes_unknown", title)
    if not widths:
        title = "The model does not say how many classes it has; promote it again with its `classes`."
        raise Problem("classes_unknown", title)
    return int(max(2, *widths))  # one column is the second of two classes


def _numbers(classes: int) -> list[str]:
    return [str(number) for number in range(classes)]


def _rows(given: AskRows, known: tuple[int, ...] | None) -> Rows:
    width = len(given.inputs[0])
    if known and given.shape and tuple(given.shape) != known:
        title = f"A row of this model has shape {known}, and yours {tuple(given.shape)}; leave `shape` out."
        raise Problem("inputs_mismatch", title, pointer="/shape", ways_out=[{"shape": None}])
    shape = known or tuple(given.shape or (width,))
    if math.prod(shape) != width:
        title = f"A row of this model has shape {shape}, which is {math.prod(shape)} numbers; yours have {width}."
        raise Problem("inputs_mismatch", title, pointer="/inputs")
    raw = torch.tensor(given.inputs, dtype=torch.float32).reshape(-1, *shape)
    if not raw.isfinite().all():
        title = "Some of the inputs are beyond the range of single precision."
        raise Problem("inputs_mismatch", title, pointer="/inputs")
    count = torch.arange(len(raw))
    return Rows(raw, raw, torch.zeros_like(count), count)


def _only(rows: Rows, known: Known) -> Data:
    """A data set of nothing but these rows, as it is all that reading a teacher asks for."""
    nothing = Standardisation(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    task: Task[Any] = Classes(known.classes) if known.targets is None else Numbers(known.targets)
    task = Labels(known.classes) if known.yes_no else task
    none: Tensor = torch.zeros(0, dtype=torch.int64)
    return Data(rows, rows, rows, rows.y, none, nothing, len(rows.y), "", task)
