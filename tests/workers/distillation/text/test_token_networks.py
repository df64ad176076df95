"""Networks on text: padding is not heard, the future is not seen, and their products are counted."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from qstill.contract.distillations.architectures import Architecture, family_of
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build
from workers.distillation.networks.network import Network
from workers.distillation.networks.shapes import shapes_of
from workers.distillation.networks.texts.tokens import PAD

VOCABULARY, LENGTH, CLASSES = 20, 10, 4
CLASSIFIERS: list[dict[str, Any]] = [
    {"kind": "bag_of_embeddings", "width": 6, "hidden": [5]},
    {"kind": "text_cnn", "width": 6, "filters": 3, "sizes": [1, 2, 4]},
    {"kind": "lstm", "width": 6, "hidden": 5, "depth": 2},
    {"kind": "text_transformer", "width": 8, "depth": 2, "heads": 2},
]
DECODER: dict[str, Any] = {"kind": "decoder", "width": 8, "depth": 2, "heads": 2}
ENCODER: dict[str, Any] = DECODER | {"kind": "encoder"}


def network(given: dict[str, Any], classes: int = CLASSES, *, seed: int = 0) -> Network:
    architecture = TypeAdapter(Architecture).validate_python(given)
    return build(architecture, (LENGTH,), classes, seed=seed, pointer="/x", vocabulary=VOCABULARY)


def tokens(rows: int, seed: int) -> Tensor:
    return torch.randint(3, VOCABULARY, (rows, LENGTH), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("given", CLASSIFIERS)
def test_logits_have_a_row_for_each_text_and_a_decoder_one_for_each_token(given: dict[str, Any]) -> None:
    assert logits_of(network(given), tokens(3, 0)).shape == (3, CLASSES)
    answers = logits_of(network(DECODER, VOCABULARY), tokens(3, 0))
    assert answers.shape == (3 * LENGTH, VOCABULARY)
    assert torch.allclose(answers[LENGTH : 2 * LENGTH], logits_of(network(DECODER), tokens(3, 0)[1:2]), atol=1e-6)


@settings(max_examples=examples(20), deadline=None)
@given(st.integers(0, 1000), st.integers(1, LENGTH - 1), st.integers(1, VOCABULARY - 1))
def test_a_later_token_never_changes_earlier_answers(seed: int, at: int, token: int) -> None:
    x = tokens(2, seed)
    changed = x.clone()
    changed[0, at:] = token
    one = network(DECODER, VOCABULARY)
    before, after = (logits_of(one, given).view(2, LENGTH, -1) for given in (x, changed))
    assert torch.equal(before[0, :at], after[0, :at])
    assert torch.equal(before[1], after[1])
    if not torch.equal(x, changed):
        assert not torch.equal(before[0, at:], after[0, at:])


def test_an_encoder_sees_what_follows_and_is_deaf_to_padding() -> None:
    one, x = network(ENCODER, VOCABULARY), tokens(2, 4)
    changed = x.clone()
    changed[0, 7] = 5 if x[0, 7] != 5 else 6
    before, after = (logits_of(one, given).view(2, LENGTH, -1) for given in (x, changed))
    assert not torch.equal(before[0, 0], after[0, 0])
    assert torch.equal(before[1], after[1])
    x[0, 6:] = PAD
    assert torch.allclose(logits_of(one, x)[:6], logits_of(one, x[:1, :6]), atol=1e-6)
    assert logits_of(one, torch.zeros(1, LENGTH, dtype=torch.int64)).isfinite().all()


@pytest.mark.parametrize("given", CLASSIFIERS)
def test_padding_is_not_heard(given: dict[str, Any]) -> None:
    one = network(given)
    x = tokens(4, 1)
    x[0, 6:] = PAD
    short = logits_of(one, x[:1, :6])
    assert torch.allclose(logits_of(one, x[:1]), short, atol=1e-6)
    longer = x.clone()
    longer[1:, 4:] = PAD
    assert torch.allclose(logits_of(one, longer)[:1], short, atol=1e-6)  # nor that of other rows
    assert logits_of(one, torch.zeros(1, LENGTH, dtype=torch.int64)).isfinite().all()


def test_a_bag_does_not_see_the_order_and_the_others_do() -> None:
    x = tokens(1, 2)
    for kind in CLASSIFIERS:
        same = torch.allclose(logits_of(network(kind), x), logits_of(network(kind), x.flip(1)), atol=1e-6)
        assert same == (kind["kind"] == "bag_of_embeddings")


def test_parameters_and_multiply_adds_are_those_of_a_count_by_hand() -> None:
    bag, cnn, lstm, encoder = (network(given) for given in CLASSIFIERS)
    assert parameters(bag) == 20 * 6 + 6 * 5 + 5 + 5 * 4 + 4
    assert multiply_adds(bag, (LENGTH,)) == 6 * 5 + 5 * 4
    assert multiply_adds(cnn, (LENGTH,)) == 10 * 6 * 3 * (1 + 2 + 4) + 9 * 4
    assert multiply_adds(lstm, (LENGTH,)) == 10 * 4 * 5 * ((6 + 5) + (5 + 5)) + 5 * 4
    block = 10 * 8 * 24 + 2 * 10 * 10 * 8 + 10 * 8 * 8 + 2 * 10 * 8 * 16
    assert multiply_adds(encoder, (LENGTH,)) == 2 * block + 8 * 4
    decoder, masked = network(DECODER, VOCABULARY), network(ENCODER, VOCABULARY)
    assert (parameters(masked), multiply_adds(masked, (LENGTH,))) == (parameters(decoder), 2 * block + 10 * 8 * 20)
    assert multiply_adds(decoder, (LENGTH,)) == 2 * block + 10 * 8 * 20
    assert parameters(decoder) == 20 * 8 + 10 * 8 + 2 * (8 * 24 + 24 + 8 * 8 + 8 + 2 * 8 * 16 + 16 + 8 + 4 * 8) + 2 * 8


@pytest.mark.parametrize("given", [*CLASSIFIERS, DECODER, ENCODER])
def test_initial_weights_depend_on_the_seed_alone(given: dict[str, Any]) -> None:
    first, second, other = (network(given, VOCABULARY, seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("given", [*CLASSIFIERS, DECODER, ENCODER])
def test_features_are_those_that_the_door_knows(given: dict[str, Any]) -> None:
    architecture = TypeAdapter(Architecture).validate_python(given)
    expected = family_of(architecture).features(architecture)
    assert dict.fromkeys(shapes_of(network(given), tokens(1, 0)), "flat") == expected


@pytest.mark.parametrize("given", CLASSIFIERS)
def test_gradients_are_finite_and_reach_all_weights_that_text_reaches(given: dict[str, Any]) -> None:
    one = network(given)
    x = tokens(8, 3)
    x[:, 7:] = PAD
    one(x).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in one.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    embedding = gradients["embedding.weight"]
    assert embedding is not None
    assert not embedding[PAD].any()


def test_a_network_for_numbers_does_not_read_text_nor_the_other_way_round() -> None:
    with pytest.raises(Problem, match="does not read text"):
        network({"kind": "mlp", "hidden": [4]})
    architecture = TypeAdapter(Architecture).validate_python(DECODER)
    with pytest.raises(Problem, match="does not read numbers"):
        build(architecture, (LENGTH,), 3, seed=0, pointer="/x")
    with pytest.raises(ValidationError):
        network(DECODER | {"heads": 3})
