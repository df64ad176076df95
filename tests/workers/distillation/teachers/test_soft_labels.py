"""Answers without a teacher: dense, sparse, in three formats, and what they leave over."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import kl_div, log_softmax, softmax
from torch.testing import assert_close

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.teachers import SoftLabels
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load
from workers.distillation.signals.signals import Signal, heard
from workers.distillation.signals.sparse import dense, drawn, thinned
from workers.distillation.teachers import Teacher, signal_of

FILE = "file_1"
Load = Callable[..., Teacher]
Refusal = Callable[..., Problem]

ANSWERS = np.random.default_rng(0).dirichlet([1, 1, 1], size=150)
TOP = np.argsort(-ANSWERS, axis=1)[:, :2]
KEPT = np.take_along_axis(ANSWERS, TOP, axis=1)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def parquet(**columns: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({name: list(column) for name, column in columns.items()}), file)
    return file.getvalue()


@pytest.fixture
def answered(load_teacher: Load, tmp_path: Path) -> Load:
    def make(content: bytes, data: Data, kind: str = "probabilities", **given: Any) -> Teacher:
        (tmp_path / "soft").write_bytes(content)
        spec = SoftLabels.model_validate({"source": "soft_labels", "file": FILE, "kind": kind} | given)
        return load_teacher(spec, data, tmp_path / "soft")

    return make


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(npy(ANSWERS), id="npy"),
        pytest.param(npz(anything=ANSWERS), id="npz"),
        pytest.param(parquet(p=ANSWERS), id="a column of lists"),
        pytest.param(parquet(a=ANSWERS[:, 0], b=ANSWERS[:, 1], c=ANSWERS[:, 2]), id="columns in order"),
        pytest.param(
            parquet(virginica=ANSWERS[:, 2], setosa=ANSWERS[:, 0], versicolor=ANSWERS[:, 1]), id="columns by name"
        ),
        pytest.param(npz(indices=np.tile([2, 0, 1], (150, 1)), values=ANSWERS[:, [2, 0, 1]]), id="sparse, complete"),
        pytest.param(parquet(indices=np.tile([1, 2, 0], (150, 1)), values=ANSWERS[:, [1, 2, 0]]), id="sparse parquet"),
    ],
)
def test_every_format_says_the_same(answered: Load, iris: Data, content: bytes) -> None:
    logits = answered(content, iris).logits(iris.train)
    assert_close(softmax(logits, 1), torch.from_numpy(ANSWERS).float()[iris.train.index])


@pytest.mark.parametrize(("kind", "turn"), [("logits", np.log), ("log_probabilities", np.log)])
def test_every_kind_says_the_same(answered: Load, iris: Data, kind: str, turn: Callable[[Any], Any]) -> None:
    logits = answered(npy(turn(ANSWERS)), iris, kind).logits(iris.test)
    assert_close(softmax(logits, 1), torch.from_numpy(ANSWERS).float()[iris.test.index])


def test_a_probability_of_zero_is_an_answer(answered: Load, iris: Data) -> None:
    sure = np.eye(3)[np.arange(150) % 3]
    with np.errstate(divide="ignore"):
        logarithms = np.log(sure)
    for content, kind in ((npy(sure), "probabilities"), (npy(logarithms), "log_probabilities")):
        logits = answered(content, iris, kind).logits(iris.train)
        assert bool(logits.isfinite().all())
        assert_close(softmax(logits, 1), torch.from_numpy(sure).float()[iris.train.index])


def test_what_is_missing_means_what_was_said(answered: Load, iris: Data) -> None:
    content = npz(indices=TOP, values=KEPT)
    given_rows = torch.from_numpy(ANSWERS).float()[iris.train.index]
    even = softmax(answered(content, iris, missing="uniform").logits(iris.train), 1)
    assert_close(even, given_rows)  # one class of three is left: all that is missing is its own
    shared = softmax(answered(content, iris, missing="renormalise").logits(iris.train), 1)
    kept = torch.from_numpy(TOP)[iris.train.index]
    assert_close(shared.gather(1, kept), (given_rows.gather(1, kept) / given_rows.gather(1, kept).sum(1, keepdim=True)))
    teacher = answered(content, iris)
    signal = signal_of(teacher, iris)
    assert signal.unspoken is not None
    assert bool((signal.unspoken.sum(1) == 1).all())
    assert_close(softmax(heard(signal, torch.randn(len(kept), 3)).logits, 1), given_rows)


rows_of_logits = st.integers(2, 12).flatmap(
    lambda classes: st.lists(
        st.lists(st.floats(-30, 30, width=32), min_size=classes, max_size=classes), min_size=1, max_size=4
    )
)


@given(rows_of_logits, st.sampled_from(["uniform", "renormalise", "ghost"]))
@settings(max_examples=examples(50))
def test_sparse_with_all_classes_is_dense(rows: list[list[float]], missing: Any) -> None:
    logits = torch.tensor(rows)
    logs, indices = thinned(logits, logits.shape[1])
    again, _ = dense(logs, indices, logits.shape[1], missing)
    assert_close(softmax(again, 1), softmax(logits, 1), atol=1e-5, rtol=1e-4)


@given(rows_of_logits, st.integers(1, 20), st.integers(0, 2**31))
@settings(max_examples=examples(50))
def test_draws_leave_shares_of_classes(rows: list[list[float]], draws: int, seed: int) -> None:
    logits = torch.tensor(rows)
    logs, indices = drawn(logits, draws, torch.Generator().manual_seed(seed))
    assert indices.shape == (len(rows), min(draws, logits.shape[1]))
    assert all(len(set(row)) == len(row) for row in indices.tolist())
    counts = draws * softmax(dense(logs, indices, logits.shape[1], "renormalise")[0].double(), 1)
    assert_close(counts, counts.round(), atol=1e-4, rtol=0)
    assert_close(counts.sum(1), torch.full((len(rows),), float(draws), dtype=torch.float64))
    again, _ = drawn(logits, draws, torch.Generator().manual_seed(seed))
    assert torch.equal(again, logs)


def test_on_average_draws_give_the_slope_of_all_classes_and_the_most_probable_ones_do_not() -> None:
    """The random sampling of 2503.16870 is unbiased at temperature 1: the slope of KL by the logits is q - p."""
    source = torch.Generator().manual_seed(0)
    teacher, student = torch.randn(2, 1, 50, generator=source)
    wanted = softmax(student, 1) - softmax(teacher, 1)
    rounds, draws = 20_000, 5
    logs, indices = drawn(teacher.expand(rounds, -1), draws, source)
    few = softmax(dense(logs, indices, 50, "renormalise")[0], 1).mean(0)
    tolerance = 5 * (softmax(teacher, 1)[0] / (draws * rounds)).sqrt()  # standard errors of each class
    assert bool((((softmax(student, 1)[0] - few) - wanted[0]).abs() <= tolerance).all())
    top = softmax(dense(*thinned(teacher, draws), 50, "renormalise")[0], 1)
    assert bool((((softmax(student, 1) - top) - wanted)[0].abs() > tolerance).any())


@given(rows_of_logits, st.integers(0, 2**31))
@settings(max_examples=examples(50))
def test_a_ghost_is_a_residual_class_on_both_sides(rows: list[list[float]], seed: int) -> None:
    """KL over the given classes and one class for the rest, written as such, has the value and the gradient of ours."""
    logits = torch.tensor(rows, dtype=torch.float64)
    classes = logits.shape[1]
    k = max(1, classes // 2)
    logs, indices = thinned(logits, k)
    full, unspoken = dense(logs, indices, classes, "ghost")
    student = torch.randn(logits.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    ours, theirs = student.clone().requires_grad_(), student.clone().requires_grad_()
    signal = heard(Signal(full, "", unspoken=unspoken), ours)
    loss = kl_div(log_softmax(ours, 1), log_softmax(signal.logits.double(), 1), reduction="sum", log_target=True)

    p, q = softmax(theirs, 1), softmax(logits, 1)
    kept_p, kept_q = p.gather(1, indices), q.gather(1, indices)
    rest_p, rest_q = 1 - kept_p.sum(1), (1 - kept_q.sum(1)).clamp(min=1e-300)
    ghost = (kept_q * (kept_q.clamp(min=1e-300).log() - kept_p.log())).sum() + (rest_q * (rest_q / rest_p).log()).sum()
    assert_close(loss, ghost, atol=1e-4, rtol=1e-4)
    loss.backward()
    ghost.backward()
    assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", [(149, 3), (150, 4), (150,)])
def test_another_shape_is_refused_with_both(
    answered: Load, refusal: Refusal, iris: Data, shape: tuple[int, ...]
) -> None:
    problem = refusal(lambda: answered(npy(np.zeros(shape)), iris, "logits"))
    assert problem.code == "soft_labels_mismatch"
    assert str(shape) in problem.title
    assert "(150, 3)" in problem.title


def test_what_is_no_answer_is_refused_by_row(answered: Load, refusal: Refusal, iris: Data) -> None:
    answers = ANSWERS.copy()
    answers[7] = [0.5, 0.6, 0.1]
    problem = refusal(lambda: answered(npy(answers), iris))
    assert problem.code == "soft_labels_invalid"
    assert "Row 7" in problem.title
    answers[5] = [1.5, -0.5, 0]
    assert "Row 5" in refusal(lambda: answered(npy(answers), iris)).title
    answers[3, 1] = np.nan
    assert "Row 3" in refusal(lambda: answered(npy(answers), iris, "logits")).title
    assert refusal(lambda: answered(b"PK\x03\x04", iris)).code == "soft_labels_invalid"
    assert "lists of a recommender" in refusal(lambda: answered(b"user,item,score\n1,2,3\n", iris)).title


@pytest.mark.parametrize(
    ("indices", "values", "code"),
    [
        pytest.param(TOP, KEPT[:-1], "soft_labels_mismatch", id="too few values"),
        pytest.param(TOP[:-1], KEPT[:-1], "soft_labels_mismatch", id="too few rows"),
        pytest.param(TOP[:, :0], KEPT[:, :0], "soft_labels_mismatch", id="no classes"),
        pytest.param(TOP + 1, KEPT, "soft_labels_invalid", id="classes counted from 1"),
        pytest.param(TOP - 1, KEPT, "soft_labels_invalid", id="a negative class"),
        pytest.param(TOP.astype(float), KEPT, "soft_labels_invalid", id="classes that are no whole numbers"),
        pytest.param(TOP * 0, KEPT, "soft_labels_invalid", id="a class twice"),
        pytest.param(TOP, KEPT * 3, "soft_labels_invalid", id="more than 1 in all"),
        pytest.param(TOP, -KEPT, "soft_labels_invalid", id="less than nothing"),
        pytest.param(TOP, KEPT * 0, "soft_labels_invalid", id="nothing"),
        pytest.param(TOP, KEPT * np.nan, "soft_labels_invalid", id="no numbers"),
    ],
)
def test_sparse_answers_that_are_none_are_refused(
    answered: Load, refusal: Refusal, iris: Data, indices: Any, values: Any, code: str
) -> None:
    assert refusal(lambda: answered(npz(indices=indices, values=values), iris)).code == code


def test_sparse_logits_say_nothing_of_what_is_missing(answered: Load, refusal: Refusal, iris: Data) -> None:
    content = npz(indices=TOP, values=np.log(KEPT))
    problem = refusal(lambda: answered(content, iris, "logits"), "/teacher/missing")
    assert {"missing": "renormalise"} in problem.ways_out
    shared = answered(content, iris, "logits", missing="renormalise").logits(iris.test)
    assert_close(shared, answered(npz(indices=TOP, values=KEPT), iris, missing="renormalise").logits(iris.test))


def test_probabilities_called_logits_are_refused(answered: Load, refusal: Refusal, iris: Data) -> None:
    problem = refusal(lambda: answered(npy(ANSWERS), iris, "logits"), "/teacher/kind")
    assert (problem.code, problem.ways_out) == ("kind_mismatch", [{"kind": "probabilities"}])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"PAR1 and no more", id="cut off"),
        pytest.param(parquet(p=[[1.0], [0.5, 0.5]]), id="lists of different length"),
        pytest.param(parquet(p=[[0.5, 0.5, None]] * 150), id="a value that is not there"),
        pytest.param(parquet(p=[[0.5, 0.5, 0.0]] * 149 + [None]), id="a row that is not there"),
        pytest.param(parquet(a=["x"] * 150), id="words"),
        pytest.param(parquet(p=[["x", "y", "z"]] * 150), id="lists of words"),
        pytest.param(parquet(p=np.zeros((2, 3)), q=np.zeros((2, 3))), id="two tables in one"),
        pytest.param(npz(a=ANSWERS, b=ANSWERS), id="two arrays"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    answered: Load, refusal: Refusal, iris: Data, content: bytes
) -> None:
    assert refusal(lambda: answered(content, iris)).code == "soft_labels_invalid"


def test_a_table_of_a_billion_equal_values_is_refused_before_it_is_unpacked(
    answered: Load, refusal: Refusal, iris: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.distillation.teachers.files.soft_labels.MAX_VALUES", 100)
    content = parquet(p=np.full((150, 3), 1 / 3))
    assert "more than 100 values" in refusal(lambda: answered(content, iris)).title


@pytest.mark.parametrize("digits", [2, 4, 6])
def test_probabilities_that_were_rounded_are_divided_by_their_sum_and_that_is_said(
    answered: Load, iris: Data, digits: int
) -> None:
    given = ANSWERS.round(digits)
    teacher = answered(npy(given), iris)
    expected = torch.from_numpy(given / given.sum(1, keepdims=True))[iris.train.index].float()
    assert_close(signal_of(teacher, iris).logits.softmax(1), expected, atol=1e-6, rtol=1e-4)
    off = int((abs(given.sum(1) - 1) > 1e-3).sum())
    assert [note.split(" rows")[0] for note in teacher.notes] == ([str(off)] if off else [])
    assert bool(off) == (digits == 2)


@pytest.mark.parametrize("total", [0.5, 0.94, 1.06, 2.0])
def test_rows_that_rounding_cannot_explain_are_refused(
    answered: Load, refusal: Refusal, iris: Data, total: float
) -> None:
    content = npy(np.full((150, 3), total / 3))
    assert "is not a distribution" in refusal(lambda: answered(content, iris)).title


def test_rounded_probabilities_are_not_taken_for_logits(answered: Load, refusal: Refusal, iris: Data) -> None:
    problem = refusal(lambda: answered(npy(ANSWERS.round(2)), iris, "logits"), "/teacher/kind")
    assert problem.ways_out == [{"kind": "probabilities"}]


SECOND = np.random.default_rng(1).random(569)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(npy(SECOND), "probabilities", id="(rows,)"),
        pytest.param(npy(SECOND[:, None]), "probabilities", id="(rows, 1)"),
        pytest.param(parquet(malignant=SECOND), "probabilities", id="a column"),
        pytest.param(npy(np.log(SECOND)), "log_probabilities", id="logarithms"),
        pytest.param(npy(np.log(SECOND / (1 - SECOND))), "logits", id="logits"),
    ],
)
def test_one_column_is_the_second_of_two_classes(answered: Load, content: bytes, kind: str) -> None:
    data = load(BuiltinData(source="builtin", name="breast_cancer"), {})
    teacher = answered(content, data, kind)
    said = softmax(teacher.logits(data.test), 1)[:, 1]
    assert_close(said, torch.from_numpy(SECOND).float()[data.test.index], atol=1e-5, rtol=1e-5)
    assert any("second class" in note for note in teacher.notes)


def test_one_column_of_three_classes_is_refused(answered: Load, iris: Data) -> None:
    assert problem_of(answered, npy(SECOND[:150]), iris).code == "soft_labels_mismatch"
