"""Tokenizers of models from elsewhere, renumbered: padding, what is unknown and the end of a text first, then the mask
of masked language models.

Every network and every task here counts on those numbers. The model's own numbers are kept beside, for whoever
asks it, and so that its answers are read right.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import tokenizers

from qstill.contract.errors import Problem
from workers.distillation.data.tokenizer import MASK_TOKEN, SPECIAL, Tokenizer
from workers.distillation.networks.texts.tokens import END, PAD, UNKNOWN_TOKEN

READ = ("BPE", "WordLevel", "WordPiece")  # a vocabulary of names and numbers
MAX_TOKENIZER_BYTES = 64 << 20  # of a file; the largest in use have 17 MB
MAX_TOKENS = 300_000  # the largest in use have 262,144; an answer has a number for each
ENDS = ("<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "<|im_end|>", "<end>", "[SEP]")
MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True)
class Adopted:
    """tokenizer: renumbered. theirs: what the model calls each of its tokens; -1: no token of the model.

    content: the file as it came.
    """

    tokenizer: Tokenizer
    theirs: list[int]
    content: str

    @cached_property
    def original(self) -> tokenizers.Tokenizer:
        """As the model knows it."""
        return tokenizers.Tokenizer.from_str(self.content)

    @cached_property
    def marks(self) -> tuple[list[int], list[int]]:
        """What the model has before and after each text, by its own numbers."""
        both = self.original.encode("", add_special_tokens=True).ids
        half = -(-len(both) // 2)
        return both[:half], both[half:]

    @cached_property
    def ours(self) -> dict[int, int]:
        """The new number of each of the model's."""
        return {number: ours for ours, number in enumerate(self.theirs) if number >= 0}


def adopted(content: bytes, end_of_text: str | None, *, masks: bool = False) -> Adopted:
    """A model's tokenizer.json. end_of_text: the token that stands between texts; None: one of the usual names.

    masks: whether there has to be a token for a mask. Raises Problem tokenizer_invalid, pointing to `/tokenizer` or
    `/end_of_text` of the teacher.
    """
    text, told, numbers = _read(content)
    first = [*SPECIAL, MASK_TOKEN] if masks else SPECIAL
    if sorted(numbers, key=lambda token: numbers[token])[: len(first)] == first:
        return Adopted(Tokenizer(text), list(range(len(numbers))), text)
    end = _end(end_of_text, numbers)
    renamed = {end: SPECIAL[END]}
    if masks:
        renamed[_mask(numbers)] = MASK_TOKEN
    unknown = told["model"].get("unk_token")
    if isinstance(unknown, str) and unknown in numbers and unknown != end:
        renamed[unknown] = SPECIAL[UNKNOWN_TOKEN]
    taken = [name for name in first if name in numbers and name not in renamed and name != SPECIAL[PAD]]
    if taken:
        title = f"The tokenizer has a token {taken[0]!r} besides the one that means this here."
        raise _invalid(title)
    new = {name: number for number, name in enumerate(first)}
    theirs = [-1] * len(first)
    theirs[PAD] = numbers.get(SPECIAL[PAD], -1)
    for name, mark in renamed.items():
        theirs[new[mark]] = numbers[name]
    for token, number in sorted(numbers.items(), key=lambda each: each[1]):
        if token not in renamed and token not in new:
            new[token] = len(theirs)
            theirs.append(number)
    return Adopted(_renumbered(told, new, renamed, first), theirs, text)


def _read(content: bytes) -> tuple[str, dict[str, Any], dict[str, int]]:
    """(text, as JSON, tokens and their numbers)."""
    if len(content) > MAX_TOKENIZER_BYTES:
        raise _invalid(f"The tokenizer has {len(content) >> 20} MiB; at most {MAX_TOKENIZER_BYTES >> 20} are read.")
    try:
        text = content.decode()
        made = tokenizers.Tokenizer.from_str(text)
        told = json.loads(text)
    except Exception as error:  # the library raises nothing more special
        title = "The file is no tokenizer.json, the format of the `tokenizers` library."
        raise _invalid(title) from error
    if (kind := told["model"].get("type")) not in READ:
        raise _invalid(f"The tokenizer is a {kind}; read are {', '.join(READ)}.")
    numbers = made.get_vocab(with_added_tokens=True)
    if len(numbers) > MAX_TOKENS:
        raise _invalid(f"The tokenizer has {len(numbers):,} tokens; at most {MAX_TOKENS:,} are learned.")
    return text, told, numbers


def _end(named: str | None, numbers: dict[str, int]) -> str:
    found = named if named is not None else next((each for each in ENDS if each in numbers), None)
    if found is None or found not in numbers:
        said = "none of the usual names for the end of a text" if found is None else f"no token {found!r}"
        title = f"The tokenizer has {said}: name the token that stood between texts where the model learned."
        marks = [token for token in sorted(numbers, key=lambda each: numbers[each]) if token[:1] in "<["]
        raise Problem(
            "tokenizer_invalid", title, pointer="/end_of_text", ways_out=[{"end_of_text": each} for each in marks[:5]]
        )
    return found


def _mask(numbers: dict[str, int]) -> str:
    found = next((each for each in MASKS if each in numbers), None)
    if found is None:
        raise _invalid(f"The tokenizer has no token for a mask, {' or '.join(MASKS)}.")
    return found


def _renumbered(told: dict[str, Any], new: dict[str, int], renamed: dict[str, str], first: list[str]) -> Tokenizer:
    """new: the number of each name, of those in `renamed` by the new name. first: the marks of this house."""
    model = told["model"] | {"vocab": new}
    unknown = model.get("unk_token")
    if unknown is not None:
        model["unk_token"] = renamed.get(unknown, unknown if unknown in new else SPECIAL[UNKNOWN_TOKEN])
    marks = {each["content"]: each for each in told.get("added_tokens") or ()}
    added = [_mark(name, number) for number, name in enumerate(first)]
    added += [each | {"id": new[name]} for name, each in marks.items() if name in new and name not in first]
    made = told | {"model": model, "added_tokens": sorted(added, key=lambda each: int(each["id"]))}
    made |= {"post_processor": None, "truncation": None, "padding": None}  # rows are cut and filled up here
    text = json.dumps(made)
    try:
        whole = tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing more special
        raise _invalid("The tokenizer cannot be renumbered: its parts name tokens that it does not have.") from error
    if whole.get_vocab(with_added_tokens=True) != new:
        raise _invalid("The tokenizer cannot be renumbered: its parts contradict one another.")
    return Tokenizer(json.dumps(json.loads(whole.to_str()), sort_keys=True, separators=(",", ":")))


def _mark(name: str, number: int) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": name, **plain, "special": True}


def _invalid(title: str) -> Problem:
    return Problem("tokenizer_invalid", title, pointer="/tokenizer")
