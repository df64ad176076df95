"""Networks have the weights and the multiply-adds that counting by hand gives, and the features that they promise."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.architectures import Architecture, family_of
from tests.testing.refusals import problem_of
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build
from workers.distillation.networks.network import BatchNorm, Network
from workers.distillation.networks.shapes import shapes_of

TURNS = [{"gate": "ry", "target": qubit, "rotation": f"a{qubit}"} for qubit in range(6)]
OWN = {
    "format": "json",
    "qubits": 6,
    "operations": [*TURNS, {"gate": "xx", "targets": [0, 5], "rotation": "b"}, *TURNS],
}
EVERY: list[dict[str, Any]] = [
    {"kind": "mlp", "hidden": [6, 5]},
    {"kind": "cnn", "channels": [3, 4]},
    {"kind": "resnet", "depth": 8, "width": 3},
    {"kind": "wide_resnet", "depth": 10, "widen": 1, "dropout": 0.2},
    {"kind": "vit", "patch": 2, "width": 8, "depth": 2, "heads": 2, "dropout": 0.2},
    {"kind": "fourier", "frequencies": [2, *[0] * 62, 1], "units": 0.5},
    {"kind": "quantum", "qubits": 6, "layers": 2, "encoding": {"kind": "amplitude"}},
    {"kind": "circuit", "circuit": OWN},
]
OF_IMAGES = EVERY[1:5]


def network(given: dict[str, Any], shape: tuple[int, ...] = (1, 8, 8), classes: int = 10, *, seed: int = 0) -> Network:
    return build(TypeAdapter(Architecture).validate_python(given), shape, classes, seed=seed, pointer="/x")


def test_residual_networks_have_the_sizes_of_their_papers() -> None:
    resnet = network({"kind": "resnet", "depth": 20}, (3, 32, 32))
    assert parameters(resnet) == 269_722
    convolutions = (
        9 * (3 * 16 + 6 * 16 * 16) * 1024 + 9 * (16 * 32 + 5 * 32 * 32) * 256 + 9 * (32 * 64 + 5 * 64 * 64) * 64
    )
    assert multiply_adds(resnet, (3, 32, 32)) == convolutions + 64 * 10 == 40_551_040
    assert parameters(network({"kind": "wide_resnet", "depth": 16, "widen": 2}, (3, 32, 32), 100)) == 703_284
    assert parameters(network({"kind": "wide_resnet", "depth": 40, "widen": 2}, (3, 32, 32), 100)) == 2_255_156


def test_multiply_adds_are_those_of_a_count_by_hand() -> None:
    assert multiply_adds(network({"kind": "mlp", "hidden": [16]}), (1, 8, 8)) == 64 * 16 + 16 * 10
    assert multiply_adds(network({"kind": "cnn", "channels": [3]}), (1, 8, 8)) == 9 * 3 * 64 + 3 * 16 * 10
    wide = network({"kind": "wide_resnet", "depth": 10, "widen": 1})
    stages = 9 * (2 * 16 * 16) * 64 + 9 * (16 * 32 + 32 * 32) * 16 + 9 * (32 * 64 + 64 * 64) * 4
    assert multiply_adds(wide, (1, 8, 8)) == 9 * 16 * 64 + stages + 16 * 32 * 16 + 32 * 64 * 4 + 64 * 10
    sum_of_three = {"kind": "fourier", "frequencies": [1, 0, 2]}
    assert multiply_adds(network(sum_of_three, (3,), 4), (3,)) == 3 * 1 + 3 * 5 + 14 * 4
    vit = network({"kind": "vit", "patch": 2, "width": 8, "depth": 3, "heads": 2})
    block = 16 * 8 * 24 + 2 * 16 * 16 * 8 + 16 * 8 * 8 + 2 * 16 * 8 * 16
    assert multiply_adds(vit, (1, 8, 8)) == 16 * 4 * 8 + 3 * block + 8 * 10


@pytest.mark.parametrize("given", EVERY)
def test_features_have_the_names_and_kinds_that_the_door_knows(given: dict[str, Any]) -> None:
    one = network(given)
    architecture = TypeAdapter(Architecture).validate_python(given)
    expected = family_of(architecture).features(architecture)
    x = torch.randn(3, 1, 8, 8)
    shapes = shapes_of(one, x[:1])
    assert {name: "image" if len(shape) == 3 else "flat" for name, shape in shapes.items()} == expected
    assert list(shapes) == list(expected)
    one.eval()
    logits, features = one.with_features(x)
    assert torch.equal(logits, one(x))
    assert all(len(rows) == 3 for rows in features.values())


@pytest.mark.parametrize("given", EVERY)
def test_weights_come_from_the_seed_and_are_all_floating_point_and_trained(given: dict[str, Any]) -> None:
    first, same, other = (network(given, seed=seed) for seed in (0, 0, 1))
    assert all(tensor.is_floating_point() for tensor in first.state_dict().values())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), same.parameters(), strict=True))
    x, y = torch.randn(8, 1, 8, 8), torch.arange(8)
    assert not torch.equal(logits_of(first, x), logits_of(other, x))
    torch.nn.functional.cross_entropy(first(x), y).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in first.parameters())
    assert first.head.bias is not None


@pytest.mark.parametrize("given", EVERY)
def test_an_answer_does_not_depend_on_the_rows_beside_it(given: dict[str, Any]) -> None:
    one, x = network(given), torch.randn(6, 1, 8, 8)
    torch.testing.assert_close(logits_of(one, x)[:2], logits_of(one, x[:2]), rtol=1e-4, atol=1e-5)
    assert one.training


def test_normalisation_is_torchs_own() -> None:
    ours, theirs = BatchNorm(3), torch.nn.BatchNorm2d(3)
    for _ in range(3):
        x = 2 * torch.randn(4, 3, 5, 5) + 1
        torch.testing.assert_close(ours(x), theirs(x))
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(x), theirs(x))
    alone = BatchNorm(3)(torch.randn(1, 3, 1, 1))
    assert alone.isfinite().all()


@pytest.mark.parametrize("given", OF_IMAGES)
def test_tables_are_refused_by_networks_for_images(given: dict[str, Any]) -> None:
    refused = problem_of(network, given, (4,), 3)
    assert (refused.code, refused.pointer) == ("architecture_mismatch", "/x/kind")
    (way_out,) = refused.ways_out
    network(dict(way_out), (4,), 3)


def test_patches_have_to_tile_the_image() -> None:
    refused = problem_of(network, {"kind": "vit", "patch": 3}, (1, 8, 8))
    assert (refused.code, refused.pointer) == ("architecture_mismatch", "/x/patch")
    assert refused.ways_out == [{"patch": 4}]
    with pytest.raises(ValidationError, match="evenly"):
        network({"kind": "vit", "width": 10, "heads": 4})
