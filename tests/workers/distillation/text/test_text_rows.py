"""Texts are split before anything is learned from them, and every token is a label once."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from qstill.contract.distillations.datasets import BuiltinText, TextFile
from tests.testing.refusals import problem_of
from workers.distillation.data import texts
from workers.distillation.data.dataset import Data, preprocessing_digest
from workers.distillation.data.texts import load_text
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.networks.texts.tokens import END, PAD
from workers.distillation.objectives.terms import UNKNOWN

pytestmark = pytest.mark.training


def topics(**changes: Any) -> BuiltinText:
    body = {"source": "builtin_text", "name": "python_topics", "task": "language_modelling", "max_length": 32}
    return BuiltinText.model_validate(body | changes)


def uploaded(tmp_path: Path, texts: list[str], labels: list[str] | None = None, **changes: Any) -> Data:
    lines = [{"text": text, "label": labels[i] if labels else None} for i, text in enumerate(texts)]
    (tmp_path / "t").write_text("\n".join(json.dumps(line) for line in lines))
    task = "classification" if labels else "language_modelling"
    body = {"source": "text_file", "file": "file_1", "task": task, "tokenizer": {"kind": "character"}, "max_length": 8}
    return load_text(TextFile.model_validate(body | changes), {"file_1": tmp_path / "t"})


def tokenizer_of(data: Data) -> Tokenizer:
    assert data.text is not None
    return Tokenizer(data.text.tokenizer)


LETTERS = [chr(ord("a") + i) * 3 for i in range(20)]


def test_the_tokenizer_learns_from_the_training_texts_alone(tmp_path: Path) -> None:
    data = uploaded(tmp_path, LETTERS, ["x", "y"] * 10)
    known = set(tokenizer_of(data).vocabulary[3:])
    assert known == {LETTERS[i][0] for i in data.train.index.tolist()}
    assert (data.test.x[:, :3] == 1).all()  # every test text is of a letter that no training text has
    assert data.text is not None
    assert data.text.unknown == 1.0
    language = uploaded(tmp_path, LETTERS)
    assert len(tokenizer_of(language).vocabulary) == 3 + 12


def test_long_texts_are_cut_and_counted_and_short_ones_filled_up(tmp_path: Path) -> None:
    data = uploaded(tmp_path, ["a" * i + "b" for i in range(1, 21)], ["x", "y"] * 10)
    assert data.text is not None
    assert data.text.truncated == 13
    for part in (data.train, data.validation, data.test):
        lengths = (part.x != PAD).sum(1)
        assert lengths.tolist() == [min(8, i + 2) for i in part.index.tolist()]
        assert torch.equal(part.x, part.raw)
        assert part.x.dtype == torch.int64


def test_every_token_but_the_first_is_a_label_once_and_follows_its_input() -> None:
    data = load_text(topics(), {})
    for part in (data.train, data.validation, data.test):
        x, y = part.x.flatten(), part.labels
        known = y != UNKNOWN
        assert torch.equal(known, x != PAD)
        assert torch.equal(x[known][1:], y[known][:-1])
        assert int(x[0]) == END


def test_the_splits_hold_whole_texts_and_all_of_them(tmp_path: Path) -> None:
    texts = [f"text {i} of them" for i in range(30)]
    data = uploaded(tmp_path, texts, tokenizer={"kind": "bpe", "vocabulary": 300})
    tokenizer, found = tokenizer_of(data), []
    for part in (data.train, data.validation, data.test):
        stream = part.labels[part.labels != UNKNOWN].tolist()
        assert stream[-1] == END
        for end in [i for i, token in enumerate(stream) if token == END]:
            start = max((i for i in range(end) if stream[i] == END), default=-1) + 1
            found.append(tokenizer.decode(stream[start:end]))
    assert sorted(found) == sorted(texts)


def test_rows_whose_labels_are_hidden_are_whole() -> None:
    data = load_text(topics(labelled=20), {})
    shown = (data.seen != UNKNOWN).any(1)
    assert int(shown.sum()) == 20
    assert torch.equal(data.seen[shown], data.train.y[shown])
    assert len(data.learned) == len(data.train.x)
    alone = load_text(topics(labelled=20, unlabelled_pool=False), {})
    assert torch.equal(alone.learned, torch.nonzero(shown).flatten())


def test_the_same_spec_gives_the_same_rows_and_another_seed_others() -> None:
    first, second, other = (load_text(topics(split_seed=seed), {}) for seed in (0, 0, 1))
    assert torch.equal(first.train.x, second.train.x)
    assert preprocessing_digest(first) == preprocessing_digest(second) != preprocessing_digest(other)
    shorter = load_text(topics(max_length=16), {})
    assert preprocessing_digest(shorter) != preprocessing_digest(first)


@pytest.mark.parametrize(
    ("texts", "labels", "changes", "code"),
    [
        (["a b", "c d"], None, {}, "too_few_texts"),
        (["aaa"] * 9, None, {}, "vocabulary_too_small"),
        (LETTERS, ["x"] * 18 + ["y"] * 2, {}, "dataset_invalid"),
        (LETTERS, ["x", "y"] * 10, {"labelled": 19}, "too_many_labels"),
        (LETTERS, None, {"labelled": 1000}, "too_many_labels"),
        (LETTERS, ["x", "y"] * 10, {"leave_out": ["z"]}, "no_such_class"),
    ],
)
def test_data_that_cannot_be_used_is_refused(
    tmp_path: Path, texts: list[str], labels: list[str] | None, changes: dict[str, Any], code: str
) -> None:
    assert problem_of(uploaded, tmp_path, texts, labels, **changes).code == code


def test_answers_that_do_not_fit_in_memory_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_HELD_OUT", 1 << 20)
    error = problem_of(load_text, topics(), {})
    assert error.code == "answers_too_large"
    assert error.ways_out
