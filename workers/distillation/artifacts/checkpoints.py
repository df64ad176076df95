"""Model files: safetensors whose one metadata entry is a JSON card, so that a model is usable alone.

with safe_open("student-seed-0.safetensors", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # architecture, classes, input_shape, standardisation, tokenizer
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.architectures import family_of as what_is_known_of
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.wording import in_words
from workers.distillation.networks.families import family_of
from workers.distillation.networks.family import Written
from workers.distillation.rows import Standardisation
from workers.distillation.tables.encoding import Encoding
from workers.distillation.tasks.targets import Targets

CARD = "qstill"  # one key only: with two, the bytes of a file would not be reproducible
MAX_TEACHER_BYTES = 1 << 30


class CardTargets(BaseModel):
    """Of regression: the model's answers times std plus mean, number by number, are in the units of the data."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    names: list[str]
    mean: list[float]
    std: list[float]


class Card(BaseModel):
    """What a model needs besides its weights. mean and std: nested lists that broadcast against one input."""

    model_config = ConfigDict(extra="forbid")

    architecture: Architecture
    classes: list[str]
    input_shape: list[int]
    mean: list[Any]
    std: list[Any]
    labels: list[str] | None = None  # where rows have several of them, and so no classes
    targets: CardTargets | None = None  # of regression, which has no classes
    tokenizer: str | None = None  # of text: JSON as the `tokenizers` library reads it
    data: str | None = None  # names the data set that it was trained on
    rows: str | None = None  # names the training split of it
    circuit: Written | None = None  # of networks that are circuits of the user's own
    columns: Encoding | None = None  # of a table: how its columns become inputs


def to_bytes(weights: dict[str, Tensor], architecture: Any, data: Data) -> bytes:
    """A safetensors file, or the zip of a folder; equal models have equal bytes."""
    if data.inputs.source is not None and ending_of(architecture) == ".zip":
        about = {
            "architecture": architecture.model_dump(mode="json", exclude_none=True),
            "data": data.digest,
            "rows": rows_digest(data),
        }
        return data.inputs.source.written(weights, architecture, data.task.class_names, about)
    card = Card(
        architecture=architecture,
        classes=list(data.task.class_names),  # those of a language model are its tokenizer's tokens
        labels=data.task.names if data.task.yes_no else None,
        input_shape=list(data.input_shape),
        mean=data.standardisation.mean.tolist(),
        std=data.standardisation.std.tolist(),
        targets=None if data.task.targets is None else _told(data.task.targets),
        tokenizer=data.inputs.tokenizer,
        data=data.digest,
        rows=rows_digest(data),
        circuit=family_of(architecture).written(architecture),
        columns=data.encoding,
    )
    tensors = {name: weights[name].contiguous() for name in sorted(weights)}
    return save(tensors, metadata={CARD: json.dumps(card.model_dump(mode="json", exclude_none=True), sort_keys=True)})


def ending_of(architecture: Any) -> str:
    """Of the name of its file."""
    return what_is_known_of(architecture).ending


def rows_digest(data: Data) -> str:
    """Names the training split by the numbers of its rows; of language models, of its texts."""
    texts = data.task.members
    rows = data.train.index if texts is None else torch.tensor(texts[0])
    return hashlib.sha256(rows.numpy().tobytes()).hexdigest()


def trained_on_others(of_data: str | None, rows: str | None, data: Data) -> bool:
    """Whether a model of the same data was trained on another split of it: on some of these test rows, then.

    of_data, rows: as its card names them.
    """
    return rows is not None and of_data == data.digest and rows != rows_digest(data)


def _told(targets: Targets) -> CardTargets:
    return CardTargets(names=targets.names, mean=targets.mean.tolist(), std=targets.std.tolist())


def read(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """The tensors of an uploaded file, and its card's text if it has one. Raises Problem teacher_invalid."""
    with _opened(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        return tensors, (file.metadata() or {}).get(CARD)


def read_card(path: Path) -> str | None:
    """The card's text alone. Raises Problem teacher_invalid."""
    with _opened(path) as file:
        return (file.metadata() or {}).get(CARD)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if path.stat().st_size > MAX_TEACHER_BYTES:
        raise invalid(f"The file is larger than {MAX_TEACHER_BYTES} bytes.")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise invalid(f"The file is not a whole safetensors file: {in_words(error)}.") from error


def is_recommender(text: str) -> bool:
    """Whether a card is that of a recommender, which names users and items; see recommenders/checkpoints.py."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("domain") == "recommender"


def card_of(text: str) -> Card:
    """Raises Problem teacher_invalid."""
    if is_recommender(text):
        raise invalid("This model is a recommender: it knows users and items, and says nothing of rows.")
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        raise invalid("The card in the file's metadata cannot be read.") from error


def targets_of(card: Card) -> Targets:
    """What a model of regression predicts. Raises Problem teacher_invalid."""
    assert card.targets is not None
    told = card.targets
    if not len(told.names) == len(told.mean) == len(told.std) > 0 or min(told.std) <= 0:
        raise invalid("The card's targets are not as many means and positive deviations as names.")
    mean, std = (torch.tensor(part, dtype=torch.float64) for part in (told.mean, told.std))
    return Targets(told.names, mean, std)


def standardisation_of(card: Card, input_shape: tuple[int, ...]) -> Standardisation:
    """How the model of a card wants its inputs. Raises Problem teacher_invalid or teacher_mismatch."""
    try:
        mean, std = (torch.tensor(part, dtype=torch.float64) for part in (card.mean, card.std))
    except (ValueError, TypeError, RuntimeError) as error:
        raise invalid("The card in the file's metadata cannot be read.") from error
    if tuple(card.input_shape) != input_shape or not _broadcasts(mean, std, input_shape):
        title = f"The teacher takes inputs of shape {tuple(card.input_shape)}; this data has {input_shape}."
        raise Problem("teacher_mismatch", title, pointer="/file")
    if not (mean.isfinite().all() and std.isfinite().all() and (std > 0).all()):
        raise invalid("The card's standardisation is not finite and positive.")
    return Standardisation(mean, std)


def _broadcasts(mean: Tensor, std: Tensor, shape: tuple[int, ...]) -> bool:
    try:
        return all(part.expand(shape).shape == shape for part in (mean, std))
    except RuntimeError:
        return False


def invalid(title: str) -> Problem:
    """The problem of an uploaded teacher that cannot be read. Its pointer is below the teacher's."""
    return Problem("teacher_invalid", title, pointer="/file")
