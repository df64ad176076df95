"""Teachers of this house's own networks: trained in the job, or uploaded as safetensors or a torch checkpoint."""

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints
from workers.distillation.data.dataset import Data
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.families import build
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.tables.encoding import Encoding
from workers.distillation.teachers.base import Teacher, arranged, digest_of
from workers.distillation.teachers.files.other_names import renamed
from workers.distillation.teachers.files.torch_file import read_torch
from workers.distillation.teachers.folders.classifier import OTHER_SPLIT

WRAPPERS = ("module.", "_orig_mod.", "model.")  # of DataParallel, torch.compile, and most modules of Lightning


def trained(network: nn.Module, file: bytes) -> Teacher:
    """A network that this job trained on its own standardised inputs. file: its published checkpoint."""
    digest = hashlib.sha256(file).hexdigest()
    return _teacher(network, None, digest, len(file))


def from_weights(spec: ModelFormat, path: Path, data: Data) -> Teacher:
    """Raises Problem: teacher_mismatch, teacher_invalid, architecture_needed, architecture_mismatch, class_mismatch,
    tokenizer_mismatch.
    """
    weights, text, prefix = read_weights(spec, path)
    card = None if text is None else checkpoints.card_of(text)
    architecture = spec.architecture or (card.architecture if card else None)
    if architecture is None:
        title = "The file has no card that says what network its weights belong to."
        raise Problem("architecture_needed", title, pointer="/architecture")
    if card is not None and _computes(card.architecture) != _computes(architecture):
        title = "The architecture is not that of the checkpoint's own card; leave it out."
        way_out = {"architecture": card.architecture.model_dump(mode="json")}
        raise Problem("architecture_mismatch", title, pointer="/architecture", ways_out=[way_out])
    tokenizer = None if card is None or card.tokenizer is None else Tokenizer(card.tokenizer).digest
    data.inputs.check_teacher(tokenizer, weights, data.input_shape)
    _refuse_other_labels(card, data)
    names = spec.classes or (card.labels or card.classes if card else None) or None
    if data.task.targets is not None:
        names = spec.classes or (card.targets.names if card and card.targets and len(data.classes) > 1 else None)
    own = card.columns if card is not None and card.columns != data.encoding else None
    shape = data.input_shape if own is None or card is None else tuple(card.input_shape)
    network = build(
        architecture,
        shape,
        len(data.classes),
        seed=0,
        pointer="/architecture",
        vocabulary=data.inputs.vocabulary,
        padding=data.inputs.padding,
    )
    standardise = _standardisation(spec, card, data, shape)
    digest, size = digest_of(spec, path.read_bytes()), path.stat().st_size
    teacher = _teacher(network, standardise, digest, size, None if own is None else _encoded(own, data))
    teacher = replace(teacher, encoding=own)
    called = renamed(weights, network.state_dict())
    cut = f"The names of the teacher's tensors begin with {prefix!r}, which was left out." if prefix else ""
    said = tuple(each for each in (cut, called.said) if each)
    teacher = _in_units(replace(teacher, architecture=architecture, notes=said), card, data)
    teacher = arranged(teacher, names, data.classes, "/classes" if spec.classes else "/file")
    network.load_state_dict(fitting(called.weights, network))
    if card is not None and checkpoints.trained_on_others(card.data, card.rows, data):
        return replace(teacher, warnings=(OTHER_SPLIT,))
    return teacher


def read_weights(spec: ModelFormat, path: Path) -> tuple[dict[str, Tensor], str | None, str]:
    """(tensors, text of the card, prefix): the tensors by their names without what wraps a network puts before them.

    Raises Problem teacher_invalid.
    """
    tensors, text = (read_torch(path), None) if spec.format == "torch" else checkpoints.read(path)
    prefix = ""
    while found := [each for each in WRAPPERS if tensors and all(name.startswith(each) for name in tensors)]:
        prefix += found[0]
        tensors = {name.removeprefix(found[0]): tensor for name, tensor in tensors.items()}
    return tensors, text, prefix


