"""Teachers of every origin, brought to one form: something that answers rows with logits."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from app.distillations.teachers import SoftLabels, UploadedTeacher
from app.errors import Problem
from workers.distillation import checkpoints
from workers.distillation.data import Data, Rows, preprocessing_digest
from workers.distillation.read import Unreadable, read_npy, read_npz
from workers.distillation.signals import Signal, signal_digest
from workers.distillation.students import build, logits_of

SUM_TOLERANCE = 1e-3  # of a row of probabilities; half precision and printed digits stay within it
SMALLEST_PROBABILITY = torch.finfo(torch.float32).tiny  # stands in for 0, whose logarithm no loss survives


@dataclass(frozen=True)
class Teacher:
    """logits: rows to (rows, classes), float32. digest: names it.

    network, inputs: the network and what of a row it is shown, or None where only answers are known.
    bytes: the size of its file, or 0.
    """

    logits: Callable[[Rows], Tensor]
    digest: str
    network: nn.Module | None = None
    inputs: Callable[[Rows], Tensor] | None = None
    bytes: int = 0


def signal_of(teacher: Teacher, data: Data) -> Signal:
    """What the teacher says about every training row; computed once for all students."""
    key = signal_digest(data=data.digest, preprocessing=preprocessing_digest(data), teacher=teacher.digest)
    return Signal(teacher.logits(data.train), key)


def trained(network: nn.Module, file: bytes) -> Teacher:
    """A network that this job trained on its own standardised inputs. file: its published checkpoint."""
    digest = hashlib.sha256(file).hexdigest()
    return Teacher(lambda rows: logits_of(network, rows.x), digest, network, lambda rows: rows.x, len(file))


def uploaded(spec: UploadedTeacher, data: Data, files: Mapping[str, Path]) -> Teacher:
    """A teacher from uploaded weights. Raises Problem: teacher_mismatch, teacher_invalid, architecture_mismatch."""
    network = build(spec.architecture, data.input_shape, len(data.classes), seed=0, pointer="/teacher/architecture")
    path = files[spec.file]
    weights, card = checkpoints.read(path)
    network.load_state_dict(_fitting(weights, network))
    inputs = _inputs_of(spec, card, data)
    file = path.read_bytes()
    digest = hashlib.sha256(file + spec.inputs.encode()).hexdigest()
    return Teacher(lambda rows: logits_of(network, inputs(rows)), digest, network, inputs, len(file))


def _inputs_of(spec: UploadedTeacher, card: str | None, data: Data) -> Callable[[Rows], Tensor]:
    """What of a row the teacher is shown: the card knows best, then the job."""
    if card is not None:
        standardise = checkpoints.standardisation_of(card, data.input_shape)
        return lambda rows: standardise(rows.raw)
    return (lambda rows: rows.raw) if spec.inputs == "raw" else (lambda rows: rows.x)


def _fitting(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The weights in float32, if they are finite and the network's, tensor by tensor."""
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | weights.keys()):
        has, needs = (_shape(tensors.get(name)) for tensors in (weights, wanted))
        if has != needs:
            title = f"Tensor {name!r}: the file has {has}, the architecture needs {needs}."
            raise Problem("teacher_mismatch", title, pointer="/teacher/file")
        if not weights[name].dtype.is_floating_point or not weights[name].float().isfinite().all():
            raise checkpoints.invalid(f"Tensor {name!r} holds values that are not finite floating-point numbers.")
    return {name: tensor.float() for name, tensor in weights.items()}


def _shape(tensor: Tensor | None) -> str:
    return "no such tensor" if tensor is None else f"shape {tuple(tensor.shape)}"


def from_soft_labels(spec: SoftLabels, data: Data, files: Mapping[str, Path]) -> Teacher:
    """A teacher that is only known by its answers. Raises Problem: soft_labels_mismatch, soft_labels_invalid."""
    answers = _read_soft_labels(files[spec.file])
    wanted = (data.total, len(data.classes))
    if answers.ndim != 2 or tuple(answers.shape) != wanted:
        title = f"The soft labels have shape {tuple(answers.shape)}; the data needs {wanted}, rows by classes."
        raise Problem("soft_labels_mismatch", title, pointer="/teacher/file")
    wrong = (~answers.isfinite().all(1)).nonzero()
    if len(wrong):
        raise _invalid(f"Row {int(wrong[0])} holds a value that is not finite in single precision.")
    if spec.kind == "probabilities":
        answers = _logarithms(answers)
    digest = hashlib.sha256(spec.kind.encode() + answers.numpy().tobytes()).hexdigest()
    return Teacher(lambda rows: answers.index_select(0, rows.index), digest)


def _read_soft_labels(path: Path) -> Tensor:
    try:
        with path.open("rb") as stream:
            is_archive = stream.read(2) == b"PK"
        arrays = list(read_npz(path).values()) if is_archive else [read_npy(path)]
    except Unreadable as error:
        raise _invalid(str(error)) from error
    if len(arrays) != 1:
        raise _invalid(f"The archive holds {len(arrays)} arrays; one is needed.")
    return torch.from_numpy(arrays[0].astype("float64")).float()


def _logarithms(probabilities: Tensor) -> Tensor:
    """Logits whose softmax the probabilities are."""
    sums = probabilities.sum(1)
    wrong = ((probabilities < 0).any(1) | ((sums - 1).abs() > SUM_TOLERANCE)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise _invalid(f"Row {row} is not a distribution: its values sum to {sums[row]:.6g} or are negative.")
    return probabilities.clamp(min=SMALLEST_PROBABILITY).log()


def _invalid(title: str) -> Problem:
    return Problem("soft_labels_invalid", title, pointer="/teacher/file")
