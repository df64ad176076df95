"""Masked language models are taught as DistilBERT was: three terms, at the tokens they are about, from a seed alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from app.distillations.card import card
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.report.document import read_report
from qstill.contract.sweeps.sweep import Sweep
from tests.workers.distillation.text.test_text_jobs import DISTILBERT, job, texts
from workers.distillation import teachers
from workers.distillation.distil import first_heard, heard_lesson, load_data
from workers.distillation.jobs import distil_job
from workers.distillation.networks import answers
from workers.distillation.networks.texts.encoder import EncoderNetwork
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.preflight.look import preflight
from workers.distillation.training.learner import Learner
from workers.distillation.training.plan import student_stages
from workers.sweeps.run import run as run_sweep

pytestmark = pytest.mark.training

Make = Callable[..., Any]
Files = dict[str, Path]

FILL: dict[str, Any] = {
    "dataset": {
        "source": "text_file",
        "file": "file_1",
        "task": "masked_language_modelling",
        "tokenizer": {"kind": "word", "vocabulary": 40},
        "max_length": 16,
    },
    "teacher": {"source": "train", "architecture": {"kind": "encoder", "width": 16, "depth": 2, "heads": 2}},
    "student": {"architecture": {"kind": "encoder", "width": 16, "depth": 1, "heads": 2}},
    "objective": {"kind": "sum", "terms": DISTILBERT},
    "training": {"epochs": 3, "batch_size": 8},
    "evaluation": {"seeds": 1},
}


@pytest.fixture
def file(tmp_path: Path) -> Files:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in texts()))
    return {"file_1": path}


def first_learner(spec: DistillationJob, house: Make, file: Files) -> tuple[Learner, EncoderNetwork, frozenset[str]]:
    """The first seed's student in its first epoch, with an untrained teacher of strong opinions."""
    done = house(files=file)
    data = load_data(spec, done)
    stage = student_stages(spec)[0][0]
    teacher = replace(stage, seed=99, architecture=spec.teacher.architecture).begin(data)  # type: ignore[union-attr]
    assert isinstance(teacher, EncoderNetwork)
    with torch.no_grad():
        for parameter in teacher.parameters():
            parameter.mul_(4)
    wanted = frozenset({"last"})
    lesson, _ = heard_lesson(spec, data, teachers.trained(teacher, b"x"), wanted, done)
    learner = Learner(stage, lesson, data)
    learner.begin_epoch()
    return learner, teacher.eval(), wanted


def log_softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def numbers(tensor: Tensor) -> Any:
    return tensor.detach().double().numpy()


