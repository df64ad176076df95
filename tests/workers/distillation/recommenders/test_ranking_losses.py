"""Losses of recommenders against their papers' formulas, written here in numpy with loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from tests.testing.examples import examples
from workers.distillation.recommenders.losses.bce import bce
from workers.distillation.recommenders.losses.bpr import bpr
from workers.distillation.recommenders.losses.de import Experts, choose, de, temperature_at
from workers.distillation.recommenders.losses.rd import discrepancy_weights, hybrid_weights, position_weights, rd
from workers.distillation.recommenders.losses.rrd import rrd
from workers.distillation.recommenders.losses.softmax_kl import softmax_kl

SEEDS = st.integers(0, 2**32 - 1)


def scores(seed: int, *shape: int, spread: float = 3.0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, spread, shape))


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


@given(SEEDS)
@settings(max_examples=examples(20))
def test_bpr_is_minus_the_log_chance_of_the_right_order(seed: int) -> None:
    chosen, drawn = scores(seed, 4, 1), scores(seed + 1, 4, 3)
    terms = [-np.log(sigmoid(float(chosen[i, 0] - drawn[i, j]))) for i in range(4) for j in range(3)]
    assert float(bpr(chosen, drawn)) == pytest.approx(np.mean(terms))


@given(SEEDS)
@settings(max_examples=examples(20))
def test_bce_is_the_log_likelihood_of_chosen_and_not_chosen(seed: int) -> None:
    chosen, drawn = scores(seed, 4, 1), scores(seed + 1, 4, 3)
    terms = [-np.log(sigmoid(x)) for x in chosen.flatten().tolist()]
    terms += [-np.log(1 - sigmoid(x)) for x in drawn.flatten().tolist()]
    assert float(bce(chosen, drawn)) == pytest.approx(np.mean(terms))


@given(SEEDS, st.integers(1, 6), st.floats(0.1, 20))
@settings(max_examples=examples(20))
def test_rd_is_the_weighted_log_loss_of_the_teachers_first_items(seed: int, top: int, position: float) -> None:
    student, weights = scores(seed, 5, top), position_weights(top, position).double()
    users = [sum(-float(weights[r]) * np.log(sigmoid(float(student[u, r]))) for r in range(top)) for u in range(5)]
    assert float(rd(student, weights)) == pytest.approx(np.mean(users))


@pytest.mark.parametrize("position", [0.05, 1.0, 7.5, 1000.0])
def test_position_weights_fall_exponentially_and_sum_to_one(position: float) -> None:
    raw = np.array([np.exp(-(r - 1) / position) for r in range(1, 11)])
    assert_close(position_weights(10, position).double(), torch.tensor(raw / raw.sum()), rtol=1e-5, atol=1e-7)


@given(SEEDS, st.floats(0.01, 2))
@settings(max_examples=examples(20))
def test_discrepancy_weights_are_those_of_the_paper(seed: int, mu: float) -> None:
    student, drawn = scores(seed, 3, 5), scores(seed + 1, 3, 20)
    unseen = torch.tensor([40, 100, 1000])
    found = discrepancy_weights(student, drawn, unseen, mu)
    for user in range(3):
        for place in range(5):
            n = sum(float(x) > float(student[user, place]) for x in drawn[user])
            estimated = int(np.floor(n * (int(unseen[user]) - 1) / 20)) + 1
            expected = np.tanh(max(mu * (estimated - (place + 1)), 0))
            assert float(found[user, place]) == pytest.approx(expected, rel=1e-6)


def test_what_the_student_ranks_as_high_as_the_teacher_has_no_weight() -> None:
    student, drawn = torch.tensor([[5.0, 4.0, 3.0]]), torch.full((1, 10), -1.0)
    weights = discrepancy_weights(student, drawn, torch.tensor([100]), 0.5)
    assert weights.tolist() == [[0, 0, 0]]
    assert hybrid_weights(position_weights(3, 1.0), weights).tolist() == [[0, 0, 0]]


@given(SEEDS)
@settings(max_examples=examples(20))
def test_hybrid_weights_are_the_normalised_product(seed: int) -> None:
    discrepancies, positions = scores(seed, 4, 6).abs(), position_weights(6, 2.0).double()
    product = discrepancies * positions
    assert_close(hybrid_weights(positions, discrepancies), product / product.sum(1, keepdim=True))


@given(SEEDS, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=examples(20))
def test_rrd_is_the_papers_permutation_probability(seed: int, interesting: int, uninteresting: int) -> None:
    top, rest = scores(seed, 3, interesting), scores(seed + 1, 3, uninteresting)
    logs = []
    for user in range(3):
        p = 1.0
        for k in range(interesting):
            below = sum(np.exp(float(top[user, i])) for i in range(k, interesting))
            below += sum(np.exp(float(x)) for x in rest[user])
            p *= np.exp(float(top[user, k])) / below
        logs.append(-np.log(p))
    assert float(rrd(top, rest)) == pytest.approx(np.mean(logs))


@given(SEEDS, st.floats(-1000, 1000))
@settings(max_examples=examples(20))
def test_a_constant_added_to_all_scores_changes_no_ranking_loss(seed: int, shift: float) -> None:
    top, rest = scores(seed, 3, 4), scores(seed + 1, 3, 6)
    assert_close(rrd(top + shift, rest + shift), rrd(top, rest))
    assert_close(softmax_kl(rest + shift, rest.flip(0), 2.0), softmax_kl(rest, rest.flip(0), 2.0))
    assert_close(bpr(top[:, :1] + shift, rest + shift), bpr(top[:, :1], rest))


@given(SEEDS)
@settings(max_examples=examples(20))
def test_rrd_asks_for_the_order_of_interesting_items_only(seed: int) -> None:
    top, rest = scores(seed, 3, 4), scores(seed + 1, 3, 6)
    assert_close(rrd(top, rest.flip(1)), rrd(top, rest))
    ordered = top.sort(1, descending=True).values
    assert rrd(ordered, rest) < rrd(ordered.flip(1), rest)


@given(SEEDS, st.floats(0.5, 50))
@settings(max_examples=examples(20))
def test_softmax_kl_is_the_divergence_times_t_squared(seed: int, temperature: float) -> None:
    student, teacher = scores(seed, 3, 7), scores(seed + 1, 3, 7)
    p, q = (np.exp(x.numpy() / temperature) for x in (teacher, student))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    expected = temperature**2 * np.mean((p * np.log(p / q)).sum(1))
    assert float(softmax_kl(student, teacher, temperature)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_items_that_a_teacher_does_not_name_have_no_share_and_no_broken_gradient() -> None:
    student = torch.tensor([[1.0, 2.0, 3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    teacher = torch.tensor([[0.0, -torch.inf, 1.0, -torch.inf]], dtype=torch.float64)
    struck = torch.tensor([[False, False, False, True]])  # chosen before: out of both distributions
    loss = softmax_kl(student.masked_fill(struck, -torch.inf), teacher, 1.0)
    p = np.exp([0.0, 1.0]) / np.exp([0.0, 1.0]).sum()
    q = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    assert loss.item() == pytest.approx(p[0] * np.log(p[0] / q[0]) + p[1] * np.log(p[1] / q[2]))
    [gradient] = torch.autograd.grad(loss, student)
    assert_close(gradient, torch.tensor([[q[0] - p[0], q[1], q[2] - p[1], 0.0]]))


@pytest.mark.parametrize("size", [1e-4, 1.0, 1e3, 1e4])
def test_losses_and_gradients_are_finite_for_scores_of_any_size(size: float) -> None:
    raw = (torch.randn(4, 12, generator=torch.Generator().manual_seed(0)) * size).requires_grad_()
    top, rest = raw[:, :5], raw[:, 5:]
    other = torch.randn(4, 12, generator=torch.Generator().manual_seed(1)) * size
    for loss in (
        bpr(top[:, :1], rest),
        bce(top[:, :1], rest),
        rd(top, position_weights(5, 1.0)),
        rrd(top, rest),
        softmax_kl(raw, other, 0.1),
        softmax_kl(raw, other, 1000.0),
    ):
        [gradient] = torch.autograd.grad(loss, raw, retain_graph=True)
        assert loss.isfinite()
        assert gradient.isfinite().all()


@given(SEEDS)
@settings(max_examples=examples(20))
def test_de_is_the_squared_distance_from_the_chosen_mixture(seed: int) -> None:
    rebuilt, teacher = scores(seed, 3, 2, 4).numpy(), scores(seed + 1, 3, 4).numpy()
    choice = torch.softmax(scores(seed + 2, 3, 2), 1).numpy()
    total = 0.0
    for u in range(3):
        for n in range(4):
            total += (teacher[u, n] - sum(choice[u, m] * rebuilt[u, m, n] for m in range(2))) ** 2
    found = de(torch.from_numpy(rebuilt), torch.from_numpy(teacher), torch.from_numpy(choice))
    assert float(found) == pytest.approx(total / 3)


def test_experts_are_chosen_by_the_seed_and_one_alone_when_it_is_cold() -> None:
    chances = torch.log_softmax(scores(0, 50, 6), 1)

    def drawn(temperature: float, seed: int) -> Tensor:
        return choose(chances, temperature, torch.Generator().manual_seed(seed))

    assert torch.equal(drawn(1.0, 3), drawn(1.0, 3))
    assert not torch.equal(drawn(1.0, 3), drawn(1.0, 4))
    assert_close(drawn(1.0, 3).sum(1), torch.ones(50, dtype=torch.float64))
    cold = drawn(1e-10, 3)
    assert set(cold.flatten().tolist()) == {0.0, 1.0}
    assert torch.equal(cold.argmax(1), drawn(1.0, 3).argmax(1))


def test_experts_are_chosen_as_often_as_their_chances_say() -> None:
    chances = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    found = choose(chances.log().expand(20_000, -1), 1e-10, torch.Generator().manual_seed(0)).mean(0)
    assert_close(found, chances, atol=0.015, rtol=0)


def test_the_temperature_of_the_choice_falls_geometrically() -> None:
    found = [temperature_at(epoch, 5, 10.0, 0.001) for epoch in range(1, 6)]
    assert found == pytest.approx([10, 1, 0.1, 0.01, 0.001])
    assert temperature_at(1, 1, 3.0, 0.1) == 3.0


def test_experts_learn_to_rebuild_the_teacher() -> None:
    torch.manual_seed(0)
    student, experts = torch.randn(40, 3), Experts(3, 5, 2)
    teacher = student @ torch.randn(3, 5)
    optimizer = torch.optim.Adam(experts.parameters(), lr=0.03)
    losses = []
    for step in range(200):
        loss = experts(student, teacher, 0.1, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < 0.2 * losses[0]
