"""What jobs of every kind report is what the front door's card and pictures read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from app.distillations.card import card
from app.distillations.pictures.plots import PLOTS
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.document import read_report
from qstill.contract.errors import Problem
from workers.distillation.jobs import distil_job

pytestmark = pytest.mark.training

Make = Callable[..., Any]

TEXT = {"source": "text_file", "file": "file_1", "tokenizer": {"kind": "character", "vocabulary": 40}, "max_length": 8}
DECODER = {"kind": "decoder", "width": 8, "depth": 1, "heads": 2}
TEXT_CNN = {"kind": "text_cnn", "width": 4, "filters": 2, "sizes": [1, 2]}


def text_job(task: str, architecture: dict[str, Any], **more: Any) -> DistillationJob:
    return DistillationJob.model_validate(
        {
            "dataset": TEXT | {"task": task},
            "teacher": {"source": "train", "architecture": architecture},
            "student": {"architecture": architecture},
            "training": {"epochs": 2},
            "evaluation": {"seeds": 2},
            **more,
        }
    )


@pytest.mark.parametrize("kind", ["table", "classification", "language_modelling"])
def test_the_report_of_a_job_is_read_by_its_card_and_pictures(
    job: Make, house: Make, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "texts.jsonl"
    rows = [{"text": "abcab" if i % 2 else "xyzyx", "label": "ab"[i % 2]} for i in range(40)]
    path.write_text("\n".join(map(json.dumps, rows)))
    spec = job() if kind == "table" else text_job(kind, TEXT_CNN if kind == "classification" else DECODER)
    told = house(files={"file_1": path})
    result = distil_job(spec, told)
    report = read_report(json.loads(told.published["report.json"]))
    assert report.verdict == result["verdict"]
    assert set(report.curves) >= {"teacher", "student-seed-0", "baseline-seed-1"}
    assert [point.epoch for point in report.curves["student-seed-0"]] == list(range(1, spec.training.epochs + 1))
    for run_ in (each for _, arm in report.arms() for each in arm.runs):
        assert sum(one.rows for one in run_.reliability) > 0
    assert f"**{result['verdict']}**" in card(report)
    absent = {"compression": "did not ask", "shots": "no quantum student", "noise": "no quantum student"}
    absent |= {"expressibility": "no expressibility", "surrogate": "No circuit taught", "budget": "no budget chose it"}
    if kind == "language_modelling":
        absent["per_class"] = "no change to draw"  # its classes are thousands of tokens
    for name, draw in PLOTS.items():
        if name in absent:
            with pytest.raises(Problem, match=absent[name]):
                draw(report)
        else:
            ElementTree.fromstring(draw(report))  # noqa: S314  # our own picture


def test_the_bins_are_those_of_the_calibration_error(job: Make, house: Make) -> None:
    told = house()
    distil_job(job(), told)
    for one in json.loads(told.published["report.json"])["student"]["runs"]:
        full = [each for each in one["reliability"] if each["rows"]]
        rows = sum(each["rows"] for each in full)
        error = sum(each["rows"] * abs(each["accuracy"] - each["confidence"]) for each in full) / rows
        assert error == pytest.approx(one["expected_calibration_error"], abs=1e-6)
