"""Checkpoints of torch.save, read as data: a dict of plain tensors, and nothing that would have to be run.

`weights_only` allows few types, but some of those are views of memory that no file filled; what is read here is brought
to plain strided tensors with bytes of their own, as a safetensors file holds them.
"""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints

NESTED = ("state_dict", "model_state_dict", "model")  # where training loops put the weights
MAX_TENSORS = 10_000


def read_torch(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name. Raises Problem teacher_invalid."""
    _look_at_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError, TypeError, AttributeError) as error:
        title = "The checkpoint holds more than tensors, which could only be read by running it; save its state_dict()."
        raise _invalid(title) from error
    for name in NESTED:
        if isinstance(loaded, dict) and isinstance(loaded.get(name), dict):
            loaded = loaded[name]
            break
    if not isinstance(loaded, dict) or not loaded or len(loaded) > MAX_TENSORS:
        raise _invalid("The checkpoint is no dict of tensors; save the network's state_dict().")
    return {str(name): _plain(str(name), value) for name, value in loaded.items()}


def _look_at_archive(path: Path) -> None:
    """Refuse what is no zip of torch.save, unpacks to more than it is, or is a program."""
    if path.stat().st_size > checkpoints.MAX_TEACHER_BYTES:
        raise _invalid(f"The file is larger than {checkpoints.MAX_TEACHER_BYTES} bytes.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise _invalid("The file is not a checkpoint of torch.save (torch 1.6 or later).") from error
    names = [member.filename for member in members]
    if any("/code/" in f"/{name}" or name.endswith("constants.pkl") for name in names):
        raise _invalid("This is TorchScript, which is a program; save the network's state_dict(), or export to ONNX.")
    if any(name.endswith(("archive_format", "serialized_exported_program.json")) for name in names):
        raise _invalid("This is a .pt2 program; save the network's state_dict(), or export to ONNX.")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise _invalid("The archive is compressed, which torch.save never does.")
    if sum(member.file_size for member in members) > checkpoints.MAX_TEACHER_BYTES:
        raise _invalid(f"The archive unpacks to more than {checkpoints.MAX_TEACHER_BYTES} bytes.")


def _plain(name: str, value: Any) -> Tensor:
    if type(value) not in (Tensor, torch.nn.Parameter) or value.layout != torch.strided or value.is_quantized:
        raise _invalid(f"{name[:100]!r} is no plain tensor.")
    if value.device.type != "cpu":
        raise _invalid(f"Tensor {name[:100]!r} has no values.")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise _invalid(f"Tensor {name[:100]!r} claims more values than its storage holds.")
    plain: Tensor = value.detach().clone(memory_format=torch.contiguous_format)
    return plain


def _invalid(title: str) -> Problem:
    return checkpoints.invalid(title)
