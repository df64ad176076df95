"""A report says of an interrupted job what it says of an unbroken one: who computed what is no attempt's secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qstill.contract.distillations.teachers.storage import Storage
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.jobs import distil_job
from workers.distillation.training.keeper import Keeper
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]
TIMES = {"latency", "timed", "seconds", "peak_memory_bytes"}


def report_of(told: FakeRun) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(told.published["report.json"])
    return document


def timeless(document: Any) -> Any:
    """Without what no two runs have alike."""
    if isinstance(document, dict):
        return {name: timeless(value) for name, value in document.items() if name not in TIMES}
    return [timeless(each) for each in document] if isinstance(document, list) else document


def stopped_after(looks: int, spec: Any, house: Make, **given: Any) -> FakeRun:
    asked = iter(range(looks))
    told: FakeRun = house(stop=lambda: next(asked, None) is None, **given)
    with pytest.raises(Stopped):
        distil_job(spec, told)
    return told


@pytest.mark.parametrize("stops", [[40], [30, 25], [25] * 4])
def test_a_report_after_interruptions_is_that_of_an_unbroken_job(
    house: Make, job: Make, tmp_path: Path, stops: list[int]
) -> None:
    spec = job(training={"epochs": 4, "batch_size": 16})
    unbroken = house(cache=tmp_path / "one")
    distil_job(spec, unbroken)
    saved = None
    for looks in stops:
        saved = stopped_after(looks, spec, house, cache=tmp_path / "other", resume=saved).saved
    last = house(cache=tmp_path / "other", resume=saved)
    distil_job(spec, last)
    assert timeless(report_of(last)) == timeless(report_of(unbroken))
    assert any("asked once about each of" in note for note in report_of(last)["notes"])


def test_what_an_earlier_job_computed_stays_its_own(house: Make, job: Make, tmp_path: Path) -> None:
    spec = job(training={"epochs": 4, "batch_size": 16})
    distil_job(spec, house(cache=tmp_path / "cache"))
    stopped = stopped_after(40, spec, house, cache=tmp_path / "cache")
    last = house(cache=tmp_path / "cache", resume=stopped.saved)
    distil_job(spec, last)
    assert report_of(last)["signal"]["computed_rows"] == 0
    assert any("were there from an earlier job" in note for note in report_of(last)["notes"])


def test_a_teacher_that_had_to_be_asked_again_is_said_to_have_been(house: Make, job: Make) -> None:
    """Where no cache keeps the answers."""
    spec = job(training={"epochs": 4, "batch_size": 16}, signal=Storage().model_dump())
    last = house(resume=stopped_after(40, spec, house).saved)
    distil_job(spec, last)
    assert any("again after the job was interrupted" in note for note in report_of(last)["notes"])


def test_notes_are_there_for_an_attempt_after_a_crash(house: Make, job: Make) -> None:
    """A crash saves nothing any more: what was noted has been saved by then."""
    told = house()
    Keeper(job(), told).note("computed_rows", 7)
    assert Keeper(job(), house(resume=told.saved)).notes == {"computed_rows": 7}
