"""Networks that score items for users."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch.testing import assert_close

from qstill.contract.distillations.recommenders.architectures import AnyScorer, Scorer
from workers.distillation.recommenders.networks import ScorerNetwork, build

USERS, ITEMS = 7, 90

FACTORS: dict[str, Any] = {"kind": "matrix_factorisation", "dimensions": 5}
TOWERS: dict[str, Any] = {"kind": "two_tower", "dimensions": 5, "tower": [8, 3]}
LAYERS: dict[str, Any] = {"kind": "mlp_scorer", "dimensions": 5, "hidden": [8, 4]}

each_kind = pytest.mark.parametrize("spec", [FACTORS, TOWERS, LAYERS], ids=lambda spec: str(spec["kind"]))


def made(spec: dict[str, Any], seed: int = 0) -> ScorerNetwork:
    known: TypeAdapter[AnyScorer] = TypeAdapter(Scorer)
    network = build(known.validate_python(spec), users=USERS, items=ITEMS, seed=seed)
    with torch.no_grad():
        for parameter in network.parameters():  # biases begin at 0, where a forgotten one would not show
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    return network


@each_kind
@pytest.mark.parametrize("asked", [2, 30])  # two items are looked up, thirty picked from a product of matrices
def test_a_pair_has_the_score_that_it_has_among_all_items(spec: dict[str, Any], asked: int) -> None:
    network = made(spec)
    users = torch.tensor([3, 0, 3])
    items = torch.randint(0, ITEMS, (3, asked), generator=torch.Generator().manual_seed(0))
    assert_close(network.pairs(users, items), network(users).gather(1, items))
    assert network(users).shape == (3, ITEMS)


def test_scores_of_factors_are_inner_products_and_a_bias() -> None:
    users, network = torch.tensor([1, 4]), made(FACTORS)
    weights = network.state_dict()
    by_hand = weights["user.weight"][users] @ weights["item.weight"].T + weights["bias.weight"].T
    assert_close(network(users), by_hand)


def test_scores_of_layers_are_those_of_each_pair_alone() -> None:
    users, network = torch.tensor([1, 4]), made(LAYERS)
    weights = network.state_dict()
    for row, user in enumerate(users):
        for item in range(0, ITEMS, 17):
            x = torch.cat([weights["user.weight"][user], weights["item.weight"][item]])
            for layer in ("hidden.0", "hidden.1"):
                x = torch.relu(weights[f"{layer}.weight"] @ x + weights[f"{layer}.bias"])
            by_hand = weights["head.weight"] @ x + weights["head.bias"]
            assert_close(network(users)[row, item], by_hand[0])


@each_kind
def test_initial_weights_depend_on_the_seed_alone(spec: dict[str, Any]) -> None:
    torch.manual_seed(1)
    first = made(spec, seed=5).state_dict()
    torch.manual_seed(2)
    again, other = made(spec, seed=5).state_dict(), made(spec, seed=6).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["user.weight"], other["user.weight"])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [(FACTORS, ITEMS * 5), (TOWERS, 5 * 8 + 8 * 3 + ITEMS * 3), (LAYERS, 5 * 8 + ITEMS * (8 * 4 + 4))],
    ids=["factors", "towers", "layers"],
)
def test_multiply_adds_of_a_users_ranking(spec: dict[str, Any], expected: int) -> None:
    assert made(spec).multiply_adds() == expected
