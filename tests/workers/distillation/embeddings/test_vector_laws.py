"""What must hold of losses and measures of vectors, whatever the vectors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor
from torch.testing import assert_close

from qstill.contract.distillations.embeddings.objectives import VectorSum
from workers.distillation.embeddings.losses import (
    contrastive,
    loss_of,
    similarity_matrix,
    vector_cosine,
    vector_mse,
)
from workers.distillation.embeddings.metrics import MAX_PAIRS, drawn_pairs, judge_of, nearest, ranks_of, spearman
from workers.distillation.embeddings.students import reduced

seeds = st.integers(0, 2**31)


def vectors(seed: int, rows: int, width: int) -> Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seeds, st.integers(1, 9), st.integers(1, 7))
def test_no_loss_is_below_that_of_the_teacher_itself(seed: int, rows: int, width: int) -> None:
    student, teacher = vectors(seed, rows, width), vectors(seed + 1, rows, width)
    for loss in (vector_mse, vector_cosine, similarity_matrix):
        assert_close(loss(teacher, teacher), torch.zeros((), dtype=torch.float64), atol=1e-12, rtol=0)
        assert loss(student, teacher) >= -1e-12


@given(seeds, st.integers(2, 9), st.floats(0.1, 10))
def test_the_length_of_vectors_is_heard_by_the_squared_distance_alone(seed: int, rows: int, scale: float) -> None:
    student, teacher = vectors(seed, rows, 5), vectors(seed + 1, rows, 5)
    for loss in (vector_cosine, similarity_matrix):
        assert_close(loss(scale * student, teacher), loss(student, teacher))
    found = contrastive(scale * student, teacher, temperature=0.1)
    assert_close(found, contrastive(student, teacher, temperature=0.1))


@given(seeds, st.integers(2, 9))
def test_turning_the_students_space_changes_no_similarity(seed: int, rows: int) -> None:
    student, teacher = vectors(seed, rows, 4), vectors(seed + 1, rows, 6)
    turn = torch.linalg.qr(vectors(seed + 2, 4, 4)).Q
    assert_close(similarity_matrix(student @ turn, teacher), similarity_matrix(student, teacher))


@given(seeds, st.integers(2, 6))
def test_the_contrastive_loss_is_the_papers(seed: int, rows: int) -> None:
    student, teacher, temperature = vectors(seed, rows, 3), vectors(seed + 1, rows, 3), 0.2
    expected = 0.0
    for i in range(rows):
        likeness = [
            math.exp(float(student[i] @ teacher[j] / student[i].norm() / teacher[j].norm()) / temperature)
            for j in range(rows)
        ]
        expected -= math.log(likeness[i] / sum(likeness)) / rows
    assert float(contrastive(student, teacher, temperature=temperature)) == pytest.approx(expected)


@given(seeds)
def test_a_sum_is_the_sum(seed: int) -> None:
    terms = [{"weight": 2.0, "objective": {"kind": "vector_mse"}}, {"objective": {"kind": "similarity_matrix"}}]
    student, teacher = vectors(seed, 5, 3), vectors(seed + 1, 5, 3)
    expected = 2 * vector_mse(student, teacher) + similarity_matrix(student, teacher)
    assert_close(loss_of(VectorSum.model_validate({"kind": "sum", "terms": terms}))(student, teacher), expected)


@given(seeds, st.integers(3, 40), st.integers(1, 6))
def test_spearmans_correlation_is_scipys_also_with_ties(seed: int, count: int, values: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    first, second = (torch.randint(values + 1, (count,), generator=draw).double() for _ in range(2))
    if min(len(torch.unique(each)) for each in (first, second)) < 2:
        assert spearman(first, second) == 0
    else:
        assert spearman(first, second) == pytest.approx(spearmanr(first.numpy(), second.numpy())[0])


@given(seeds, st.integers(3, 20))
def test_a_rank_is_counted_by_looking_at_all_others(seed: int, rows: int) -> None:
    directions = torch.nn.functional.normalize(vectors(seed, rows, 2), dim=1)
    belonging = nearest(vectors(seed + 1, rows, 3))
    for (row, own), rank in zip(belonging.tolist(), ranks_of(directions, belonging).tolist(), strict=True):
        likeness = (directions @ directions[row]).numpy()
        others = np.delete(likeness, [row, own])
        assert 1 + (others > likeness[own] + 1e-12).sum() <= rank <= 1 + (others >= likeness[own] - 1e-12).sum()


@given(seeds, st.integers(3, 20))
def test_the_teacher_finds_what_is_nearest_to_it_and_keeps_its_own_order(seed: int, rows: int) -> None:
    teacher = vectors(seed, rows, 4).float()
    quality = judge_of(teacher, torch.zeros(0, 2, dtype=torch.int64), 0)(3 * teacher)
    assert quality.spearman == pytest.approx(1)
    assert quality.mrr == pytest.approx(1)
    assert quality.ndcg == pytest.approx(1)
    assert quality.cosine == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("count", [2, 100, 632, 5_000])
def test_pairs_are_of_different_rows_and_bounded(count: int) -> None:
    first, other = drawn_pairs(count, torch.Generator().manual_seed(0))
    assert len(first) == min(MAX_PAIRS, count * (count - 1) // 2)
    assert bool((first != other).all())
    assert int(torch.maximum(first, other).max()) < count


@given(seeds, st.integers(6, 20))
def test_all_principal_components_give_the_centred_vectors_back(seed: int, rows: int) -> None:
    given_vectors = vectors(seed, rows, 5)
    table, directions = reduced(given_vectors, 5)
    assert_close(table @ directions.T, given_vectors - given_vectors.mean(0))
    assert_close(directions.T @ directions, torch.eye(5, dtype=torch.float64))
    variances = table.square().sum(0)
    assert bool((variances[1:] <= variances[:-1] + 1e-9).all())