@pytest.mark.parametrize("labelled", [None, 9])
def test_the_loss_is_five_times_kl_and_twice_the_hidden_tokens_and_the_cosine_of_all_states(
    house: Make, file: Files, labelled: int | None
) -> None:
    spec = job(FILL, dataset={"labelled": labelled})
    learner, teacher, _ = first_learner(spec, house, file)
    rows = torch.tensor([len(learner.x) - 1, 4, 0, 2])
    x, hidden = learner.x[rows], learner.answered[rows]  # type: ignore[index]
    assert (x == PAD).any(), "the last row is filled up"
    with torch.no_grad():
        (mine, of_mine), (theirs, of_theirs) = learner.network.with_features(x), teacher.with_features(x)
    shape = (*x.shape, -1)
    student, said = (numbers(each.view(shape)) for each in (mine, theirs))
    states, taught = (numbers(each["last"].view(shape)) for each in (of_mine, of_theirs))
    data = learner.data
    kl = ce = cosine = 0.0
    asked = labels = tokens = 0
    for row in range(len(rows)):
        for place in range(x.shape[1]):
            if x[row, place] == PAD:
                continue
            a, b = states[row, place], taught[row, place]
            cosine += 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            tokens += 1
            if not hidden[row, place]:
                continue
            p, q = log_softmax(said[row, place] / 2.0), log_softmax(student[row, place] / 2.0)
            kl += float((np.exp(p) * (p - q)).sum()) * 2.0**2
            asked += 1
            token = int(data.seen[rows[row], place])  # of the text as it is, -1 where the student may not see it
            if token >= 0:
                ce -= log_softmax(student[row, place])[token]
                labels += 1
    assert 0 < asked < tokens
    expected = 5 * kl / asked + 2 * ce / max(labels, 1) + cosine / tokens
    assert (labels == asked) == (labelled is None)
    assert learner.terms(rows)["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_the_teacher_is_asked_about_the_hidden_tokens_of_the_epoch_and_no_others(house: Make, file: Files) -> None:
    learner, teacher, _ = first_learner(job(FILL), house, file)
    for epoch in (0, 1):
        learner.epoch = epoch
        learner.begin_epoch()
        assert learner.answered is not None
        assert learner.signal is not None
        with torch.no_grad():
            logits = teacher(learner.x).view(*learner.x.shape, -1)[learner.answered]
        torch.testing.assert_close(learner.signal.logits, logits)
        assert torch.equal(learner.labels >= 0, learner.answered)


@pytest.mark.parametrize("kept", [False, True])
def test_the_states_that_are_compared_are_those_of_the_epochs_rows(
    house: Make, file: Files, tmp_path: Path, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "TOKENS_AT_ONCE", 64)  # several blocks
    cache = {"cache": tmp_path / "cache"} if kept else {}
    for again in range(2):  # kept answers are found the second time
        learner, teacher, _ = first_learner(job(FILL), lambda **given: house(**given, **cache), file)
        assert learner.signal is not None
        with torch.no_grad():
            expected = teacher.with_features(learner.x)[1]["last"]
        torch.testing.assert_close(learner.signal.features["last"], expected, msg=f"time {again}")


def test_a_network_that_answers_some_tokens_says_of_them_what_it_says_among_all(house: Make, file: Files) -> None:
    learner, teacher, _ = first_learner(job(FILL), house, file)
    x, answered = learner.x[:3], learner.answered[:3]  # type: ignore[index]
    torch.testing.assert_close(teacher(x, None, answered), teacher(x)[answered.flatten()])
    padded = torch.cat([x, torch.full((3, 0), PAD)], 1)
    padded[0, 5:] = PAD
    torch.testing.assert_close(teacher(padded)[:5], teacher(padded[:1, :5]), rtol=1e-4, atol=1e-5)


def by_likelihood(saved: dict[str, float]) -> str:
    if saved["low"] > 0:
        return "BEATS"
    return "NO BEATS" if saved["high"] <= 0 else "INCONCLUSIVE"


def test_a_report_has_bits_of_hidden_tokens_and_the_card_reads_it(house: Make, file: Files) -> None:
    done = house(files=file)
    spelled = {"tokenizer": {"kind": "character"}}  # most of a word says which word it is
    spec = job(FILL, dataset=spelled, training={"epochs": 20, "learning_rate": 0.01}, evaluation={"seeds": 2})
    result = distil_job(spec, done)
    document = json.loads(done.published["report.json"])
    told = document["masked_language_model"]
    assert document["language_model"] is None
    data = load_data(spec, done)
    assert told["test_tokens"] == len(data.test.labels) == int(data.test.answered.sum())  # type: ignore[union-attr]
    for arm in ("teacher", "student", "baseline"):
        nats = document[arm]["summary"]["negative_log_likelihood"]["mean"]
        assert told[arm]["bits_per_token"]["mean"] == pytest.approx(nats / np.log(2))
    saved = told["saved_bits_per_token"]
    assert saved["mean"] == pytest.approx(
        told["baseline"]["bits_per_token"]["mean"] - told["student"]["bits_per_token"]["mean"]
    )
    assert told["verdict"] == by_likelihood(saved)
    assert any(f"it is {told['verdict']}." in note for note in document["notes"])
    counts = data.test.labels.bincount().double()
    frequencies = counts[counts > 0] / counts.sum()
    assert told["teacher"]["bits_per_token"]["mean"] < float(-(frequencies * frequencies.log2()).sum())  # of use
    assert result["teacher"]["mean"] > float(frequencies.max())
    assert document["soft_gradient_norm"] > 0
    assert any("hidden anew" in note for note in document["notes"])
    assert "hidden" in card(read_report(document))


def test_a_preflight_and_a_sweep_hear_the_teacher_about_hidden_tokens(house: Make, file: Files) -> None:
    asked = PreflightQuestion(ask="preflight", job=job(FILL), seconds_limit=100.0, memory_limit=1 << 34)
    found = preflight(asked.job, asked, house(files=file))
    assert found["shapes"]["classes"] == found["shapes"]["teacher_logits"][1]
    assert found["time"]["total"]["expected"] > 0
    base = {part: given for part, given in FILL.items() if part != "evaluation"} | {"evaluation": {"seeds": 1}}
    sweep = Sweep.model_validate({"base": base, "space": {"/training/learning_rate": [0.01, 0.003]}, "search": "grid"})
    done = house(files=file)
    assert run_sweep(sweep, done)["failed"] == 0


def test_the_rows_that_are_heard_before_training_are_those_of_the_first_epoch(house: Make, file: Files) -> None:
    spec = job(FILL)
    learner, _, _ = first_learner(spec, house, file)
    rows, view = first_heard(spec, learner.data)
    assert view.startswith("masks/")
    assert torch.equal(rows.x, learner.x)
