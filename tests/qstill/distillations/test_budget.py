"""A budget in place of an architecture: what may be asked, what is refused at the door, and what widths there are."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from qstill.contract.distillations.architectures import FAMILIES
from qstill.contract.distillations.architectures.family import widths
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.architectures.vit import Vit
from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.domains import AnyJob, Job
from qstill.contract.sweeps.sweep import Sweep
from tests.testing.examples import examples

JOB: TypeAdapter[AnyJob] = TypeAdapter(Job)
DIGITS: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "digits", "labelled": 50},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [64]}},
    "student": {"budget": {"times_smaller": 10}},
}
TEXTS = {
    "dataset": {"source": "builtin_text", "name": "python_topics", "task": "classification"},
    "teacher": {"source": "train", "architecture": {"kind": "text_cnn"}},
}
INTERACTIONS = {"dataset": {"source": "synthetic_interactions"}, "teacher": {"source": "train"}}
NUMBERS = {
    "dataset": {"source": "builtin", "name": "diabetes", "task": "regression"},
    "objective": {"kind": "logit_mse"},
}
SOFT = {"source": "soft_labels", "file": "file_1", "kind": "logits"}


def refused(**changes: Any) -> tuple[str, str]:
    """(code, pointer) of the first error."""
    with pytest.raises(ValidationError) as caught:
        JOB.validate_python(DIGITS | changes)
    first = caught.value.errors()[0]
    return first["type"], "/".join(str(part) for part in first["loc"] if part != "of rows, within a budget")


@pytest.mark.parametrize(
    "budget",
    [
        {"times_smaller": 10},
        {"bytes": 5_000},
        {"milliseconds": 0.1},
        {"multiply_adds": 900},
        {"bytes": 1, "times_smaller": 1},
    ],
)
def test_a_budget_says_one_limit_or_several(budget: dict[str, Any]) -> None:
    found = JOB.validate_python(DIGITS | {"student": {"budget": budget}})
    assert isinstance(found, BudgetedJob)
    assert set(found.student.budget.limits()) == set(budget)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"student": {"budget": {}}}, "nothing_limited", "student/budget"),
        ({"student": {"budget": {"times_smaller": 0.5}}}, "greater_than_equal", "student/budget/times_smaller"),
        ({"student": {"budget": {"bytes": 0}}}, "greater_than_equal", "student/budget/bytes"),
        ({"student": {"budget": {"kilobytes": 5}}}, "extra_forbidden", "student/budget/kilobytes"),
        (
            {"student": {"budget": {"bytes": 9}, "architecture": {"kind": "mlp", "hidden": []}}},
            "architecture_chosen",
            "student/budget",
        ),
        ({"teacher": SOFT}, "teacher_without_size", "student/budget/times_smaller"),
        (
            {"teacher": {"source": "ensemble", "members": [DIGITS["teacher"], SOFT]}},
            "teacher_without_size",
            "student/budget/times_smaller",
        ),
        (
            {"teacher": {"source": "http", "url": "https://teacher.example/v1"}},
            "teacher_without_size",
            "student/budget/times_smaller",
        ),
        ({"objective": {"kind": "fitnet"}}, "layers_unknown", "objective/kind"),
        ({"export": ["cirq"]}, "not_for_this_network", "export/0"),
        (INTERACTIONS, "no_budget_here", "student/budget"),
        ({"dataset": {"source": "circuit", "circuit": {}}}, "no_budget_here", "student/budget"),
        ({"dataset": {"source": "builtin_sentences", "name": "python_reference"}}, "no_budget_here", "student/budget"),
    ],
)
def test_what_cannot_work_is_refused_at_the_door(changes: dict[str, Any], code: str, pointer: str) -> None:
    assert refused(**changes) == (code, pointer)


def test_soft_labels_may_have_a_budget_that_is_no_part_of_them() -> None:
    JOB.validate_python(DIGITS | {"teacher": SOFT, "student": {"budget": {"bytes": 9_000}}})


def test_a_sweep_looks_for_no_budget() -> None:
    with pytest.raises(ValidationError, match="a sweep of its own"):
        Sweep.model_validate({"base": DIGITS, "space": {"/objective/alpha": [0.1, 0.9]}})


@pytest.mark.parametrize("body", [DIGITS, DIGITS | TEXTS])
def test_any_architecture_stands_in_until_one_is_chosen(body: dict[str, Any]) -> None:
    job = JOB.validate_python(body)
    assert isinstance(job, BudgetedJob)
    standing = job.standing_in()
    assert (standing.dataset, standing.teacher, standing.training) == (job.dataset, job.teacher, job.training)


def test_a_chosen_student_is_compared_as_far_as_it_can_be() -> None:
    job = JOB.validate_python(DIGITS)
    assert isinstance(job, BudgetedJob)
    found, why_not = job.comparing(Mlp(kind="mlp", hidden=[4]))
    assert found.compression is not None
    assert found.compression.kinds() == ["magnitude", "structured"]
    found, _ = job.comparing(Vit(kind="vit", width=4, heads=4))
    assert found.compression is not None
    assert found.compression.kinds() == ["magnitude"]
    assert why_not is None
    numbers = JOB.validate_python(DIGITS | NUMBERS)
    assert isinstance(numbers, BudgetedJob)
    found, why_not = numbers.comparing(Mlp(kind="mlp", hidden=[4]))
    assert found.compression is None
    assert why_not is not None
    assert "regression has none" in why_not
    alone = JOB.validate_python(DIGITS | {"student": {"budget": {"bytes": 9_000}, "compare": False}})
    assert isinstance(alone, BudgetedJob)
    assert alone.comparing(Mlp(kind="mlp", hidden=[4])) == (alone.with_architecture(Mlp(kind="mlp", hidden=[4])), None)


@given(st.integers(1, 40), st.integers(0, 2_000), st.integers(1, 8))
@settings(max_examples=examples(60))
def test_widths_rise_by_a_fifth_or_one_step(least: int, more: int, multiple: int) -> None:
    least *= multiple
    most = least + more * multiple
    found = widths(least, most, multiple=multiple)
    assert (found[0], found[-1]) == (least, most)
    assert all(width % multiple == 0 for width in found)
    assert all(a < b <= max(a + multiple, 1.2 * a + multiple) for a, b in pairwise(found))


@pytest.mark.parametrize("shape", [(7,), (1, 8, 8), (3, 32, 32), (1, 17, 17), (64,)], ids=str)
def test_every_form_has_networks_of_all_its_widths(shape: tuple[int, ...]) -> None:
    for family in FAMILIES:
        if family.reads == "images" and len(shape) < 3:
            continue
        for form in family.forms(shape):
            assert list(form.widths) == sorted(set(form.widths))
            assert {type(form.of(width)) for width in form.widths} == {family.definition}
