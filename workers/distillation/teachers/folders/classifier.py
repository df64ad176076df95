"""A folder as a teacher. Of a text classifier: weights of `transformers`, or an ONNX beside its tokenizer."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.artifacts.checkpoints import trained_on_others
from workers.distillation.data.dataset import Data
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.pretrained.archive import CARD, ONNX, TOKENIZER, Folder, unpacked
from workers.distillation.networks.pretrained.classifier import Classifier, classifier_of
from workers.distillation.networks.pretrained.config import document
from workers.distillation.networks.pretrained.encoder import by_length
from workers.distillation.rows import Rows
from workers.distillation.tasks.classes import Classes
from workers.distillation.teachers.base import Teacher, arranged, digest_of
from workers.distillation.teachers.folders.language_model import from_language_model
from workers.distillation.teachers.folders.texts_onnx import from_texts_onnx
from workers.run import Run

SCRATCH = "teacher-folder"  # below the attempt's own
OTHER_SPLIT = (
    "The teacher was trained on another split of the same data, so on some of these test rows: its numbers are too "
    "good, and the students' with them. Take the `split_seed`, `validation` and `test` of the job that made it."
)


def from_folder(spec: ModelFormat, path: Path, data: Data, run: Run) -> Teacher:
    """Raises Problem: teacher_mismatch, class_mismatch, no_head, and what reading a folder raises."""
    text = data.text
    if text is not None and data.task.every_token:
        folder = opened(path, run, SCRATCH)
        return from_language_model(spec, folder, path.read_bytes(), data, text, memory=run.memory)
    if text is None or not isinstance(data.task, Classes):
        title = (
            "This model reads texts: it teaches labels of texts (`task`: `classification`), or vectors, where the data "
            "has a `source` of sentences."
        )
        raise Problem("teacher_mismatch", title, pointer="/file")
    folder = opened(path, run, SCRATCH)
    if not folder.weights:
        return from_texts_onnx(spec, folder, path.read_bytes(), data, text, run)
    found = classifier_of(folder, memory=run.memory)
    teacher = from_classifier(spec, found, path.read_bytes(), data)
    if folder.has(CARD):
        about = document(folder, CARD)
        if trained_on_others(about.get("data"), about.get("rows"), data):
            return replace(teacher, warnings=(OTHER_SPLIT,))
    return teacher


def from_two_files(spec: ModelFormat, path: Path, tokenizer: Path, data: Data, run: Run) -> Teacher:
    """An ONNX and its tokenizer.json, uploaded one by one. Raises as `from_folder`."""
    assert data.text is not None  # or it was refused at the door
    place = _free(run, SCRATCH)
    place.mkdir(parents=True)
    for name, file in ((ONNX, path), (TOKENIZER, tokenizer)):
        shutil.copyfile(file, place / name)
    return from_texts_onnx(spec, Folder(place), path.read_bytes() + tokenizer.read_bytes(), data, data.text, run)


def opened(path: Path, run: Run, name: str) -> Folder:
    """A folder out of its zip. name: of a place in the scratch. Raises Problem."""
    return unpacked(path, _free(run, name), onnx=True)


def _free(run: Run, name: str) -> Path:
    """A place that is not there yet."""
    place, number = run.scratch / name, 0
    while place.exists():  # of another member of an ensemble
        number += 1
        place = run.scratch / f"{name}-{number}"
    return place


def from_classifier(spec: ModelFormat, found: Classifier, content: bytes, data: Data) -> Teacher:
    """content: the bytes of its zip. data: of texts. Raises Problem class_mismatch."""
    reader, text = Reader(found), data.text
    assert text is not None

    def logits(rows: Rows) -> Tensor:
        return reader.answers(text.of(rows))

    longest = min(data.input_shape[0], found.tokenizer.length)
    teacher = Teacher(
        logits,
        digest_of(spec, content),
        bytes=len(content),
        parameters=parameters(found.network),
        multiply_adds=multiply_adds(found.network, (longest,)),
        by="transformers",
        notes=(found.tokenizer.said, *found.notes),
    )
    return arranged(teacher, list(spec.classes or found.names), data.classes)


@dataclass(frozen=True)
class Reader:
    """A classifier that is shown texts."""

    classifier: Classifier

    def answers(self, texts: Sequence[str]) -> Tensor:
        """Logits (texts, classes), in the order of its own classes."""
        network, tokenizer = self.classifier.network, self.classifier.tokenizer
        with torch.inference_mode():
            found = by_length(tokenizer.encode(texts), tokenizer.pad, len(self.classifier.names), network)
        return found.clone()  # of no inference, so that what is learned from it may be differentiated
