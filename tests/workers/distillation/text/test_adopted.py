"""Tokenizers from elsewhere keep their tokens under other numbers: texts read the same by both."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from tests.testing.openai_server import byte_pairs
from tests.testing.refusals import problem_of
from workers.distillation.data.adopted import MAX_TOKENIZER_BYTES, Adopted, adopted
from workers.distillation.data.tokenizer import SPECIAL, uploaded
from workers.distillation.networks.texts.tokens import END, PAD, UNKNOWN_TOKEN

TEXTS = ["the cat sleeps", "a Bär — eats <|endoftext|> honey", "unheard-of words\n and <unk>, <pad> or [SEP]"]


def gpt2() -> tokenizers.Tokenizer:
    made = byte_pairs(TEXTS[:2] * 3, 280)
    made.add_special_tokens(["<|im_start|>"])  # behind all others
    return made


def bert() -> tokenizers.Tokenizer:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sleep", "##s", "a", "honey"]
    made = tokenizers.Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    made.add_special_tokens(words[:5])
    return made


def llama() -> tokenizers.Tokenizer:
    """Of pieces with marks for spaces, and bytes for what has none."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    for piece in ("▁", "t", "h", "e", "th", "the", "▁the", "c", "a", "▁c", "▁a"):
        vocabulary[piece] = len(vocabulary)
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("▁", "c"), ("▁", "a")]
    made = tokenizers.Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.add_special_tokens(["<unk>", "<s>", "</s>"])
    return made


@pytest.mark.parametrize("make", [gpt2, bert, llama])
def test_texts_are_the_same_tokens_under_other_numbers(make: Callable[[], tokenizers.Tokenizer]) -> None:
    original = make()
    found = adopted(original.to_str().encode(), None)
    vocabulary = found.tokenizer.vocabulary
    assert vocabulary[: len(SPECIAL)] == SPECIAL
    assert sorted(number for number in found.theirs if number >= 0) == sorted(original.get_vocab().values())
    original.encode_special_tokens = True
    for text, ours in zip(TEXTS, found.tokenizer.encode(TEXTS), strict=True):
        assert [found.theirs[token] for token in ours] == original.encode(text, add_special_tokens=False).ids
        assert END not in ours, "what spells a mark means letters"
        assert PAD not in ours
    assert uploaded(found.tokenizer.json) == found.tokenizer, "as the card of a student has it"
    assert {found.ours[number]: number for number in found.ours} == {
        ours: number for ours, number in enumerate(found.theirs) if number >= 0
    }


def test_marks_become_those_of_this_house() -> None:
    original = bert()
    found = adopted(original.to_str().encode(), None)
    assert found.theirs[END] == original.token_to_id("[SEP]")
    assert found.theirs[UNKNOWN_TOKEN] == original.token_to_id("[UNK]")
    assert adopted(original.to_str().encode(), "[CLS]").theirs[END] == original.token_to_id("[CLS]")
    once = found.tokenizer
    assert adopted(once.json.encode(), None) == Adopted(once, list(range(len(once.vocabulary))), once.json)


def unigram() -> str:
    made = tokenizers.Tokenizer(models.Unigram())
    made.train_from_iterator(TEXTS, trainers.UnigramTrainer(vocab_size=60, show_progress=False))
    return made.to_str()


def without_end() -> str:
    return tokenizers.Tokenizer(models.WordLevel({"[X]": 0, "a": 1}, unk_token="a")).to_str()


def taken() -> str:
    return tokenizers.Tokenizer(models.WordLevel({"</s>": 0, "<unk>": 1, "a": 2, "b": 3}, unk_token="a")).to_str()


@pytest.mark.parametrize(
    ("content", "pointer", "said"),
    [
        (b"\xff", "/tokenizer", "no tokenizer.json"),
        (b"[1]", "/tokenizer", "no tokenizer.json"),
        (b"{" * 100_000, "/tokenizer", "no tokenizer.json"),
        (b" " * (MAX_TOKENIZER_BYTES + 1), "/tokenizer", "at most"),
        (unigram().encode(), "/tokenizer", "Unigram"),
        (without_end().encode(), "/end_of_text", "none of the usual names"),
        (taken().encode(), "/tokenizer", "besides the one"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(content: bytes, pointer: str, said: str) -> None:
    problem = problem_of(adopted, content, None)
    assert (problem.code, problem.pointer) == ("tokenizer_invalid", pointer)
    assert said in problem.title


def test_an_end_that_is_no_token_is_refused_with_those_that_may_be_it() -> None:
    problem: Any = problem_of(adopted, gpt2().to_str().encode(), "<stop>")
    assert {"end_of_text": "<|endoftext|>"} in problem.ways_out
    assert json.loads(gpt2().to_str())["model"]["type"] == "BPE"
