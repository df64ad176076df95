"""What is hidden from masked language models, and when."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from qstill.contract.distillations.datasets import BuiltinText
from qstill.contract.distillations.job import DistillationJob
from tests.testing.examples import examples
from workers.distillation.data.dataset import preprocessing_digest
from workers.distillation.data.texts import load_text
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.networks.texts.tokens import AFTER_MASK, END, MASK, PAD, UNKNOWN_TOKEN
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.rows import Rows
from workers.distillation.tasks.masks import masked
from workers.distillation.training.augment import rows_of_epoch
from workers.distillation.training.plan import student_stages, teacher_stage

VOCABULARY = 50
TEXT: dict[str, Any] = {
    "source": "builtin_text",
    "name": "python_topics",
    "task": "masked_language_modelling",
    "tokenizer": {"kind": "character", "vocabulary": 60},
    "max_length": 32,
}


def rows_of(tokens: Tensor) -> Rows:
    return Rows(tokens, tokens, torch.where(tokens == PAD, UNKNOWN, tokens), torch.arange(len(tokens)))


def some_tokens(rows: int, length: int, seed: int) -> Tensor:
    """Texts of all lengths, with ends and unknown tokens among them."""
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.randint(AFTER_MASK, VOCABULARY, (rows, length), generator=draw)
    special = torch.rand(rows, length, generator=draw)
    tokens = torch.where(special < 0.1, END, torch.where(special < 0.2, UNKNOWN_TOKEN, tokens))
    lengths = torch.randint(0, length + 1, (rows, 1), generator=draw)
    return torch.where(torch.arange(length) < lengths, tokens, PAD)


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(1, 20), st.integers(1, 60), st.integers(0, 2**40))
def test_a_share_of_each_rows_ordinary_tokens_is_chosen_and_nothing_else_changes(
    rows: int, length: int, seed: int
) -> None:
    tokens = some_tokens(rows, length, seed)
    found = masked(rows_of(tokens), VOCABULARY, seed=seed)
    assert found.answered is not None
    ordinary = (tokens >= AFTER_MASK).sum(1)
    for chosen, there in zip(found.answered.sum(1).tolist(), ordinary.tolist(), strict=True):
        assert chosen == (0 if there == 0 else max(1, round(0.15 * there)))
    assert (tokens[found.answered] >= AFTER_MASK).all()
    assert torch.equal(found.x[~found.answered], tokens[~found.answered])
    assert torch.equal(found.y, torch.where(found.answered, tokens, UNKNOWN))
    assert torch.equal(found.labels, tokens[found.answered])
    new = found.x[found.answered]
    assert ((new == MASK) | (new >= AFTER_MASK)).all()


def test_of_the_chosen_eight_in_ten_are_masked_one_is_another_and_one_stays() -> None:
    tokens = torch.randint(AFTER_MASK, VOCABULARY, (2000, 100), generator=torch.Generator().manual_seed(1))
    found = masked(rows_of(tokens), VOCABULARY, seed=2)
    was, now = found.labels, found.x[found.answered]
    assert len(was) == 2000 * 15
    ordinary = VOCABULARY - AFTER_MASK
    assert float((now == MASK).double().mean()) == pytest.approx(0.8, abs=0.012)  # five standard deviations
    assert float((now == was).double().mean()) == pytest.approx(0.1 + 0.1 / ordinary, abs=0.009)
    others = now[(now != MASK) & (now != was)]
    shares = others.bincount(minlength=VOCABULARY)[AFTER_MASK:] / len(others)
    assert (shares - 1 / ordinary).abs().max() < 0.014
    places = found.answered.double().mean(0)
    assert (places - 0.15).abs().max() < 0.045  # no place in a row is preferred


@settings(max_examples=examples(20), deadline=None)
@given(st.integers(0, 2**40))
def test_the_same_seed_hides_the_same_tokens_and_another_one_others(seed: int) -> None:
    rows = rows_of(some_tokens(20, 40, 7))
    first, second, other = (masked(rows, VOCABULARY, seed=each) for each in (seed, seed, seed + 1))
    assert torch.equal(first.x, second.x)
    assert torch.equal(first.y, second.y)
    assert not torch.equal(first.y, other.y)


def job() -> DistillationJob:
    encoder = {"architecture": {"kind": "encoder", "width": 8, "depth": 1, "heads": 2}}
    return DistillationJob.model_validate(
        {"dataset": TEXT, "teacher": {"source": "train", **encoder}, "student": encoder, "evaluation": {"seeds": 2}}
    )


def test_training_rows_are_hidden_anew_in_every_epoch_and_the_same_for_student_and_baseline() -> None:
    data = load_text(BuiltinText.model_validate(TEXT), {})
    (student, baseline), (other, _) = student_stages(job())
    teacher = teacher_stage(job(), job().teacher)  # type: ignore[arg-type]
    of_epoch = [
        rows_of_epoch(data, stage, epoch) for stage, epoch in ((student, 0), (student, 1), (other, 0), (teacher, 0))
    ]
    found = [each for each in of_epoch if each is not None]
    assert len({name for _, name in found}) == len(found) == 4
    assert all(not torch.equal(found[0][0].y, rows.y) for rows, _ in found[1:])
    again = rows_of_epoch(data, baseline, 0)
    assert again is not None
    assert again[1] == found[0][1]
    assert torch.equal(again[0].x, found[0][0].x)


def test_validation_and_test_rows_are_hidden_once_by_the_datas_seed() -> None:
    spec = BuiltinText.model_validate(TEXT)
    first, second = load_text(spec, {}), load_text(spec, {})
    assert torch.equal(first.test.x, second.test.x)
    assert preprocessing_digest(first) == preprocessing_digest(second)
    assert not (first.train.x == MASK).any()
    for rows in (first.validation, first.test):
        assert rows.answered is not None
        assert (rows.y != UNKNOWN).equal(rows.answered)
        assert 0.1 < float((rows.x == MASK).sum() / (rows.x != PAD).sum()) < 0.13  # 80 % of 15 %
    longer = load_text(spec.model_copy(update={"max_length": 48}), {})
    assert not torch.equal(longer.test.labels[:200], first.test.labels[:200])


def test_every_token_of_the_training_texts_is_there_once() -> None:
    masks = load_text(BuiltinText.model_validate(TEXT), {})
    causal = load_text(BuiltinText.model_validate(TEXT | {"task": "language_modelling"}), {})
    assert masks.text is not None
    assert causal.text is not None
    vocabulary, other = (Tokenizer(data.text.tokenizer).vocabulary for data in (masks, causal) if data.text)
    assert vocabulary[:4] == ["<pad>", "<unk>", "<end>", "<mask>"]
    assert "<mask>" not in other
    x, y = masks.train.x[masks.train.x != PAD], causal.train.y[causal.train.y != UNKNOWN]
    shared = [vocabulary[code] if vocabulary[code] in other else "<unk>" for code in x[1:].tolist()]
    assert [token for token in shared if token != "<unk>"] == [
        token for code in y.tolist() if (token := other[code]) in vocabulary and token != "<unk>"
    ]


def test_some_rows_keep_what_of_them_is_answered() -> None:
    found = masked(rows_of(some_tokens(10, 30, 3)), VOCABULARY, seed=1)
    few = found.some(torch.tensor([7, 2]))
    assert torch.equal(few.labels, torch.cat([found.some(slice(7, 8)).labels, found.some(slice(2, 3)).labels]))
    assert replace(few, answered=None).labels.shape == (60,)
