"""What a preflight says of a recommender is what its job will find, and it costs a few batches."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from qstill.contract.distillations.domains import AnyJob
from qstill.contract.distillations.inspection import Inspection
from qstill.contract.distillations.recommenders.preflight import RankingPreflight
from tests.testing.refusals import problem_of
from tests.workers.distillation.conftest import FakeRun
from tests.workers.distillation.recommenders.test_recommender_jobs import (
    DE,
    LISTS,
    RD,
    RRD,
    SMALL,
    done,
    job,
    lists_of,
)
from workers.distillation.inspection import inspect
from workers.distillation.recommenders.data.dataset import load
from workers.distillation.recommenders.learner import RankingLearner
from workers.distillation.recommenders.preflight.rehearsal import first_users
from workers.distillation.recommenders.signals import from_network

pytestmark = pytest.mark.training

House = Callable[..., FakeRun]


def looked(wanted: AnyJob, told: FakeRun) -> RankingPreflight:
    """As a worker is asked: through JSON."""
    question = {"ask": "preflight", "job": wanted.model_dump(mode="json", exclude_none=True), "seconds_limit": 9e4}
    asked: TypeAdapter[Any] = TypeAdapter(Inspection)
    return RankingPreflight.model_validate(inspect(asked.validate_json(json.dumps(question)), told))


def codes(found: RankingPreflight) -> set[str]:
    return {advice.code for advice in found.advice}


def test_it_says_what_the_report_will_say(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    told = house()
    found = looked(job(), told)
    assert (told.events, told.published, told.saved) == ([], {}, None)
    steps, learn = [], RankingLearner.learn
    monkeypatch.setattr(RankingLearner, "learn", lambda self, some: (steps.append(1), learn(self, some))[0])
    _, _, report = done(house, job())
    assert found.shapes.total_steps == len(steps)
    assert found.shapes.rows == {name: report["rows"][name] for name in ("train", "validation", "test")}
    assert (found.shapes.users, found.shapes.items) == (60, 50)
    assert found.capacity.student_parameters == report["student"]["cost"]["size"]["parameters"]
    assert found.capacity.teacher_multiply_adds == report["teacher"]["cost"]["size"]["multiply_adds"]
    assert found.data.head_items == next(
        each["items"] for each in report["by_popularity"] if each["items_of"] == "head"
    )
    assert found.data.tested_users <= found.shapes.rows["test"]
    assert found.teachers == []
    assert 0 < found.time.total.low <= found.time.total.expected <= found.time.total.high
    assert found.memory.process < found.memory.peak
    assert {"few_steps", "synthetic", "few_test_users"} <= codes(found)


@pytest.mark.parametrize(
    "objective",
    [RD, RRD, DE, {"kind": "sum", "terms": [{"objective": RRD}, {"objective": DE}]}],
    ids=lambda objective: str(objective["kind"]),
)
@pytest.mark.parametrize("batch", [16, 4096])
def test_every_objective_is_rehearsed(house: House, objective: dict[str, Any], batch: int) -> None:
    found = looked(job(objective=objective, training={"epochs": 8, "batch_size": batch}), house())
    assert found.shapes.batch_sizes["student"] == min(batch, found.shapes.rows["train"])
    assert found.time.steps_measured >= 6
    assert "loss_not_finite" not in codes(found)


def test_popularity_is_that_of_the_training_split(house: House) -> None:
    """By hand: each validation item among those that its user has not chosen, ties standing before it."""
    wanted = job()
    found, data = looked(wanted, house()), load(wanted.dataset, {})  # type: ignore[arg-type]
    counts = data.train.items.bincount(minlength=data.items).tolist()
    gains = []
    for user, item in zip(data.validation.users.tolist(), data.validation.items.tolist(), strict=True):
        chosen = set(data.train.items[data.train.users == user].tolist())
        rank = sum(counts[other] >= counts[item] for other in range(data.items) if other not in chosen)
        gains.append(1 / math.log2(rank + 1) if rank <= 5 else 0.0)
    assert found.data.popularity_ndcg == pytest.approx(sum(gains) / len(gains))
    assert found.data.density == pytest.approx(len(data.train) / 3000)


def test_uploaded_lists_are_measured(house: House, tmp_path: Path) -> None:
    wanted = job(objective=RD)
    taught, _, _ = done(house, wanted)
    good, bad = tmp_path / "lists.csv", tmp_path / "bad.csv"
    lists_of(taught, wanted, good, 12)
    header, *rows = good.read_text().splitlines()
    bad.write_text("\n".join([header, *(f"{row.rsplit(',', 1)[0]},{-index}" for index, row in enumerate(rows[:480]))]))
    (check,) = looked(job(objective=RD, teacher=LISTS), house(files={"file_1": good})).teachers
    report = done(house, job(objective=RD, teacher=LISTS), files={"file_1": good})[2]
    assert (check.users, check.depth, check.pointer) == (60, 5, "/teacher")
    assert check.ndcg > 0
    assert check.users_asked == len(torch.unique(load(wanted.dataset, {}).validation.users))  # type: ignore[arg-type]
    assert report["teacher"]["cost"] is None
    found = looked(job(objective=RD, teacher=LISTS), house(files={"file_1": bad}))
    assert found.teachers[0].users == 40
    assert found.capacity.ratio is None
    assert "users_without_list" in codes(found)


def test_a_model_that_is_there_is_measured(house: House, tmp_path: Path) -> None:
    taught, _, report = done(house, job(training={"epochs": 12, "batch_size": 64}))
    name, place = "model_" + "0" * 32, tmp_path / "teacher.safetensors"
    place.write_bytes(taught.published["teacher.safetensors"])
    found = looked(job(teacher={"source": "model", "model": name}), house(files={name: place}))
    (check,) = found.teachers
    assert check.ndcg == pytest.approx(report["teacher"]["runs"][0]["validation_ndcg"])
    assert found.capacity.teacher_parameters == report["teacher"]["cost"]["size"]["parameters"]
    assert "teacher" not in found.shapes.batch_sizes
    assert (found.time.teacher_training.expected, check.users) == (0, 60)


def test_what_the_job_would_fail_with_is_raised_alike(house: House, tmp_path: Path) -> None:
    (tmp_path / "lists.csv").write_text("user,item,score\nnobody,1,2\n")
    wanted = job(objective=RD, teacher=LISTS)
    refused = problem_of(looked, wanted, house(files={"file_1": tmp_path / "lists.csv"}))
    assert (refused.code, refused.pointer) == ("lists_mismatch", "/teacher/file")
    rows = [f"{user},{item}" for user in range(4) for item in range(13)] + ["4,13", "4,0", "4,1"]
    (tmp_path / "full.csv").write_text("\n".join(["user,item", *rows]))
    full = job(dataset={"source": "interactions", "file": "file_1"}, objective=RRD)
    assert problem_of(looked, full, house(files={"file_1": tmp_path / "full.csv"})).code == "too_few_items"


def test_a_large_catalogue_is_asked_about_few_users(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(
        "workers.distillation.recommenders.preflight.look.from_network",
        lambda *given, **named: (asked.append(len(named["asked"])), from_network(*given, **named))[1],
    )
    data = SMALL["dataset"] | {"users": 2000, "items": 40}
    found = looked(job(dataset=data, training={"batch_size": 32}, objective=RRD), house())
    assert asked[0] <= 64
    assert found.time.teacher_answers.expected > 0


def test_a_teacher_that_is_asked_about_some_says_the_same_of_them() -> None:
    from workers.distillation.recommenders.plan import student_stages

    wanted = job()
    data = load(wanted.dataset, {})  # type: ignore[arg-type]
    stage = student_stages(wanted)[0][0]  # type: ignore[arg-type]
    some, network = first_users(stage, data)[:7], stage.begin(data)
    whole, part = from_network(network, b"", data, 5), from_network(network, b"", data, 5, asked=some)
    assert torch.equal(part.ranking[some], whole.ranking[some])
    assert part.speaks.nonzero().flatten().tolist() == some.tolist()
    assert bool(whole.speaks.all())
