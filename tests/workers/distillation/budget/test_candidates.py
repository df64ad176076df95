"""Candidates of a budget fit into it, the widest of each form among them; where nothing fits it is said what would."""

from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.budget.candidates import choices_within, forms_for, widths_within
from workers.distillation.budget.limits import Scale, limits_of, one_core, teacher_parameters
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build

IRIS = {"source": "builtin", "name": "iris", "labelled": 15}
DIGITS = {"source": "builtin", "name": "digits", "labelled": 50}
TEACHER = {"source": "train", "architecture": {"kind": "mlp", "hidden": [32, 32]}}
TEACHERS_WEIGHTS = 4 * 32 + 32 + 32 * 32 + 32 + 32 * 3 + 3


def job(budget: dict[str, Any], **changes: Any) -> BudgetedJob:
    body = {"dataset": IRIS, "teacher": TEACHER, "student": {"budget": budget}}
    return BudgetedJob.model_validate(body | changes)


@cache
def rows(name: str) -> Data:
    spec = job({"bytes": 1}, dataset={"source": "builtin", "name": name, "labelled": 50}).dataset
    return load(spec, {})  # type: ignore[arg-type]  # built in


@given(st.integers(15, 800), st.integers(1_000, 4_000) | st.none())
@settings(max_examples=examples(20), deadline=None)
def test_candidates_take_what_they_say_and_no_more_than_the_budget(adds: int, size: int | None) -> None:
    data = rows("iris")
    spec = job({"multiply_adds": adds} | ({} if size is None else {"bytes": size}))
    found = choices_within(spec, data, None)  # type: ignore[arg-type]  # no teacher is asked for
    assert [each.number for each in found.candidates] == list(range(len(found.candidates)))
    for each in found.candidates:
        network = build(each.architecture, data.input_shape, 3, seed=0, pointer="")
        assert each.parameters == parameters(network)
        assert each.multiply_adds == multiply_adds(network, data.input_shape) <= adds * each.part
        assert each.bytes == len(to_bytes(network.state_dict(), each.architecture, data))
        assert size is None or each.bytes <= size * each.part
    sizes = [each.parameters for each in found.candidates]
    assert sizes == sorted(sizes, reverse=True)


@given(st.integers(12, 800))
@settings(max_examples=examples(20), deadline=None)
def test_the_widest_of_a_form_fits_and_the_next_one_does_not(adds: int) -> None:
    data = rows("iris")
    spec = job({"multiply_adds": adds})
    scale = Scale(data, limits_of(spec.student.budget, None))
    for form in forms_for(spec, data):
        found = widths_within(form, scale)
        fitting = [width for width in form.widths if scale.taken(form.of(width), "multiply_adds") <= adds]
        assert found[:1] == fitting[-1:]
        assert set(found) <= set(fitting)


def test_ten_times_smaller_is_of_the_teachers_weights(house: Any) -> None:
    found = choices_within(job({"times_smaller": 10}), rows("iris"), house())
    assert found.teacher_parameters == TEACHERS_WEIGHTS
    assert found.limits.parameters == TEACHERS_WEIGHTS // 10
    assert max(each.parameters for each in found.candidates) <= TEACHERS_WEIGHTS // 10


def test_an_ensemble_is_as_large_as_its_members_together(house: Any) -> None:
    spec = job({"times_smaller": 10}, teacher={"source": "ensemble", "members": [TEACHER, TEACHER]})
    assert teacher_parameters(spec.standing_in(), rows("iris"), house()) == 2 * TEACHERS_WEIGHTS


def test_images_have_candidates_of_every_kind_and_rows_have_mlps(house: Any) -> None:
    budget = {"bytes": 16_000}
    images = choices_within(job(budget, dataset=DIGITS), rows("digits"), house())
    assert {each.architecture.kind for each in images.candidates} == {"mlp", "cnn", "resnet", "vit"}
    assert {each.architecture.kind for each in choices_within(job(budget), rows("iris"), house()).candidates} == {"mlp"}
    assert {each.part for each in images.candidates} == {1.0, 0.5, 0.25}


def test_forms_that_cannot_do_what_a_job_asks_are_no_candidates(house: Any) -> None:
    pruned = {"pruning": [{"kind": "structured", "sparsity": 0.5}], "quantisation": [], "combine": True}
    found = choices_within(job({"bytes": 9_000}, dataset=DIGITS, compression=pruned), rows("digits"), house())
    assert "vit" not in {each.architecture.kind for each in found.candidates}


@pytest.mark.parametrize(
    ("budget", "field"),
    [
        ({"times_smaller": 200}, "times_smaller"),
        ({"bytes": 100}, "bytes"),
        ({"multiply_adds": 3, "bytes": 100_000}, "multiply_adds"),
        ({"milliseconds": 1e-6}, "milliseconds"),
    ],
)
def test_where_nothing_fits_the_way_out_is_what_the_smallest_takes(
    budget: dict[str, Any], field: str, house: Any
) -> None:
    with pytest.raises(Problem) as caught:
        choices_within(job(budget), rows("iris"), house())
    problem = caught.value
    assert (problem.code, problem.pointer) == ("nothing_fits", f"/student/budget/{field}")
    (way_out,) = problem.ways_out
    assert set(way_out) == {field}
    if field != "milliseconds":  # which a clock has measured
        assert choices_within(job(budget | dict(way_out)), rows("iris"), house()).candidates


def test_one_core_is_one_core_inside() -> None:
    torch.set_num_threads(2)
    with one_core():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
