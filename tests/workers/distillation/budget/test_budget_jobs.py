"""Jobs whose student a budget chooses: from the candidates to the report, the same after any interruption."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.report.document import DistillationReport, read_report
from tests.workers.distillation.conftest import FakeRun
from tests.workers.distillation.learners import hashes, resumed
from workers.distillation.jobs import distil_job
from workers.distillation.preflight.look import preflight

pytestmark = pytest.mark.training

House = Callable[..., FakeRun]
CLOCKS = ("latency_ms", "seconds", "latency", "cost")
TABLE = "age,job,since,renews\n" + "\n".join(
    f"{20 + i % 50 if i % 7 else ''},{('baker', 'nurse', '')[i % 3]},0{1 + i % 9}.03.2020,"
    f"{'yes' if i % 3 == 1 or i % 50 > 30 else 'no'}"
    for i in range(240)
)


def job(budget: dict[str, Any] | None = None, *, compare: bool = False, **changes: Any) -> BudgetedJob:
    body: dict[str, Any] = {
        "dataset": {"source": "builtin", "name": "iris", "labelled": 15},
        "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [16, 16]}},
        "student": {"budget": budget or {"times_smaller": 4}, "compare": compare},
        "training": {"epochs": 9, "batch_size": 16, "learning_rate": 0.03},
        "evaluation": {"seeds": 2},
    }
    return BudgetedJob.model_validate(body | changes)


def report_of(run: FakeRun) -> DistillationReport:
    return read_report(json.loads(run.published["report.json"]))


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: timeless(part) for name, part in value.items() if name not in CLOCKS}
    return [timeless(part) for part in value] if isinstance(value, list) else value


def test_the_report_says_what_was_tried_what_nothing_beats_and_why_this_one(house: House) -> None:
    run = house()
    distil_job(job(), run)
    report = report_of(run)
    found = report.budget
    assert found is not None
    complete = {each.number: each for each in found.candidates if each.status == "complete"}
    assert found.chosen in complete
    assert found.chosen in found.front
    assert set(found.front) <= set(complete)
    assert all(each.worth is not None and found.student.worth >= each.worth for each in complete.values())
    assert any(each.status == "given_up" for each in found.candidates)
    assert found.student.words in found.why
    cost = report.student.cost
    assert cost is not None
    assert cost.size is not None
    assert (cost.size.parameters, cost.size.bytes) == (found.student.parameters, found.student.bytes)
    assert report.teacher.cost is not None
    assert report.teacher.cost.size is not None
    assert 4 * cost.size.parameters <= report.teacher.cost.size.parameters == found.teacher_parameters
    assert report.job["student"]["budget"]["times_smaller"] == 4
    assert not any(name.startswith("candidate") for name in [*report.curves, *run.published])
    told = [data for kind, data in run.events if kind == "candidate"]
    assert sorted(each["number"] for each in told) == [each.number for each in found.candidates]


def test_the_chosen_student_is_trained_as_if_it_had_been_named(house: House) -> None:
    spec, run, named = job(), house(), house()
    distil_job(spec, run)
    budget = report_of(run).budget
    assert budget is not None
    distil_job(spec.with_architecture(budget.student.architecture), named)
    assert hashes(run) == hashes(named)


@pytest.mark.parametrize("stops", [[3], [40, 11], [100, 60, 30]])
def test_a_search_that_is_interrupted_goes_on_bit_for_bit(house: House, stops: list[int]) -> None:
    unbroken = house()
    result = distil_job(job(), unbroken)
    last, after = resumed(job(), house, stops)
    assert after["student_sha256"] == result["student_sha256"]
    assert hashes(last) == hashes(unbroken)
    first, second = (report_of(run).budget for run in (unbroken, last))
    assert first is not None
    assert second is not None
    assert timeless(first.model_dump(mode="json")) == timeless(second.model_dump(mode="json"))


def test_at_equal_bytes_it_stands_beside_the_teacher_made_smaller(house: House) -> None:
    run = house()
    training = {"epochs": 3, "batch_size": 32, "learning_rate": 0.03}
    distil_job(job(compare=True, training=training, evaluation={"seeds": 1}), run)
    section = report_of(run).compression
    assert section is not None
    assert {each.pruning for each in section.candidates} == {None, "magnitude", "structured"}
    fitting = [each for each in section.at_equal_bytes if each.fits]
    assert any(each.name.startswith("teacher-") for each in fitting)


def test_numbers_are_chosen_by_their_error_and_told_why_they_stand_alone(house: House) -> None:
    run = house()
    dataset = {"source": "builtin", "name": "diabetes", "task": "regression"}
    distil_job(job({"bytes": 3_000}, compare=True, dataset=dataset, objective={"kind": "logit_mse"}), run)
    report = report_of(run)
    assert report.budget is not None
    worths = [each.worth for each in report.budget.candidates if each.status == "complete" and each.worth is not None]
    assert report.budget.student.worth == min(worths)
    assert report.compression is None
    assert any("regression has none" in note for note in report.budget.notes)


def test_a_table_of_words_and_gaps_has_a_budget_of_its_file(house: House, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(TABLE)
    run = house(files={"file_1": path})
    distil_job(job({"bytes": 6_000}, dataset={"source": "file", "file": "file_1", "target": "renews"}), run)
    report = report_of(run)
    assert report.budget is not None
    assert report.budget.student.bytes == len(run.published["student-seed-0.safetensors"]) <= 6_000
    assert report.encoded


def test_texts_have_candidates_of_several_kinds(house: House) -> None:
    run = house()
    texts = {
        "dataset": {
            "source": "builtin_text",
            "name": "python_topics",
            "task": "classification",
            "tokenizer": {"kind": "word", "vocabulary": 200},
            "max_length": 16,
            "labelled": 60,
        },
        "teacher": {"source": "train", "architecture": {"kind": "bag_of_embeddings", "width": 24}},
        "training": {"epochs": 1, "batch_size": 64, "learning_rate": 0.01},
        "evaluation": {"seeds": 1},
    }
    distil_job(job({"times_smaller": 2}, **texts), run)
    report = report_of(run)
    assert report.budget is not None
    kinds = {each.architecture.kind for each in report.budget.candidates}
    assert kinds == {"bag_of_embeddings", "text_cnn", "lstm", "text_transformer"}


def test_a_preflight_shows_the_candidates_and_how_long_they_take(house: House) -> None:
    spec = job(compare=True)
    said = preflight(spec, PreflightQuestion(job=spec, seconds_limit=1e6), house())
    run = house()
    distil_job(spec.model_copy(update={"student": job().student}), run)
    budget = report_of(run).budget
    assert budget is not None
    keep = ("number", "words", "architecture", "part", "parameters", "bytes", "multiply_adds")
    tried = [each.model_dump(mode="json", include=set(keep)) for each in budget.candidates]
    assert [{name: each[name] for name in keep} for each in said["candidates"]] == tried
    search = said["time"]["search"]
    assert 0 < search["low"] <= search["expected"] <= search["high"]
    assert said["time"]["compression"]["expected"] > 0
    assert not any((each["pointer"] or "").startswith("/student/architecture") for each in said["advice"])
