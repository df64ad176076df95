"""A network out of a folder, by the class of `transformers` that its purpose asks for."""

from collections.abc import Callable
from typing import Any

from safetensors import SafetensorError, safe_open

from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.data.files.wording import in_words
from workers.distillation.networks.pretrained.archive import WEIGHTS, Folder
from workers.distillation.networks.pretrained.library import transformers

FAULTS = (OSError, ValueError, RuntimeError, TypeError, KeyError, AttributeError, ImportError, SafetensorError)


def loaded(folder: Folder, auto: str, *, may_lack: Callable[[str], bool], **options: Any) -> tuple[Any, list[str]]:
    """(the network in single precision, names of tensors that the folder lacks and that are random).

    auto: a class of the library, as `AutoModel`; its sizes have been looked at. may_lack: tensors that a network does
    without. options: of its configuration. Nothing of the folder is run. Raises Problem teacher_invalid.
    """
    try:
        model, found = getattr(transformers(), auto).from_pretrained(
            folder.path,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            dtype="float32",
            **options,
        )
    except FAULTS as error:
        raise invalid(f"The weights are not those of config.json: {in_words(error)}.") from error
    missing = sorted({*found["missing_keys"], *(name for name, *_ in found.get("mismatched_keys", ()))})
    if lacking := [name for name in missing if not may_lack(name)]:
        raise invalid(f"{WEIGHTS} has not all that config.json speaks of: {lacking[0]!r} is missing.")
    return model, missing


def tensor_names(folder: Folder) -> list[str]:
    """Of all tensors in a folder's weights, with none of them read. Raises Problem teacher_invalid."""
    found: list[str] = []
    for name in folder.weights:
        try:
            with safe_open(folder.path / name, framework="pt") as file:
                found += file.keys()
        except (SafetensorError, OSError, ValueError) as error:
            raise invalid(f"{name} is no whole safetensors file: {in_words(error)}.") from error
    return found
