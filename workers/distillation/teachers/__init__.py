"""Teachers of every origin, one file each, brought to one form: something that answers rows with logits."""

from pathlib import Path

from qstill.contract.distillations.datasets import TextTask
from qstill.contract.distillations.teachers import (
    EnsembleTeacher,
    ModelFormat,
    ModelTeacher,
    Single,
    SoftLabels,
    UploadedTeacher,
    needs,
)
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.pieces import OfOtherClasses
from qstill.contract.distillations.teachers.remote import AtAnAddress, EndpointTeacher, ServedTeacher
from qstill.contract.distillations.teachers.storage import Storage
from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints
from workers.distillation.data.adopted import adopted
from workers.distillation.data.dataset import Data
from workers.distillation.data.tokenizer import Tokenizer, uploaded
from workers.distillation.networks.pretrained.archive import is_zip
from workers.distillation.networks.pretrained.language import tokens_of
from workers.distillation.teachers.ask import Use, answers_of, signal_and_use, signal_of
from workers.distillation.teachers.base import Teacher, as_networks_learn, within
from workers.distillation.teachers.circuit import from_circuit
from workers.distillation.teachers.class_map import as_teacher_names, mapped
from workers.distillation.teachers.ensemble import ensemble
from workers.distillation.teachers.files.keras import refuse_keras
from workers.distillation.teachers.files.soft_labels import from_soft_labels
from workers.distillation.teachers.files.weights import from_weights, trained
from workers.distillation.teachers.folders.classifier import from_folder, from_two_files, opened
from workers.distillation.teachers.onnx.model import from_onnx
from workers.distillation.teachers.remote.endpoint import from_endpoint
from workers.distillation.teachers.remote.served import from_served
from workers.run import Run

__all__ = [
    "Teacher",
    "Use",
    "answers_of",
    "ensemble",
    "loaded",
    "signal_and_use",
    "signal_of",
    "tokenizer_of",
    "trained",
]

TOKENS = "teacher-tokens"  # below the attempt's own: a folder of which the tokenizer is read
Loadable = UploadedTeacher | ModelTeacher | SoftLabels | EndpointTeacher | ServedTeacher | CircuitTeacher


def loaded(
    spec: Loadable, data: Data, run: Run, pointer: str = "/teacher", *, storage: Storage | None = None
) -> Teacher:
    """A teacher that need not be trained. pointer: its place in the job. storage: how its answers are kept.

    Raises Problem, also when it is asked: what its origin's module says, or file_gone.
    """

    def place(problem: Problem) -> Problem:
        if isinstance(spec, ModelTeacher):
            problem.pointer = "/model"  # the one field that it has
        return problem.within(pointer)

    named = data
    if isinstance(spec, OfOtherClasses):
        try:
            named = as_teacher_names(spec, data)
        except Problem as problem:
            raise problem.within(pointer) from None
    try:
        teacher = within(as_networks_learn(_loaded(spec, named, run, storage or Storage()), data.task.targets), place)
    except Problem as problem:
        raise place(problem) from None
    return mapped(teacher, spec, data) if isinstance(spec, OfOtherClasses) else teacher


def tokenizer_of(teacher: Single | EnsembleTeacher, run: Run, *, task: TextTask) -> Tokenizer:
    """A served model's, that of a folder, or the one in the card of a teacher's file.

    task: of the job. Raises Problem, also tokenizer_unavailable.
    """
    if isinstance(teacher, ServedTeacher):
        try:
            content = _path(run, teacher.tokenizer, "/tokenizer").read_bytes()
            return adopted(content, teacher.end_of_text).tokenizer
        except Problem as problem:
            raise problem.within("/teacher") from None
    found = needs.tokenizer_of(teacher, folders=True)
    assert found is not None  # refused at the door
    place, name = found
    pointer = "/".join(("", *map(str, place)))
    path = _path(run, name, pointer)
    if is_zip(path) and task != "classification":
        try:
            return tokens_of(opened(path, run, TOKENS), causal=task == "language_modelling").tokenizer
        except Problem as problem:
            problem.pointer = pointer
            raise
    card = None
    if run.models.get(name, {}).get("format", "safetensors") == "safetensors":
        try:
            text = checkpoints.read_card(path)
            card = None if text is None or checkpoints.is_recommender(text) else checkpoints.card_of(text)
        except Problem as problem:
            problem.pointer = pointer
            raise
    if card is None or card.tokenizer is None:
        title = "This teacher's file has no card with a tokenizer: only those of texts that were made here have one."
        raise Problem("tokenizer_unavailable", title, pointer=pointer)
    return uploaded(card.tokenizer)


def _loaded(spec: Loadable, data: Data, run: Run, storage: Storage) -> Teacher:
    if isinstance(spec, SoftLabels):
        return from_soft_labels(spec, _path(run, spec.file, "/file"), data)
    if isinstance(spec, CircuitTeacher):
        return from_circuit(spec, run)
    if isinstance(spec, EndpointTeacher):
        return from_endpoint(spec, _headers(spec, run), data, run)
    if isinstance(spec, ServedTeacher):
        assert storage.top_k is not None  # refused at the door
        tokenizer = _path(run, spec.tokenizer, "/tokenizer")
        return from_served(spec, tokenizer, _headers(spec, run), data, run, top_k=storage.top_k)
    if isinstance(spec, ModelTeacher):
        known = ModelFormat.model_validate(run.models.get(spec.model, {}))  # a checkpoint says itself how it is read
        return _from_file(known, _path(run, spec.model, "/model"), data, run)
    return _from_file(spec, _path(run, spec.file, "/file"), data, run)


def _from_file(spec: ModelFormat, path: Path, data: Data, run: Run) -> Teacher:
    refuse_keras(path)
    if isinstance(spec, UploadedTeacher) and spec.tokenizer is not None:
        tokenizer = _path(run, spec.tokenizer, "/tokenizer")
        return from_two_files(spec, path, tokenizer, data, run)
    if spec.format == "onnx":
        return from_onnx(spec, path, data, run.threads)
    if spec.format == "folder" or (spec.format == "safetensors" and is_zip(path)):  # as checkpoints of encoders are
        return from_folder(spec, path, data, run)
    return from_weights(spec, path, data)


def _headers(spec: AtAnAddress, run: Run) -> Path | None:
    return None if spec.headers is None else _path(run, spec.headers, "/headers")


def _path(run: Run, file_id: str, pointer: str) -> Path:
    path = run.files.get(file_id)
    if path is None or not path.is_file():
        raise Problem("file_gone", f"{file_id} was deleted before the job could read it.", pointer=pointer)
    return path
