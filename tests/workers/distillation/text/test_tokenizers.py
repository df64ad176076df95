"""Tokenizers give back what they took, know only what they were trained on, and come out the same every time."""

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.tokenizers import Tokenizer as Spec
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.tokenizer import Tokenizer, trained
from workers.distillation.networks.texts.tokens import END, PAD, UNKNOWN_TOKEN

pytestmark = pytest.mark.training

TEXTS = ["The cat sat on the mat.", "the dog, the cat; and a <end> of <pad>\n\ttabs", "0123456789 " * 3]
KINDS: list[dict[str, Any]] = [{"kind": "character"}, {"kind": "word"}, {"kind": "bpe", "vocabulary": 300}]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def spec(given: dict[str, Any]) -> Any:
    return TypeAdapter(Spec).validate_python(given)


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    return trained(spec(KINDS[2]), TEXTS)


@settings(max_examples=examples(60), deadline=None)
@given(TEXT)
def test_bytes_give_every_text_back(text: str) -> None:
    tokenizer = trained(spec(KINDS[2]), TEXTS)
    (tokens,) = tokenizer.encode([text])
    assert tokenizer.decode(tokens) == text
    assert UNKNOWN_TOKEN not in tokens


@settings(max_examples=examples(40), deadline=None)
@given(TEXT)
def test_characters_that_training_saw_come_back_one_token_each(text: str) -> None:
    tokenizer = trained(spec({"kind": "character"}), [*TEXTS, text])
    (tokens,) = tokenizer.encode([text])
    assert tokenizer.decode(tokens) == text
    assert len(tokens) == len(text)


def test_a_character_that_training_did_not_see_is_unknown() -> None:
    (tokens,) = trained(spec({"kind": "character"}), TEXTS).encode(["caé"])
    assert tokens[2] == UNKNOWN_TOKEN
    assert UNKNOWN_TOKEN not in tokens[:2]


def test_words_come_back_in_lower_case_with_single_spaces() -> None:
    tokenizer = trained(spec({"kind": "word"}), TEXTS)
    (tokens,) = tokenizer.encode(["The  CAT sat zebra"])
    assert tokenizer.decode(tokens) == "the cat sat"
    assert tokens[3] == UNKNOWN_TOKEN


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_spells_a_special_token_means_its_letters(kind: dict[str, Any]) -> None:
    (tokens,) = trained(spec(kind), TEXTS).encode(["a <end> <pad> <unk>"])
    assert not {PAD, END} & set(tokens)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_is_whole_in_its_json(kind: dict[str, Any]) -> None:
    first = trained(spec(kind), TEXTS)
    second = Tokenizer(first.json)
    assert second.digest == first.digest
    assert second.vocabulary == first.vocabulary
    assert second.encode(TEXTS) == first.encode(TEXTS)


def test_the_vocabulary_is_bounded_and_begins_with_the_special_tokens(bpe: Tokenizer) -> None:
    assert len(bpe.vocabulary) <= 300
    assert bpe.vocabulary[:3] == ["<pad>", "<unk>", "<end>"]
    few = trained(spec({"kind": "character", "vocabulary": 8}), TEXTS)
    assert len(few.vocabulary) == 8


def test_tokenizers_are_the_same_in_another_process_with_other_hashes_and_threads() -> None:
    program = (
        "from tests.workers.distillation.text.test_tokenizers import *\n"
        "from pydoc_data.topics import topics\n"
        "print([trained(spec(kind), list(topics.values())[:20]).digest for kind in KINDS])"
    )
    said = []
    for number in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": number, "RAYON_NUM_THREADS": number}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        said.append(done.stdout)
    assert said[0] == said[1]


def test_one_kind_of_token_is_too_few() -> None:
    error = problem_of(trained, spec({"kind": "character"}), ["aaaa", "aa"])
    assert (error.code, error.pointer) == ("vocabulary_too_small", "/dataset/tokenizer")


@pytest.mark.parametrize(
    "given", [{"kind": "character", "vocabulary": 1}, {"kind": "bpe", "vocabulary": 100}, {"kind": "word", "x": 1}]
)
def test_vocabularies_that_hold_nothing_are_refused_at_the_door(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(given)
