"""Language models out of a folder, `…ForCausalLM` and `…ForMaskedLM` of `transformers`, by the tokens of this house."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import tokenizers
import torch
from torch import Tensor

from qstill.contract.errors import Problem
from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.data.adopted import Adopted, adopted
from workers.distillation.networks.network import Features
from workers.distillation.networks.pretrained.archive import CONFIG, TOKENIZER, Folder, remote_code
from workers.distillation.networks.pretrained.config import (
    KINDS,
    MAX_LAYERS,
    Kind,
    Sizes,
    document,
    number_in,
    refuse_too_large,
)
from workers.distillation.networks.pretrained.model import loaded
from workers.distillation.networks.pretrained.tokenizer import tokenizer_of
from workers.distillation.networks.texts.tokens import PAD, TokenNetwork

LEAST = -1e4  # the logit of a token that the model does not have: no probability, and a number all the same
_USUAL = Kind(blocks="model.layers")
CAUSAL = {
    "gpt2": Kind("n_layer", "n_embd", "n_head", "n_inner", "n_positions", "transformer.h"),
    "llama": _USUAL,
    "mistral": _USUAL,
    "qwen2": _USUAL,
    "gpt_neox": Kind(blocks="gpt_neox.layers"),
}
GATED = ("llama", "mistral", "qwen2")  # their feed-forward layers have a third matrix


class LanguageNetwork(TokenNetwork):
    """Tokens of this house (batch, tokens); logits (batch·tokens, vocabulary) of the same. model: of `transformers`.

    Each row stands between the model's own marks, of which nothing is answered.
    """

    theirs: Tensor

    def __init__(self, model: Any, known: Adopted, *, causal: bool) -> None:
        super().__init__()
        self.model, self.causal = model, causal
        self.before, self.after = known.marks[0], [] if causal else known.marks[1]
        self.register_buffer("theirs", torch.tensor(known.theirs), persistent=False)

    def forward(self, x: Tensor, seen: Features | None = None, answered: Tensor | None = None) -> Tensor:
        """Logits. answered: (batch, tokens), the only tokens that are answered, one after the other; None: all."""
        lengths = (x != PAD).sum(1)
        first, more = len(self.before), len(self.before) + len(self.after)
        given = torch.zeros(len(x), x.shape[1] + more, dtype=torch.int64, device=x.device)
        given[:, :first] = torch.tensor(self.before, dtype=torch.int64, device=x.device)
        given[:, first : first + x.shape[1]] = self.theirs[x].clamp(min=0)
        rows = torch.arange(len(x), device=x.device)
        for place, mark in enumerate(self.after):
            given[rows, first + lengths + place] = mark
        there = torch.arange(given.shape[1], device=x.device) < (lengths + more).clamp(min=1)[:, None]
        logits: Tensor = self.model(input_ids=given, attention_mask=there.long()).logits
        logits = logits[:, first : first + x.shape[1]]
        logits = logits.flatten(0, 1) if answered is None else logits[answered]
        named = logits.index_select(1, self.theirs.clamp(min=0))
        return named.masked_fill(self.theirs < 0, LEAST)


@dataclass(frozen=True)
class LanguageModel:
    """One that somebody made. multiply_adds: of a row of so many tokens, as counted from its sizes."""

    network: LanguageNetwork
    known: Adopted
    sizes: Sizes
    notes: tuple[str, ...]

    def multiply_adds(self, tokens: int) -> int:
        """Of weights with states, and of queries with keys and weights with values."""
        sizes = self.sizes
        looked_up = (sizes.vocabulary + sizes.positions + sizes.segments) * sizes.width
        matrices = sizes.parameters - looked_up + sizes.vocabulary * sizes.width
        return tokens * matrices + 2 * sizes.layers * tokens * tokens * sizes.width


def tokens_of(folder: Folder, *, causal: bool) -> Adopted:
    """Its tokenizer, by the numbers of this house. Raises Problem: tokenizer_invalid, tokenizer_mismatch."""
    sizes = language_sizes(folder, causal=causal)
    tokenizer_of(folder, vocabulary=sizes.vocabulary, pad=0, length=sizes.positions)
    config, content = document(folder, CONFIG), folder.text(TOKENIZER)
    end = config.get("eos_token_id")
    end = end[0] if isinstance(end, list) and end else end
    try:
        named = next((token for token, number in _numbers(content) if number == end), None) if causal else None
        return adopted(content.encode(), named, masks=not causal)
    except Problem as problem:
        problem.pointer = "/file"
        raise


def _numbers(content: str) -> Iterable[tuple[str, int]]:
    """The tokens of a file that has been looked at, and their numbers."""
    return tokenizers.Tokenizer.from_str(content).get_vocab(with_added_tokens=True).items()


def language_model(folder: Folder, *, causal: bool, memory: int, length: int) -> LanguageModel:
    """causal: whether it says what comes next, and not what is hidden. memory: bytes that a job may take. length:
    tokens of a row.

    Raises Problem: what config.py and tokenizer.py say, and teacher_mismatch.
    """
    sizes = language_sizes(folder, causal=causal)
    refuse_too_large(sizes, memory)
    known = tokens_of(folder, causal=causal)
    room = sizes.positions - sum(map(len, known.marks))
    if length > room:
        title = f"The model reads {room} tokens at once besides its own marks; this job's rows have {length}."
        raise Problem("teacher_mismatch", title, pointer="/file", ways_out=[{"dataset": {"max_length": room}}])
    auto = "AutoModelForCausalLM" if causal else "AutoModelForMaskedLM"
    model, _ = loaded(folder, auto, may_lack=lambda _: False)
    return LanguageModel(LanguageNetwork(model, known, causal=causal).eval(), known, sizes, folder.notes)


def language_sizes(folder: Folder, *, causal: bool) -> Sizes:
    """Raises Problem: teacher_invalid, teacher_mismatch, remote_code, encoder_unknown."""
    config = document(folder, CONFIG)
    if "auto_map" in config:
        raise remote_code("config.json names programs that make the model (`auto_map`).")
    name = config.get("model_type")
    kinds, others = (CAUSAL, KINDS) if causal else (KINDS, CAUSAL)
    if isinstance(name, str) and name in others:
        does, task = (
            ("finds what is hidden", "masked_language_modelling") if causal else ("goes on", "language_modelling")
        )
        title = f"config.json says that this is a {name}, which {does}: it teaches {task}."
        raise Problem("teacher_mismatch", title, pointer="/file", ways_out=[{"dataset": {"task": task}}])
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        title = f"config.json says that this is a {str(name)[:60]!r}; read are {', '.join(kinds)}."
        way = {"note": "let a server answer for it: a teacher of the source `served`"}
        raise Problem("encoder_unknown", title, pointer="/file", ways_out=[way])
    if config.get("quantization_config") is not None:
        raise invalid("The weights are quantised; those of single or half precision are read.")
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    width = number_in(config, kind.width)
    inner = number_in(config, kind.inner) if config.get(kind.inner) is not None else 4 * width
    positions = number_in(config, kind.positions) - kind.offset
    return Sizes(
        kind=str(name),
        layers=number_in(config, kind.layers, most=MAX_LAYERS),
        width=width,
        heads=number_in(config, kind.heads),
        inner=inner * 3 // 2 if name in GATED else inner,
        vocabulary=number_in(config, "vocab_size"),
        positions=min(positions, window) if isinstance(window, int) and window > 0 else positions,
        pad=0,
    )
