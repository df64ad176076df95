"""Texts of a served model: they reach the student in its own tokens, once, with an end mark where the model ended."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fastapi.responses import JSONResponse

from qstill.contract.distillations.objectives import Sequence
from tests.testing.refusals import errors_of, problem_of
from workers.distillation import teachers
from workers.distillation.distil import load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.texts.tokens import END, PAD
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.teachers.written_texts import sequence_lesson

Make = Callable[..., Any]
ENCODER = {"architecture": {"kind": "encoder", "width": 8, "depth": 1, "heads": 2}}
HOW = {"kind": "sequence", "prompt": 6, "decode": "greedy"}


def host(served: Any) -> frozenset[str]:
    return frozenset({served.url.removeprefix("http://").split("/")[0]})


@pytest.mark.parametrize("texts", ["completions", "chat"])
def test_rows_go_on_as_the_model_wrote(
    serve: Make, served_job: Make, house: Make, files: dict[str, Path], tmp_path: Path, texts: str
) -> None:
    served = serve("tgi")
    instructed = {"instruction": "Go on."} if texts == "chat" else {}
    job = served_job(served, objective=HOW, teacher={"texts": texts, **instructed})
    run = house(files=files, hosts=host(served), cache=tmp_path / "cache")
    data = load_data(job, run)
    teacher = teachers.loaded(job.teacher, data, run, storage=job.signal)
    how = Sequence.model_validate(HOW)
    lesson, use = sequence_lesson(how, data, teacher, run, seed=0)
    assert lesson.x is not None
    whole = (data.train.x != PAD).all(1)
    assert use.computed_rows == int(whole.sum())
    assert torch.equal(lesson.x[:, :6], data.train.x[:, :6])
    assert (lesson.labels[whole][:, :5] == UNKNOWN).all()
    assert (lesson.labels[lesson.x == PAD] == UNKNOWN).all()
    written = lesson.x[whole][:, 6:]
    ended = (written == END).long().cumsum(1) > 0
    assert ((written[ended] == END) | (written[ended] == PAD)).all()
    body = served.asked[0]
    assert body["temperature"] == 0
    assert body["max_tokens"] == data.train.x.shape[1] + 1 - 6
    if texts == "chat":
        assert [each["role"] for each in body["messages"]] == ["system", "user"]
    before = len(served.asked)
    again, found = sequence_lesson(how, data, teacher, run, seed=0)
    assert torch.equal(again.labels, lesson.labels)
    assert (found.computed_rows, found.reused_rows) == (0, use.computed_rows)
    assert len(served.asked) == before


def test_a_job_learns_from_texts(serve: Make, served_job: Make, house: Make, files: dict[str, Path]) -> None:
    served = serve()
    run = house(files=files, hosts=host(served))
    distil_job(served_job(served, objective=HOW), run)
    report = json.loads(run.published["report.json"])
    assert any("went on after the first 6 tokens" in note for note in report["notes"])


def test_choices_without_text_are_refused(serve: Make, served_job: Make, house: Make, files: dict[str, Path]) -> None:
    served = serve()
    run = house(files=files, hosts=host(served))
    job = served_job(served, objective=HOW)
    data = load_data(job, run)
    teacher = teachers.loaded(job.teacher, data, run, storage=job.signal)
    served.instead = [JSONResponse({"choices": [{"index": n} for n in range(8)]})]
    how = Sequence.model_validate(HOW)
    assert problem_of(sequence_lesson, how, data, teacher, run, seed=0).code == "endpoint_failed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signal": {"top_k": None}}, "top_k_needed"),
        ({"signal": {"top_k": 101}}, "top_k_needed"),
        ({"dataset": {"tokenizer": {"kind": "bpe"}}}, "tokenizer_mismatch"),
        ({"dataset": {"task": "masked_language_modelling"}, "student": ENCODER}, "teacher_mismatch"),
        ({"teacher": {"instruction": "Go on."}}, "only_for_chat"),
        ({"objective": {"kind": "fitnet", "layers": {"last": "last"}}}, "features_unavailable"),
    ],
)
def test_what_cannot_work_is_refused_at_the_door(served_job: Make, changes: dict[str, Any], code: str) -> None:
    class Nowhere:
        url = "https://models.example/v1"

    assert code in {error["type"] for error in errors_of(lambda: served_job(Nowhere, **changes))}
