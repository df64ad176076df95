"""A trained student in this process: onnxruntime on its ONNX export, or a torch module on its weights.

    student = job.student()
    student.predict(rows)          # classes by name, or numbers in their units
    student.probabilities(rows)    # (rows, classes)
    student.module, student.session

Rows are those of the data: numbers, images as (channels, height, width) or flattened, rows of a table as objects or a
pandas frame, texts. What a network computes is text of the contract (`computing`), which this package brings along:
nothing that a server sent is ever executed.
"""

import datetime
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qstill.client import plans
from qstill.client.bodies import listed
from qstill.client.calls import Plan
from qstill.client.contents import installed, library
from qstill.client.errors import MissingLibrary, NotFound
from qstill.contract.answers.jobs import JobView
from qstill.contract.distillations.architectures import BY_KIND
from qstill.contract.distillations.computing import LINEAR, of_rows, of_texts
from qstill.contract.distillations.computing.tokens import TOKENIZERS

ROWS_AT_ONCE = 1024

Card = Mapping[str, Any]
Answer = Callable[[Any], Any]  # rows to logits (rows, classes), or values (rows, targets)


class Student:
    """module: of torch, its parameters named as in the checkpoint; or session: of onnxruntime. card: of the file."""

    def __init__(self, card: Card, answer: Answer, *, module: Any = None, session: Any = None) -> None:
        self.card, self.module, self.session = card, module, session
        self._answer = answer

    @property
    def classes(self) -> list[str] | None:
        """The columns of `probabilities`; None for regression, and where rows have several labels."""
        return None if self.targets is not None or self.labels is not None else list(self.card["classes"])

    @property
    def labels(self) -> list[str] | None:
        """The columns of `probabilities` where a row has any of them; None for others."""
        return list(self.card["labels"]) if self.card.get("labels") else None

    @property
    def targets(self) -> list[str] | None:
        """The columns of what `predict` gives; None for classes."""
        return list(self.card["targets"]["names"]) if self.card.get("targets") else None

    @property
    def columns(self) -> list[str]:
        """Of what it answers."""
        return self.targets or self.labels or self.classes or []

    def logits(self, rows: Any) -> Any:
        """(rows, classes) as numpy; of regression the values (rows, targets)."""
        numpy = library("numpy", "a prediction")
        given = as_rows(rows, self.card)
        parts = [self._answer(given[at : at + ROWS_AT_ONCE]) for at in range(0, len(given), ROWS_AT_ONCE)]
        return numpy.concatenate(parts) if parts else numpy.zeros((0, len(self.columns)))

    def probabilities(self, rows: Any) -> Any:
        """(rows, classes), or of several labels (rows, labels), each by itself."""
        if self.targets is not None:
            raise ValueError("a regression has no probabilities; predict() gives its values")
        numpy, logits = library("numpy", "a prediction"), self.logits(rows).astype(float)
        if self.labels is not None:
            return 0.5 * (1.0 + numpy.tanh(0.5 * logits))  # the sigmoid, which overflows nowhere so
        powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, rows: Any) -> Any:
        """The most likely class of each row, by name; of regression the values (rows, targets) in their units.

        Of several labels: those of each row whose probability is above a half.
        """
        answers = self.logits(rows)
        if self.labels is not None:
            return [[name for name, logit in zip(self.labels, row, strict=True) if logit > 0] for row in answers]
        if self.classes is None:
            return answers
        return library("numpy", "a prediction").array(self.classes)[answers.argmax(axis=1)]

    def __repr__(self) -> str:
        way = "torch" if self.session is None else "onnxruntime"
        return f"Student({self.card['architecture']['kind']}, {way}, predicts {self.columns})"


def as_rows(rows: Any, card: Card) -> Any:
    """An array of numbers (rows, …), or a list of objects or texts. Raises TypeError for rows of another kind."""
    if card.get("columns"):
        given = listed(rows)
        if not all(isinstance(row, Mapping) for row in given):
            named = [encoder["name"] for encoder in card["columns"]["encoders"]]
            raise TypeError(f"rows of this student are objects or a frame, with the columns {named}")
        return given
    if card.get("tokenizer"):
        return [rows] if isinstance(rows, str) else list(rows)
    numpy = library("numpy", "a prediction")
    given = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
    return numpy.asarray(given, dtype=numpy.float32).reshape(-1, *card["input_shape"])