def _refuse_other_labels(card: checkpoints.Card | None, data: Data) -> None:
    """A classifier says nothing of numbers, and what predicts numbers nothing of classes."""
    if card is None:
        return
    has = "real numbers" if card.targets is not None else "classes" if card.labels is None else "several labels a row"
    needed = "several labels a row" if data.task.yes_no else "classes" if data.task.targets is None else "real numbers"
    if has == needed:
        return
    title = f"The teacher knows {has}; the labels of this data are {needed}."
    raise Problem("class_mismatch", title, pointer="/file")


def _in_units(teacher: Teacher, card: checkpoints.Card | None, data: Data) -> Teacher:
    """A teacher of regression with answers in units of the data: its card knows how they were standardised."""
    if data.task.targets is None or card is None or card.targets is None:
        return teacher
    targets = checkpoints.targets_of(card)
    if len(targets.names) != len(data.classes):
        title = f"The teacher predicts {len(targets.names)} numbers; this data has {len(data.classes)}."
        raise Problem("class_mismatch", title, pointer="/file")
    return replace(teacher, logits=lambda rows: targets.in_units(teacher.logits(rows)))


def _computes(architecture: AnyArchitecture) -> dict[str, object]:
    """What of an architecture changes its answers: dropout does not."""
    return architecture.model_dump(exclude={"dropout"})


def _encoded(encoding: Encoding, data: Data) -> Tensor:
    """All rows of a table as a teacher of another job encodes them. Raises Problem teacher_mismatch."""
    if data.columns is None:
        title = "The teacher reads the columns of a table by their names, and this data has none."
        raise Problem("teacher_mismatch", title, pointer="/file")
    try:
        return torch.from_numpy(encoding.encode(data.columns.frame))
    except Problem as problem:
        raise Problem("teacher_mismatch", f"The teacher reads a table. {problem.title}", pointer="/file") from problem


def _teacher(
    network: nn.Module, standardise: Standardisation | None, digest: str, size: int, raw: Tensor | None = None
) -> Teacher:
    """standardise: what of a raw row it is shown; None: rows as this job standardises them.

    raw: all rows before the split, where it makes them of a table in a way of its own.
    """

    def inputs(rows: Rows) -> Tensor:
        if standardise is None:
            return rows.x
        return standardise(rows.raw if raw is None else raw[rows.index])

    def logits(rows: Rows) -> Tensor:
        return logits_of(network, inputs(rows), rows.answered)

    return Teacher(
        logits,
        digest,
        network=network,
        inputs=inputs,
        standardisation=standardise,
        bytes=size,
        parameters=parameters(network),
    )


def _standardisation(
    spec: ModelFormat, card: checkpoints.Card | None, data: Data, shape: tuple[int, ...]
) -> Standardisation | None:
    """What of a row the teacher is shown: the card knows best, then the job. None: what the student is shown."""
    if not data.inputs.standardised:
        return None
    if card is not None:
        return checkpoints.standardisation_of(card, shape)
    nothing = Standardisation(torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    return nothing if spec.inputs == "raw" else None


def fitting(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The weights in float32, if they are finite and the network's, tensor by tensor. Raises Problem."""
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        has, needs = (_shape(tensors.get(name)) for tensors in (weights, wanted))
        if has != needs:
            title = f"Tensor {name[:100]!r}: the file has {has}, the architecture needs {needs}."
            if wanted.keys() != weights.keys():
                title += f" It has {_names(weights)}; needed are {_names(wanted)}."
            raise Problem("teacher_mismatch", title, pointer="/file")
        if not weights[name].dtype.is_floating_point or not weights[name].float().isfinite().all():
            raise checkpoints.invalid(f"Tensor {name!r} holds values that are not finite floating-point numbers.")
    return {name: tensor.float() for name, tensor in weights.items()}


def _names(tensors: dict[str, Tensor]) -> str:
    """Some of them: enough to see what a layer is called."""
    shown = [name[:50] for name in list(tensors)[:6]]
    return ", ".join(shown) + (" …" if len(tensors) > len(shown) else "")


def _shape(tensor: Tensor | None) -> str:
    return "no such tensor" if tensor is None else f"shape {tuple(tensor.shape)}"
