"""Tokenizers, all in the JSON format of the `tokenizers` library, which many programs read.

Tokens 0, 1 and 2 are padding, what is unknown, and the end of a text, and 3 is the mask of masked language models; a
text that spells them out means letters.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from qstill.contract.distillations.tokenizers import BpeTokenizer, CharacterTokenizer, Trainable
from qstill.contract.errors import Problem
from workers.distillation.networks.texts.tokens import PAD, UNKNOWN_TOKEN

SPECIAL = ["<pad>", "<unk>", "<end>"]
MASK_TOKEN = "<mask>"  # noqa: S105 (no secret); masked language models alone have it
LEAST_ORDINARY = 2  # tokens besides the special ones: with one there is nothing to tell apart

assert SPECIAL[PAD] == "<pad>"  # what the networks leave out


@dataclass(frozen=True)
class Tokenizer:
    """json: as the library reads it. digest: names it; models understand one another only with the same one."""

    json: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.json.encode()).hexdigest()

    @cached_property
    def _made(self) -> tokenizers.Tokenizer:
        made = tokenizers.Tokenizer.from_str(self.json)
        made.encode_special_tokens = True  # "<end>" in a text is five characters of it
        return made

    @property
    def vocabulary(self) -> list[str]:
        """The tokens, by their numbers."""
        return [token for token, _ in sorted(self._made.get_vocab().items(), key=lambda item: item[1])]

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Numbers of each text's tokens."""
        return [encoding.ids for encoding in self._made.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of some tokens, without the special ones."""
        return str(self._made.decode(list(tokens), skip_special_tokens=True))


def uploaded(text: str) -> Tokenizer:
    """A tokenizer of somebody's file. Raises Problem tokenizer_invalid."""
    made = Tokenizer(text)
    try:
        numbers = made._made.get_vocab()
    except Exception as error:  # the library raises nothing more special
        title = "The tokenizer in the model's card is not in the format of the `tokenizers` library."
        raise Problem("tokenizer_invalid", title) from error
    if sorted(numbers.values()) != list(range(len(numbers))) or made.vocabulary[: len(SPECIAL)] != SPECIAL:
        title = f"The tokens in the model's card are not numbered from 0, {', '.join(SPECIAL)} first."
        raise Problem("tokenizer_invalid", title)
    return made


def trained(spec: Trainable, texts: Sequence[str], *, masks: bool = False) -> Tokenizer:
    """A tokenizer of these texts; the same texts give the same one. Raises Problem vocabulary_too_small.

    masks: whether it has a token for a mask.
    """
    special = [*SPECIAL, MASK_TOKEN] if masks else SPECIAL
    if isinstance(spec, BpeTokenizer):
        made = tokenizers.Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        trainer: trainers.Trainer = trainers.BpeTrainer(
            vocab_size=spec.vocabulary,
            special_tokens=special,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
    else:
        made = tokenizers.Tokenizer(models.WordLevel(unk_token=SPECIAL[UNKNOWN_TOKEN]))
        trainer = trainers.WordLevelTrainer(
            vocab_size=spec.vocabulary, special_tokens=special, min_frequency=0, show_progress=False
        )
        if isinstance(spec, CharacterTokenizer):
            made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
            made.decoder = decoders.Fuse()
        else:
            made.normalizer = normalizers.Lowercase()
            made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(texts, trainer)
    found = Tokenizer(json.dumps(json.loads(made.to_str()), sort_keys=True, separators=(",", ":")))
    ordinary = len(found.vocabulary) - len(special)
    if ordinary < LEAST_ORDINARY:
        title = f"The training texts have {ordinary} different tokens; at least {LEAST_ORDINARY} are needed."
        raise Problem("vocabulary_too_small", title, pointer="/dataset/tokenizer")
    return found
