"""What a job minimises: sums, ramps, layers and the projections that are trained along."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor
from torch.testing import assert_close

from qstill.contract.distillations.objectives import Objective, OnFeatures, Ramp
from qstill.contract.distillations.objectives.layers import LayersDoNotFit, layer_pairs
from tests.testing.refusals import problem_of
from workers.distillation.objectives import DISTANCES
from workers.distillation.objectives.criterion import Criterion, refuse_layers
from workers.distillation.objectives.schedules import value_at
from workers.distillation.objectives.terms import Target, cross_entropy_of_known
from workers.distillation.signals.signals import Signal

ROWS, CLASSES = 6, 4
STUDENT = {"stages.0": (3, 4, 4), "stages.1": (5, 2, 2), "pool": (5,)}
TEACHER = {"convolutions.0": (7, 4, 4), "hidden": (9,)}


def objective(**given: Any) -> Any:
    return TypeAdapter(Objective).validate_python(given)


def features(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.randn(ROWS, *shape, generator=draw) for name, shape in shapes.items()}


def terms(wanted: Any, *, epoch: int | None = None, seed: int = 0) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(1)
    logits, answers = (torch.randn(ROWS, CLASSES, generator=draw) for _ in range(2))
    criterion = Criterion(wanted, STUDENT, TEACHER, seed=seed)
    signal = Signal(answers, "teacher", features(TEACHER, 3))
    return dict(criterion(logits, features(STUDENT, 2), signal, Target(torch.arange(ROWS) % CLASSES, epoch)))


def test_a_sum_adds_what_its_parts_say_by_their_weights() -> None:
    parts = [objective(kind="kd", temperature=3.0), objective(kind="sp", hard_weight=0.0), objective(kind="at")]
    weights = [0.5, 2.0, 1.0]
    together = objective(
        kind="sum",
        terms=[{"weight": w, "objective": part.model_dump()} for w, part in zip(weights, parts, strict=True)],
    )
    found, alone = terms(together), [terms(part) for part in parts]
    for name in ("hard", "soft", "loss"):
        assert_close(found[name], sum(w * one[name] for w, one in zip(weights, alone, strict=True)))


def test_a_part_of_a_sum_without_a_kind_is_kd() -> None:
    found = objective(kind="sum", terms=[{"objective": {"temperature": 2.0}}])
    assert found.terms[0].objective == objective(kind="kd", temperature=2.0)
    assert_close(terms(found), terms(objective(temperature=2.0)))


@pytest.mark.parametrize("kind", DISTANCES)
def test_features_are_weighed_against_labels(kind: str) -> None:
    found = terms(objective(kind=kind, hard_weight=3.0))
    wanted = objective(kind=kind)
    assert_close(found["loss"], 3 * found["hard"] + getattr(wanted, "weight", 1.0) * found["soft"])
    assert_close(found["hard"], terms(objective(kind="kd", alpha=0.0))["hard"])
    assert found["soft"] > 0


def test_several_layers_add_up() -> None:
    both = {"stages.0": "convolutions.0", "stages.1": "convolutions.0"}
    alone = [terms(objective(kind="at", layers={mine: theirs}))["soft"] for mine, theirs in both.items()]
    assert_close(terms(objective(kind="at", layers=both))["soft"], alone[0] + alone[1])


def test_the_default_is_the_last_layers_that_fit() -> None:
    def pairs(kind: str) -> dict[str, str]:
        known: Any = {"stages.0": "image", "stages.1": "image", "pool": "flat"}
        return layer_pairs(objective(kind=kind), known, {"convolutions.0": "image", "hidden": "flat"})

    assert pairs("sp") == pairs("fitnet") == {"pool": "hidden"}
    assert pairs("at") == {"stages.1": "convolutions.0"}


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"kind": "sp", "layers": {"pool": "magic"}}, "/objective/layers/pool"),
        ({"kind": "sp", "layers": {"magic": "hidden"}}, "/objective/layers/magic"),
        ({"kind": "at", "layers": {"pool": "hidden"}}, "/objective/layers/pool"),
        ({"kind": "fitnet", "layers": {"stages.0": "hidden"}}, "/objective/layers/stages.0"),
        (
            {"kind": "sum", "terms": [{"objective": {}}, {"objective": {"kind": "rkd", "layers": {"a": "b"}}}]},
            "/objective/terms/1/objective/layers/a",
        ),
    ],
)
def test_layers_that_cannot_be_compared_are_refused(given: dict[str, Any], place: str) -> None:
    refused = problem_of(refuse_layers, objective(**given), STUDENT, TEACHER)
    assert (refused.code, refused.pointer) == ("layers_do_not_fit", place)


def test_a_network_without_a_hidden_layer_has_nothing_to_compare() -> None:
    wanted = objective(kind="sp")
    assert isinstance(wanted, OnFeatures)
    with pytest.raises(LayersDoNotFit, match="student has no hidden layer"):
        layer_pairs(wanted, {}, {"hidden.0": "flat"})
    with pytest.raises(LayersDoNotFit, match="compares images"):
        layer_pairs(objective(kind="at"), {"hidden.0": "flat"}, {"hidden.0": "flat"})


def test_projections_are_drawn_from_the_seed_and_lead_to_the_teachers_width() -> None:
    random = torch.get_rng_state()
    first, same, other = (Criterion(objective(kind="fitnet"), STUDENT, TEACHER, seed=s).state_dict() for s in (0, 0, 1))
    assert torch.equal(random, torch.get_rng_state())
    assert [tuple(weight.shape) for weight in first.values()] == [(9, 5), (9,)]
    for name, weight in first.items():
        assert torch.equal(weight, same[name])
        assert not torch.equal(weight, other[name])
    images = Criterion(objective(kind="fitnet", layers={"stages.1": "convolutions.0"}), STUDENT, TEACHER, seed=0)
    assert [tuple(weight.shape) for weight in images.state_dict().values()] == [(7, 5, 1, 1), (7,)]
    crd = Criterion(objective(kind="crd", width=16), STUDENT, TEACHER, seed=0)
    assert [tuple(weight.shape) for weight in crd.state_dict().values()] == [(16, 5), (16,), (16, 9), (16,)]
    cosine = Criterion(objective(kind="cosine"), STUDENT, TEACHER, seed=0)
    assert [tuple(weight.shape) for weight in cosine.state_dict().values()] == [(9, 5), (9,)]


def test_distilberts_three_terms_are_a_sum_of_two_objectives() -> None:
    """5·T²·KL at T = 2, 2·cross-entropy and 1·cosine, of networks of one width: nothing is projected."""
    widths = {"last": (6,)}
    softened = {"weight": 7.0, "objective": {"kind": "kd", "temperature": 2.0, "alpha": 5 / 7}}
    directed = {"objective": {"kind": "cosine", "hard_weight": 0.0}}
    criterion = Criterion(objective(kind="sum", terms=[softened, directed]), widths, widths, seed=0)
    assert not list(criterion.parameters())
    draw = np.random.default_rng(0)
    z, answers, mine, theirs = (draw.normal(size=(ROWS, width)) for width in (CLASSES, CLASSES, 6, 6))
    labels = np.arange(ROWS) % CLASSES
    kl = cross_entropy = cosine = 0.0
    for row in range(ROWS):
        p, q, plain = (np.exp(one) / np.exp(one).sum() for one in (answers[row] / 2, z[row] / 2, z[row]))
        kl += 4 * float(np.sum(p * np.log(p / q))) / ROWS
        cross_entropy -= float(np.log(plain[labels[row]])) / ROWS
        lengths = np.linalg.norm(mine[row]) * np.linalg.norm(theirs[row])
        cosine += (1 - float(mine[row] @ theirs[row] / lengths)) / ROWS
    signal = Signal(torch.tensor(answers), "teacher", {"last": torch.tensor(theirs)})
    found = criterion(torch.tensor(z), {"last": torch.tensor(mine)}, signal, Target(torch.tensor(labels)))
    assert found["loss"].item() == pytest.approx(5 * kl + 2 * cross_entropy + cosine, rel=1e-6)


def test_ramps_go_from_one_end_to_the_other_and_stay() -> None:
    ramp = {"from": 8.0, "to": 2.0, "epochs": 4}
    linear, cosine = (TypeAdapter(Ramp).validate_python({**ramp, "shape": shape}) for shape in ("linear", "cosine"))
    assert [value_at(linear, epoch) for epoch in (1, 2, 3, 4, 5, None)] == pytest.approx([8, 6, 4, 2, 2, 2])
    half = 8 - 6 * (1 - np.cos(np.pi / 3)) / 2
    assert [value_at(cosine, epoch) for epoch in (1, 2, 4, 9, None)] == pytest.approx([8, half, 2, 2, 2])
    assert value_at(0.3, 7) == 0.3


def test_a_ramp_of_a_temperature_a_share_or_a_weight_is_the_number_of_its_epoch() -> None:
    ramp = {"from": 0.2, "to": 0.8, "epochs": 3}
    for epoch, now in ((1, 0.2), (2, 0.5), (3, 0.8), (None, 0.8)):
        for kind, name in (("kd", "alpha"), ("jsd", "temperature"), ("dist", "beta"), ("sp", "weight")):
            moving, fixed = (terms(objective(kind=kind, **{name: value}), epoch=epoch) for value in (ramp, now))
            assert_close(moving, fixed)
        outer = objective(kind="sum", terms=[{"weight": ramp, "objective": {"kind": "kd"}}])
        assert_close(terms(outer, epoch=epoch)["loss"], now * terms(objective(kind="kd"), epoch=epoch)["loss"])


def test_class_weights_and_smoothing_are_torchs_own_over_the_labelled_rows() -> None:
    logits, answers = torch.randn(ROWS, CLASSES), torch.randn(ROWS, CLASSES)
    labels, weights = torch.tensor([0, 1, -1, 3, -1, 1]), torch.tensor([1.0, 2.0, 3.0, 0.5])
    criterion = Criterion(objective(kind="kd"), {}, {}, seed=0)
    known = labels >= 0
    for smoothing in (0.0, 0.2):
        found = criterion(logits, {}, Signal(answers, ""), Target(labels, None, weights, smoothing))["hard"]
        expected = torch.nn.functional.cross_entropy(logits[known], labels[known], weights, label_smoothing=smoothing)
        assert_close(found, expected)
    even = criterion(logits, {}, Signal(answers, ""), Target(labels, None, torch.ones(CLASSES)))["hard"]
    assert_close(even, cross_entropy_of_known(logits, labels))
    none = criterion(logits, {}, Signal(answers, ""), Target(torch.full((ROWS,), -1), None, weights, 0.1))["hard"]
    assert none == 0
    weightless = Target(torch.ones(ROWS, dtype=torch.long), None, torch.tensor([1.0, 0.0, 1.0, 1.0]), 0.1)
    assert criterion(logits, {}, Signal(answers, ""), weightless)["hard"] == 0
