"""A teacher whose columns are other classes, or who knows less than nothing, ends the job, unless that is accepted."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris

from app.distillations.card import card, text
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.preflight_parts import Advice
from qstill.contract.distillations.report.document import read_report
from qstill.contract.errors import Problem
from qstill.contract.sweeps.sweep import Sweep
from tests.testing.refusals import problem_of
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job
from workers.sweeps.run import run as sweep

Make = Callable[..., Any]
Json = dict[str, Any]

NAMES = ["setosa", "versicolor", "virginica"]
SOFT = {"source": "soft_labels", "file": "file_1", "kind": "logits"}
WORSE = "teacher_worse_than_chance"
SHORT: Json = {"training": {"epochs": 1}, "evaluation": {"seeds": 1, "baseline": False}}
ORDERS = [order for order in permutations(range(3)) if order != (0, 1, 2)]


@pytest.fixture
def told(house: Make, tmp_path: Path) -> Callable[[Any], Any]:
    """A house that has these soft labels."""

    def make(logits: Any) -> Any:
        np.save(tmp_path / "soft.npy", logits)
        return house(files={"file_1": tmp_path / "soft.npy"})

    return make


def good() -> Any:
    """Logits that are right on most rows of iris."""
    draw = np.random.default_rng(0)
    return 4 * np.eye(3)[load_iris().target] + draw.normal(size=(150, 3))


def noise() -> Any:
    """Right on fewer validation rows than any class has, in no order."""
    return np.log(np.random.default_rng(0).dirichlet([1, 1, 1], size=150))


def refused(body: Any, told: Any) -> Problem:
    raised = problem_of(distil_job, body, told)
    assert not [kind for kind, _ in told.events if kind == "epoch"]
    return raised


def objections(body: Any, told: Any) -> list[Advice]:
    said = inspect(PreflightQuestion(job=body, seconds_limit=60.0), told)["advice"]
    return [Advice.model_validate(each) for each in said if each["code"] in ("class_order", WORSE)]


def report_of(told: Any) -> Json:
    report: Json = json.loads(told.published["report.json"])
    return report


@pytest.mark.parametrize("order", ORDERS)
def test_columns_in_any_other_order_end_the_job_with_the_list_as_the_way_out(
    job: Make, told: Callable[[Any], Any], order: tuple[int, ...]
) -> None:
    wrong = good()[:, order]
    problem = refused(job(teacher=SOFT, **SHORT), told(wrong))
    assert (problem.code, problem.pointer) == ("class_order", "/teacher/classes")
    assert problem.ways_out[0] == {"classes": [NAMES[column] for column in order]}
    first = objections(job(teacher=SOFT, **SHORT), told(wrong))[0]
    assert (first.code, first.severity, first.pointer) == (problem.code, "problem", problem.pointer)
    distil_job(job(teacher=SOFT | problem.ways_out[0], **SHORT), mended := told(wrong))
    distil_job(job(teacher=SOFT, **SHORT), right := told(good()))
    assert report_of(mended)["teacher"]["summary"] == report_of(right)["teacher"]["summary"]


def test_what_is_accepted_stands_in_report_and_card(job: Make, told: Callable[[Any], Any]) -> None:
    wrong = good()[:, [1, 2, 0]]
    first = refused(job(teacher=SOFT, **SHORT), told(wrong))
    body = job(teacher=SOFT | first.ways_out[1], **SHORT)
    house = told(wrong)
    distil_job(body, house)
    warnings = report_of(house)["warnings"]
    assert first.title in warnings
    assert text(first.title) in card(read_report(report_of(house)))
    assert ("warning", {"code": "class_order", "detail": first.title}) in house.events
    assert {each.severity for each in objections(body, told(wrong))} == {"warning"}


def test_a_teacher_worse_than_chance_ends_the_job_unless_that_is_accepted(
    job: Make, told: Callable[[Any], Any]
) -> None:
    problem = refused(job(teacher=SOFT, **SHORT), told(noise()))
    assert (problem.code, problem.pointer, problem.ways_out) == (WORSE, "/teacher", [{"accept": [WORSE]}])
    (said,) = objections(job(teacher=SOFT, **SHORT), told(noise()))
    assert (said.code, said.severity, said.pointer) == (WORSE, "problem", "/teacher")
    distil_job(job(teacher=SOFT | problem.ways_out[0], **SHORT), told(noise()))


def test_members_of_an_ensemble_are_asked_one_by_one(job: Make, told: Callable[[Any], Any]) -> None:
    wrong = good()[:, [1, 2, 0]]
    trained = {"source": "train", "architecture": {"kind": "mlp", "hidden": [4]}}
    both = {"source": "ensemble", "members": [trained, SOFT]}
    problem = refused(job(teacher=both, **SHORT), told(wrong))
    assert (problem.code, problem.pointer) == ("class_order", "/teacher/members/1/classes")
    distil_job(job(teacher=both | problem.ways_out[1], **SHORT), told(wrong))
    distil_job(job(teacher=both | {"members": [trained, SOFT | problem.ways_out[0]]}, **SHORT), told(wrong))


def test_a_teacher_of_numbers_that_is_further_off_than_their_mean_ends_the_job(
    job: Make, told: Callable[[Any], Any]
) -> None:
    truth = load_diabetes().target
    body: Json = {
        "dataset": {"source": "builtin", "name": "diabetes", "task": "regression"},
        "objective": {"kind": "logit_mse"},
        **SHORT,
    }
    teacher = SOFT | {"kind": "values"}
    problem = refused(job(teacher=teacher, **body), told(-truth))
    assert (problem.code, problem.pointer) == (WORSE, "/teacher")
    distil_job(job(teacher=teacher | problem.ways_out[0], **body), told(-truth))


def test_a_sweep_asks_its_teacher_too(job: Make, told: Callable[[Any], Any]) -> None:
    base = job(teacher=SOFT, **SHORT).model_dump(mode="json", exclude_none=True)
    body = Sweep.model_validate({"base": base, "space": {"/objective/temperature": [1.0, 2.0]}})
    raised = problem_of(sweep, body, told(good()[:, [1, 2, 0]]))
    assert (raised.code, raised.pointer) == ("class_order", "/base/teacher/classes")
