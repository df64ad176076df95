"""The laws of pruning, of quantisation, and of how files are stored."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from torch import Tensor

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.cnn import Cnn
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.architectures.resnet import ResNet, WideResNet
from qstill.contract.distillations.architectures.vit import Vit
from qstill.contract.distillations.datasets import BuiltinData
from tests.testing.examples import examples
from workers.distillation.artifacts.student_onnx import onnx_logits
from workers.distillation.compress.blueprint import Blueprint
from workers.distillation.compress.fold import folded
from workers.distillation.compress.int4 import GROUP, grouped, to_int4
from workers.distillation.compress.int8 import to_int8_dynamic, to_int8_static
from workers.distillation.compress.magnitude import keep_masked, masked, masks_of, weights_of
from workers.distillation.compress.pack import by_bitmap, by_gaps, packed
from workers.distillation.compress.search import least_that_fits
from workers.distillation.compress.structured import without_units
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build
from workers.distillation.networks.network import BatchNorm, Network

pytestmark = pytest.mark.training

MLP = Mlp(kind="mlp", hidden=[32, 24], activation="tanh")
CNN = Cnn(kind="cnn", channels=[6, 8])
RESNET = ResNet(kind="resnet", depth=8, width=4)
WIDE = WideResNet(kind="wide_resnet", depth=10, widen=1)
PRUNED_BY_UNITS = [MLP, CNN, RESNET, WIDE]
named = pytest.mark.parametrize("architecture", PRUNED_BY_UNITS, ids=lambda each: each.kind)

sparsities = st.floats(0, 0.99)


@pytest.fixture(scope="module")
def data() -> Data:
    return load(BuiltinData(source="builtin", name="digits"), {})


@cache
def blueprint_of(kind: str) -> tuple[Network, Blueprint]:
    """A network and its blueprint: the exporter takes seconds."""
    network = network_of(next(each for each in PRUNED_BY_UNITS if each.kind == kind))
    return network, Blueprint(network, load(BuiltinData(source="builtin", name="digits"), {}))


def network_of(architecture: AnyArchitecture, shape: tuple[int, ...] = (1, 8, 8)) -> Network:
    """In eval mode, with normalisation that has seen something."""
    network = build(architecture, shape, 10, seed=1, pointer="")
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(64, *shape, generator=draw))
    return network.eval()


@given(sparsity=sparsities, seed=st.integers(0, 99), equal=st.booleans())
@settings(max_examples=examples(40), deadline=None)
def test_as_many_weights_go_as_were_asked_for_and_they_are_the_smallest(
    sparsity: float, seed: int, equal: bool
) -> None:
    network = build(MLP, (20,), 3, seed=seed, pointer="")
    if equal:  # none is smaller than another
        with torch.no_grad():
            network.head.weight.fill_(0.25)
    masks = masks_of(network, sparsity)
    weights, stays = (
        torch.cat([part[name].flatten() for name in masks]) for part in (dict(weights_of(network)), masks)
    )
    assert abs(int((~stays).sum()) - sparsity * len(stays)) <= 0.5
    if 0 < stays.sum() < len(stays):
        assert weights[stays].abs().min() >= weights[~stays].abs().max()
    smaller = masked(network, masks)
    for name, weight in weights_of(smaller).items():
        assert torch.equal(weight, weights_of(network)[name] * masks[name])
    assert torch.equal(smaller.head.bias, network.head.bias)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda weights: torch.optim.Adam(weights, lr=0.1, weight_decay=0.1),
        lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    ],
)
def test_what_was_pruned_stays_zero_while_the_rest_learns(
    optimizer: Callable[[Any], torch.optim.Optimizer],
) -> None:
    network = build(MLP, (20,), 3, seed=0, pointer="")
    masks = masks_of(network, 0.8)
    network = masked(network, masks).train()
    keep_masked(network, masks)
    before = {name: weight.detach().clone() for name, weight in weights_of(network).items()}
    steps = optimizer(network.parameters())
    for _ in range(5):
        steps.zero_grad()
        network(torch.randn(8, 20)).square().sum().backward()
        steps.step()
    for name, weight in weights_of(network).items():
        assert not weight[~masks[name]].any()
        assert (weight != before[name]).any()


@named
@given(sparsity=sparsities)
@settings(max_examples=examples(15), deadline=None)
def test_structured_pruning_leaves_a_smaller_dense_network(architecture: AnyArchitecture, sparsity: float) -> None:
    network = network_of(architecture)
    smaller = without_units(network, sparsity)
    for before, after in zip(network.joints(), smaller.joints(), strict=True):
        assert after.units == max(1, before.units - round(sparsity * before.units))
    logits = logits_of(smaller, torch.randn(3, 1, 8, 8))
    assert logits.shape == (3, 10)
    if any(round(sparsity * joint.units) for joint in network.joints()):
        assert parameters(smaller) < parameters(network)
        assert multiply_adds(smaller, (1, 8, 8)) < multiply_adds(network, (1, 8, 8))
    else:
        assert torch.equal(logits_of(network, torch.ones(2, 1, 8, 8)), logits_of(smaller, torch.ones(2, 1, 8, 8)))


@named
@given(share=st.floats(0, 0.9), seed=st.integers(0, 99))
@settings(max_examples=examples(15), deadline=None)
def test_removing_dead_units_changes_no_logit(architecture: AnyArchitecture, share: float, seed: int) -> None:
    network, draw = network_of(architecture), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for joint in network.joints():
            dead = torch.randperm(joint.units, generator=draw)[: round(share * joint.units)]
            joint.maker.weight[dead] = 0
            if joint.maker.bias is not None:
                joint.maker.bias[dead] = 0
            if joint.norm is not None:
                joint.norm.bias[dead] = 0
                joint.norm.running_mean[dead] = 0
    x = torch.randn(16, 1, 8, 8, generator=draw)
    torch.testing.assert_close(logits_of(without_units(network, share), x), logits_of(network, x), atol=1e-4, rtol=1e-4)


def test_the_units_that_go_have_the_smallest_norms() -> None:
    network = build(Mlp(kind="mlp", hidden=[4]), (3,), 2, seed=0, pointer="")
    with torch.no_grad():
        network.hidden[0].weight.copy_(torch.tensor([[9.0, 0, 0], [0.1, 0.1, 0.1], [-2, 0, 0], [1, 1, -1]]))
    smaller = without_units(network, 0.5)
    assert smaller.hidden[0].weight.tolist() == [[9.0, 0, 0], [1, 1, -1]]
    assert torch.equal(smaller.head.weight, network.head.weight[:, [0, 3]])


@given(units=st.integers(1, 5), inputs=st.integers(1, 80), scale=st.floats(1e-6, 1e6), seed=st.integers(0, 2**16))
@settings(max_examples=examples(60), deadline=None)
def test_four_bits_move_no_weight_by_more_than_half_a_step_and_once_is_enough(
    units: int, inputs: int, scale: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    weights = (draw.standard_normal((units, inputs)) * scale).astype(np.float32)
    weights[draw.random(weights.shape) < 0.3] = 0
    codes, scales = grouped(weights)
    back = (codes * scales[:, :, None]).reshape(units, -1)[:, :inputs].astype(np.float32)
    steps = np.repeat(scales, GROUP, axis=1)[:, :inputs]
    assert (np.abs(back - weights) <= steps * (0.5 + 1e-5)).all()
    assert (back[weights == 0] == 0).all()
    again, scales_again = grouped(back)
    assert np.array_equal(again, codes)
    np.testing.assert_allclose(scales_again, scales, rtol=1e-6)


@pytest.mark.parametrize("architecture", [MLP, CNN, RESNET])
def test_a_file_of_four_bits_computes_what_its_weights_of_four_bits_do(
    architecture: AnyArchitecture, data: Data
) -> None:
    network, blueprint = blueprint_of(architecture.kind)
    content = blueprint.write(network)
    found = onnx_logits(to_int4(content), data.test.raw[:50], 1)

    model = onnx.load_from_string(content)  # the same file, each matrix and filter rounded in float32
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if tensor.name.endswith("weight") and weights.ndim > 1:
            flat = weights.reshape(len(weights), -1)
            codes, scales = grouped(flat)
            back = (codes * scales[:, :, None]).reshape(len(flat), -1)[:, : flat.shape[1]].reshape(weights.shape)
            tensor.CopyFrom(numpy_helper.from_array(back.astype(np.float32), tensor.name))
    expected = onnx_logits(model.SerializeToString(), data.test.raw[:50], 1)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(found, logits_of(network, data.test.x[:50]), atol=1e-3)


@pytest.mark.parametrize("architecture", [MLP, CNN], ids=lambda each: each.kind)
def test_quantising_again_changes_nothing(architecture: AnyArchitecture, data: Data) -> None:
    network, blueprint = blueprint_of(architecture.kind)
    content, rows = blueprint.write(network), data.test.raw[:50]
    for quantise in (to_int4, to_int8_dynamic):
        once = quantise(content)
        assert torch.equal(onnx_logits(quantise(once), rows, 1), onnx_logits(once, rows, 1))


values = st.sampled_from([0.0, 1.5, -2.0, 3.25])


@given(flat=st.lists(values, min_size=1, max_size=60), empty=st.integers(0, 2000), whole=st.sampled_from([4, 1]))
@settings(max_examples=examples(60), deadline=None)
def test_stored_tensors_come_back_to_the_bit_and_take_what_the_formula_says(
    flat: list[float], empty: int, whole: int
) -> None:
    tensor = np.array(flat + [0.0] * empty + flat, dtype=np.float32 if whole == 4 else np.int8)
    found, counts = np.unique(tensor, return_counts=True)
    others = tensor != found[counts.argmax()]
    many = int(others.sum())

    bitmap, kept = by_bitmap(tensor, others)
    assert bitmap.nbytes + kept.nbytes == -(-len(tensor) // 8) + (many + 1) * tensor.itemsize
    gaps, stored = by_gaps(tensor, others)
    stops = len(gaps) - many - 1
    assert gaps.nbytes + stored.nbytes == (many + stops + 1) * (tensor.itemsize + 1)
    assert stops <= len(tensor) // 255

    nodes = [onnx.helper.make_node("Identity", ["tensor"], ["out"])]
    out = onnx.helper.make_tensor_value_info("out", onnx.helper.np_dtype_to_tensor_dtype(tensor.dtype), [len(tensor)])
    held = numpy_helper.from_array(tensor, "tensor")
    graph = onnx.helper.make_graph(nodes, "g", [], [out], [held])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    content = packed(model.SerializeToString())
    assert len(content) <= len(model.SerializeToString())
    session = ort.InferenceSession(content)
    assert np.array_equal(session.run(None, {})[0], tensor)
    assert packed(content) == content


@pytest.mark.parametrize(
    ("architecture", "sparsity"),
    [(MLP, 0.0), (MLP, 0.5), (MLP, 0.99), (CNN, 0.9), (RESNET, 0.9)],
)
def test_a_packed_file_answers_as_before_and_is_as_long_as_was_foretold(
    architecture: AnyArchitecture, sparsity: float, data: Data
) -> None:
    network, blueprint = blueprint_of(architecture.kind)
    pruned = masked(network, masks_of(network, sparsity))
    content = blueprint.write(pruned)
    short = packed(content)
    torch.testing.assert_close(
        onnx_logits(short, data.test.raw, 1), logits_of(pruned, data.test.x), atol=1e-3, rtol=1e-3
    )
    assert torch.equal(onnx_logits(short, data.test.raw[:9], 1), onnx_logits(content, data.test.raw[:9], 1))
    assert len(packed(blueprint.as_long(pruned))) == pytest.approx(len(short), rel=0.01)
    assert len(short) <= len(content)
    for quantise in (to_int8_dynamic, lambda each: to_int8_static(each, data.train.raw[:20]), to_int4):
        dense, foretold = quantise(content), packed(quantise(blueprint.as_long(pruned)))
        assert torch.equal(onnx_logits(packed(dense), data.test.raw[:9], 1), onnx_logits(dense, data.test.raw[:9], 1))
        assert len(packed(dense)) <= 1.01 * len(foretold)


@pytest.mark.parametrize("architecture", [MLP, CNN, RESNET])
def test_narrower_networks_are_written_from_the_same_blueprint(architecture: AnyArchitecture, data: Data) -> None:
    network, blueprint = blueprint_of(architecture.kind)
    smaller = without_units(network, 0.5)
    content = blueprint.write(smaller)
    torch.testing.assert_close(
        onnx_logits(content, data.test.raw, 1), logits_of(smaller, data.test.x), atol=1e-3, rtol=1e-3
    )
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)


@pytest.mark.parametrize(("architecture", "left"), [(RESNET, 0), (WIDE, 4)])
def test_a_folded_network_computes_what_it_did(architecture: AnyArchitecture, left: int, data: Data) -> None:
    """left: normalisations with something else than a convolution before them."""
    network = network_of(architecture)
    smaller = folded(without_units(network, 0.4))
    assert sum(isinstance(each, BatchNorm) for each in folded(network).modules()) == left
    for folds, before in ((folded(network), network), (smaller, without_units(network, 0.4))):
        torch.testing.assert_close(logits_of(folds, data.test.x), logits_of(before, data.test.x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("architecture", [MLP, CNN, RESNET], ids=lambda each: each.kind)
def test_nothing_is_exported_twice(architecture: AnyArchitecture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exporter takes seconds, and a comparison writes a hundred files."""
    network, blueprint = blueprint_of(architecture.kind)
    monkeypatch.setattr("workers.distillation.compress.blueprint.to_onnx", lambda *given: pytest.fail("exported"))
    for smaller in (network, without_units(network, 0.5), masked(network, masks_of(network, 0.5))):
        assert len(blueprint.write(smaller)) == len(blueprint.as_long(smaller))


