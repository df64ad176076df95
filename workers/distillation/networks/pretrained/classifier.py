"""A folder with a head for classes, `…ForSequenceClassification` of `transformers`: token numbers to logits."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qstill.contract.errors import Problem
from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.networks.network import Features
from workers.distillation.networks.pretrained.archive import CONFIG, Folder
from workers.distillation.networks.pretrained.config import document, labels_of, refuse_too_large, sizes_of
from workers.distillation.networks.pretrained.encoder import trimmed
from workers.distillation.networks.pretrained.lengths import MAX_LENGTH, lengths_of
from workers.distillation.networks.pretrained.model import loaded, tensor_names
from workers.distillation.networks.pretrained.tokenizer import FolderTokenizer, tokenizer_of
from workers.distillation.networks.texts.tokens import TokenNetwork

HEAD = "classifier."  # how the names of a head's tensors begin, in every kind that is read
AUTO = "AutoModelForSequenceClassification"
OTHER_ANSWERS = ("multi_label_classification", "regression")  # of a head, by `problem_type`


class TextClassifier(TokenNetwork):
    """Tokens (batch, tokens), filled up with `pad`; logits (batch, classes). model: of `transformers`.

    Feature: `pool`, the mean of the last layer's states.
    """

    def __init__(self, model: Any, pad: int) -> None:
        super().__init__()
        self.model = model
        self.pad = pad

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        x = trimmed(x, self.pad) if bool((x != self.pad).any()) else x
        return self.answers(x, seen)

    def answers(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """The same of tokens as they are: a first one is always there, so that there is something to attend to."""
        real = (x != self.pad) | (torch.arange(x.shape[1], device=x.device) == 0)
        found = self.model(input_ids=x, attention_mask=real.long(), output_hidden_states=seen is not None)
        if seen is not None:
            there = real.unsqueeze(2).to(found.hidden_states[-1].dtype)
            seen["pool"] = (found.hidden_states[-1] * there).sum(1) / there.sum(1)
        logits: Tensor = found.logits
        return logits

    def portable(self) -> nn.Module:
        """Without a look at how long rows are."""
        return _AsTheyAre(self)

    def multiply_adds(self, given: tuple[Tensor, ...], answer: Tensor) -> int:
        """Of queries with keys, and of weights with values; linear layers are counted as such."""
        config, tokens = self.model.config, given[0].shape[1]
        return int(2 * config.num_hidden_layers * tokens * tokens * config.hidden_size)


class _AsTheyAre(nn.Module):
    def __init__(self, network: TextClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.answers(x)


@dataclass(frozen=True)
class Classifier:
    """One that somebody made. names: of its classes, in the order of its answers. notes: on how it was read."""

    network: TextClassifier
    tokenizer: FolderTokenizer
    names: list[str]
    notes: tuple[str, ...]


def has_head(folder: Folder) -> bool:
    """Whether its weights end in answers of classes. Raises Problem teacher_invalid."""
    return any(name.startswith(HEAD) for name in tensor_names(folder))


def classifier_of(folder: Folder, *, memory: int) -> Classifier:
    """memory: bytes that a job may take. Raises Problem: what config.py and tokenizer.py say, and no_head."""
    sizes, config = sizes_of(folder), document(folder, CONFIG)
    refuse_too_large(sizes, memory)
    names = names_of(config)
    tokenizer = tokenizer_of(
        folder, vocabulary=sizes.vocabulary, pad=sizes.pad, length=min(sizes.positions, MAX_LENGTH, *lengths_of(folder))
    )
    if not has_head(folder):
        title = "The folder is an encoder: it has no head that answers classes, and would have to be fine-tuned first."
        way = {"source": "train", "architecture": {"kind": "pretrained", "file": "the same file"}}
        raise Problem("no_head", title, pointer="/file", ways_out=[{"teacher": way}])
    model, _ = loaded(folder, AUTO, may_lack=lambda _: False)
    return Classifier(TextClassifier(model, sizes.pad).eval(), tokenizer, names, folder.notes)


def names_of(config: dict[str, Any]) -> list[str]:
    """Of a head's classes. Raises Problem teacher_invalid where it answers something else."""
    names, kind = labels_of(config), config.get("problem_type")
    if names is None:
        count = config.get("num_labels")
        names = [f"LABEL_{number}" for number in range(count if isinstance(count, int) else 2)]  # as the library does
    if len(names) < 2 or kind in OTHER_ANSWERS:
        said = str(kind) if kind in OTHER_ANSWERS else "one number"
        raise invalid(f"The head answers otherwise than with one of several classes: config.json says {said}.")
    return names
