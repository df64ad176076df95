"""What a folder gives to networks that are begun from it: its layers, its tokens, and a fresh head."""

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.pretrained import BertShape, Pretrained
from qstill.contract.errors import Problem
from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.networks.pretrained.archive import CARD, CONFIG, LENGTHS, TOKENIZER, WEIGHTS, Folder, unpacked
from workers.distillation.networks.pretrained.classifier import AUTO, TextClassifier
from workers.distillation.networks.pretrained.config import KINDS, Sizes, refuse_too_large, sizes_of
from workers.distillation.networks.pretrained.folder import FIRST_DAY, how_to_use, saved
from workers.distillation.networks.pretrained.lengths import MAX_LENGTH, lengths_of
from workers.distillation.networks.pretrained.library import transformers
from workers.distillation.networks.pretrained.model import loaded
from workers.distillation.networks.pretrained.tokenizer import FolderTokenizer, tokenizer_of

FRESH = ("classifier.", "pre_classifier.")  # tensors of heads, by how their names begin
POOLER = ".pooler."  # of BERT, between its first token's state and the head; many encoders come without one
HEAD_SIZE = 0.02  # standard deviation of its initial weights, as in BERT
COPIES = 4  # of weights in training: gradients, two moments, the best epoch


@dataclass(frozen=True)
class Source:
    """A folder. origin: the id of its file or model. digest: of its zip. tokenizer: for rows of at most so many tokens.

    own: measures of a BERT in place of the folder's layers.
    """

    folder: Folder
    origin: str
    digest: str
    sizes: Sizes
    tokenizer: FolderTokenizer

    @cached_property
    def _loaded(self) -> tuple[Any, list[str]]:
        """With any head, as it is read once."""
        with torch.random.fork_rng(devices=[]):
            return loaded(self.folder, AUTO, may_lack=is_fresh, num_labels=2, ignore_mismatched_sizes=True)

    def network(self, architecture: Pretrained, classes: int) -> TextClassifier:
        """With a fresh head, drawn from torch's generator. Raises Problem: no_such_layer, another_folder."""
        if architecture.origin != self.origin:
            title = "The texts are in the tokens of another folder; all students of a sweep are begun from one."
            raise Problem("another_folder", title, pointer="/student/architecture")
        if architecture.own is not None:
            model = self._own(architecture.own, classes)
        else:
            model = copy.deepcopy(self._loaded[0])
            _keep_first(model, self.sizes, architecture.layers)
            _set_classes(model, classes)
            lacking = {*self._loaded[1]}
            for name, parameter in model.named_parameters():
                if name.startswith(FRESH) or name in lacking:
                    _begin(name, parameter)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(architecture.train == "all" or is_fresh(name))
        return TextClassifier(model, self.tokenizer.pad).train()

    def _own(self, measures: BertShape, classes: int) -> Any:
        library = transformers()
        config = library.BertConfig(
            vocab_size=self.sizes.vocabulary,
            hidden_size=measures.width,
            num_hidden_layers=measures.layers,
            num_attention_heads=measures.heads,
            intermediate_size=measures.inner,
            max_position_embeddings=max(self.tokenizer.length, 2),
            pad_token_id=self.tokenizer.pad,
            num_labels=classes,
        )
        return library.BertForSequenceClassification(config)

    def written(
        self, weights: Mapping[str, Tensor], architecture: Pretrained, classes: Sequence[str], about: Mapping[str, Any]
    ) -> bytes:
        """A zip of a folder that `AutoModelForSequenceClassification` opens; equal ones are equal.

        weights: of a network of this source. about: what else is to be found in it, as JSON.
        """
        config = copy.deepcopy(self.network(architecture, len(classes)).model.config)
        config.id2label = dict(enumerate(classes))
        config.label2id = {name: number for number, name in enumerate(classes)}
        own = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        files = {
            CONFIG: config.to_json_string().encode(),
            WEIGHTS: saved(own),
            TOKENIZER: self.tokenizer.json.encode(),
            LENGTHS[1]: json.dumps(how_to_use(self.tokenizer), indent=2).encode(),
            CARD: json.dumps(dict(about), indent=2, sort_keys=True).encode(),
        }
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), content)
        return written.getvalue()

    def within(self, length: int) -> "Source":
        """The same for rows of at most so many tokens."""
        return replace(self, tokenizer=self.tokenizer.within(length))


def source_of(architecture: Pretrained, path: Path, scratch: Path, *, memory: int) -> Source:
    """scratch: a folder of this process. memory: bytes that a job may take.

    Raises Problem: what archive.py, config.py and tokenizer.py say, no_such_layer, needs_more_memory.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = unpacked(path, scratch / f"begun-{digest[:16]}")
    sizes = sizes_of(folder)
    _refuse_training(architecture, sizes, memory)
    tokenizer = tokenizer_of(
        folder, vocabulary=sizes.vocabulary, pad=sizes.pad, length=min(sizes.positions, MAX_LENGTH, *lengths_of(folder))
    )
    return Source(folder, architecture.origin, digest, sizes, tokenizer)


def is_fresh(name: str) -> bool:
    """Whether a tensor belongs to the head, or stands between the layers and it."""
    return name.startswith(FRESH) or POOLER in f".{name}"


def _refuse_training(architecture: Pretrained, sizes: Sizes, memory: int) -> None:
    refuse_too_large(sizes, memory)
    wanted, depth = architecture.layers, sizes.layers
    if wanted is not None and wanted > depth:
        title = f"The folder's encoder has {depth} layers."
        raise Problem("no_such_layer", title, pointer="/layers", ways_out=[{"layers": depth}])
    if (own := architecture.own) is not None:
        sizes = replace(sizes, kind="bert", layers=own.layers, width=own.width, heads=own.heads, inner=own.inner)
    elif wanted is not None:
        sizes = replace(sizes, layers=wanted)
    needed = sizes.bytes * (1 + (COPIES if architecture.train == "all" else 1))
    if needed > memory:
        title = (
            f"With its gradients and what the optimizer keeps, the network takes some {needed >> 20:,} MiB in "
            f"training; a job may take {memory >> 20:,} MiB."
        )
        ways: list[dict[str, Any]] = [{"train": "head"}, {"layers": max(1, depth // 2)}]
        raise Problem("needs_more_memory", title, pointer="/own" if own else "/layers", ways_out=ways)


def _keep_first(model: Any, sizes: Sizes, count: int | None) -> None:
    """Leave only so many layers, the first ones."""
    if count is None:
        return
    place = f"{model.base_model_prefix}.{KINDS[sizes.kind].blocks}"
    parent, _, name = place.rpartition(".")
    setattr(model.get_submodule(parent), name, nn.ModuleList(list(model.get_submodule(place))[:count]))
    model.config.num_hidden_layers = count


def _set_classes(model: Any, classes: int) -> None:
    """The last layer, with as many answers."""
    linear = [(name, each) for name, each in model.named_modules() if isinstance(each, nn.Linear)]
    named = [(name, each) for name, each in linear if is_fresh(f"{name}.")]
    if not named:
        raise invalid("The folder's kind has no head of linear layers.")
    name, last = named[-1]
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, nn.Linear(last.in_features, classes))
    model.config.num_labels = classes
    model.num_labels = classes


def _begin(name: str, parameter: nn.Parameter) -> None:
    with torch.no_grad():
        if name.endswith("bias"):
            parameter.zero_()
        else:
            parameter.normal_(std=HEAD_SIZE)