@pytest.mark.slow
def test_a_transformer_is_pruned_and_quantised_too(data: Data) -> None:
    """Its matrices stand turned in the file, so that it is exported anew each time."""
    network = network_of(Vit(kind="vit", patch=4, width=16, depth=1, heads=2))
    pruned = masked(network, masks_of(network, 0.9))
    blueprint = Blueprint(network, data)
    content = blueprint.write(pruned)
    assert len(packed(content)) < 0.8 * len(content)
    assert len(packed(blueprint.as_long(pruned))) == pytest.approx(len(packed(content)), rel=0.05)
    expected: Tensor = logits_of(pruned, data.test.x)
    for quantise in (to_int8_dynamic, lambda each: to_int8_static(each, data.train.raw[:50]), to_int4):
        found = onnx_logits(packed(quantise(content)), data.test.raw, 1)
        assert float((found - expected).abs().max()) < 0.5 * float(expected.abs().max())


@given(fits_from=st.integers(0, 60), steps=st.integers(2, 50))
@settings(max_examples=examples(60), deadline=None)
def test_the_search_finds_the_least_that_fits(fits_from: int, steps: int) -> None:
    last = int(0.999 * steps)

    def length(sparsity: float) -> int:
        return 10 if round(sparsity * steps) >= fits_from else 11

    found = least_that_fits(length, steps, 10)
    assert found == (None if fits_from > last else fits_from / steps)