def choose(job: JobView, seed: int | None, runtime: str | None) -> Plan[Student]:
    """The student of a job that succeeded, by what it left and what is installed. Raises MissingLibrary, NotFound."""
    checkpoint = yield from plans.student_of(job, seed)
    card = yield from plans.card(checkpoint)
    must_answer_rows(card)
    export = None if runtime == "torch" else (yield from plans.onnx_of(job, checkpoint))
    if runtime == "onnx" and export is None:
        way_out = {"export": ["onnx"]}
        raise NotFound("no_export", f"{job.id} left no ONNX of {checkpoint.name}", status=404, ways_out=[way_out])
    if export is not None and (runtime == "onnx" or installed("onnxruntime")):
        content = yield from plans.content_of(export)
        return onnx_student(content, card, export.meta.get("columns"))
    if runtime is None and not installed("torch"):
        ways = "onnxruntime" if export is not None else "torch and safetensors; or submit with export=['onnx']"
        raise MissingLibrary(f"a student is run by a library that is not installed: pip install {ways}")
    return torch_student((yield from plans.content_of(checkpoint)), card)


def must_answer_rows(card: Card) -> None:
    """Raises TypeError for networks that answer something else than rows or texts."""
    family = BY_KIND.get(card.get("architecture", {}).get("kind", ""))
    if family is None or family.question not in ("inputs", "texts"):
        raise TypeError(
            "only students of rows, images and texts predict here; promote its checkpoint, and ask client.predict()"
        )


def onnx_student(content: bytes, card: Card, columns: Sequence[Mapping[str, str]] | None) -> Student:
    """columns: what the file takes of each column, as the export's `meta` says. Raises MissingLibrary."""
    must_answer_rows(card)
    numpy = library("numpy", "a student as ONNX")
    session = library("onnxruntime", "a student as ONNX").InferenceSession(content, providers=["CPUExecutionProvider"])
    output = [session.get_outputs()[0].name]

    def of_numbers(rows: Any) -> Any:
        return session.run(output, {session.get_inputs()[0].name: rows})[0]

    def of_objects(rows: Any) -> Any:
        given = {}
        for each in columns or ():
            cells = [row.get(each["column"]) for row in rows]
            if each["type"] == "float":
                given[each["input"]] = numpy.array([[_number(cell)] for cell in cells], numpy.float32)
            else:
                given[each["input"]] = numpy.array([[_word(cell)] for cell in cells], object)
        return session.run(output, given)[0]

    def of_strings(texts: Sequence[str]) -> Any:
        numbers = [encode(text)[: card["input_shape"][0]] for text in texts]
        tokens = numpy.zeros((len(texts), max([1, *map(len, numbers)])), numpy.int64)  # 0 is padding
        for row, found in zip(tokens, numbers, strict=True):
            row[: len(found)] = found
        return session.run(output, {session.get_inputs()[0].name: tokens})[0]

    encode: Any = _run(TOKENIZERS["teacher"], {"card": card})["encode"] if card.get("tokenizer") else None
    answer = of_objects if columns else of_numbers if encode is None else of_strings
    return Student(card, answer, session=session)


def torch_student(content: bytes, card: Card) -> Student:
    """content: a checkpoint's safetensors. Raises MissingLibrary."""
    must_answer_rows(card)
    torch = library("torch", "a student as a torch module")
    weights = library("safetensors.torch", "a student as a torch module", "safetensors").load(content)
    module = torch.nn.Module()
    parameters = {name: _placed(torch, module, name, tensor) for name, tensor in weights.items()}
    family = BY_KIND[card["architecture"]["kind"]]
    text = of_texts(family) if card.get("tokenizer") else of_rows(family, columns=bool(card.get("columns")))
    names = {"card": card, "architecture": card["architecture"], "weights": parameters}
    made = _run(LINEAR + text, {**names, "torch": torch, "F": torch.nn.functional})
    module.forward = made["network"]  # of what the network takes: standardised rows, or numbers of tokens

    def answer(rows: Any) -> Any:
        logits = made["logits"](rows).double()
        if card.get("targets"):
            mean, std = (torch.tensor(card["targets"][part], dtype=torch.float64) for part in ("mean", "std"))
            logits = logits * std + mean
        return logits.numpy()

    return Student(card, answer, module=module)


def _placed(torch: Any, module: Any, name: str, tensor: Any) -> Any:
    """The tensor as a parameter of a module, below as many modules as its name has parts before the last."""
    *path, leaf = name.split(".")
    for part in path:
        if part not in dict(module.named_children()):
            module.add_module(part, torch.nn.Module())
        module = getattr(module, part)
    parameter = torch.nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
    module.register_parameter(leaf, parameter)
    return parameter


def _run(text: str, names: dict[str, Any]) -> dict[str, Any]:
    """The names that a text of the contract defines."""
    space = {"json": json, "re": re, "unicodedata": unicodedata, "datetime": datetime, **names}
    exec(compile(text, "<qstill.contract.distillations.computing>", "exec"), space)  # noqa: S102  # of this package
    return space


def _number(cell: Any) -> float:
    return float("nan") if cell is None or cell == "" else float(cell)


def _word(cell: Any) -> str:
    """A cell as it stands in a table."""
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell).strip()
