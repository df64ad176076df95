"""Jobs on text end as other jobs do: reproducible, resumable, honest; a token is one answer among many."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.teachers.storage import Storage
from tests.testing.refusals import problem_of
from workers.distillation import teachers
from workers.distillation.data.dataset import Data
from workers.distillation.data.texts import load_text
from workers.distillation.data.tokenizer import Tokenizer
from workers.distillation.jobs import distil_job
from workers.distillation.networks.texts.decoder import DecoderNetwork
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.terms import UNKNOWN, Target
from workers.distillation.signals import answers_on_disk
from workers.distillation.signals.signals import Signal
from workers.distillation.teachers.generate import continued
from workers.distillation.teachers.written_texts import sequence_lesson
from workers.distillation.training.learner import Learner, tokens_of
from workers.distillation.training.plan import Stage, student_lesson, student_stages
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]
WORDS = ["alpha", "beta", "gamma", "delta", "one", "two", "three", "four"]


def texts(count: int = 60) -> list[dict[str, Any]]:
    """Greek letters or numbers, one kind after the other."""
    draw = torch.Generator().manual_seed(0)
    rows = []
    for i in range(count):
        chosen = torch.randint(4 * (i % 2), 4 * (i % 2) + 4, (6,), generator=draw).tolist()
        rows.append({"text": " ".join(WORDS[j] for j in chosen), "label": ["letters", "numbers"][i % 2]})
    return rows


@pytest.fixture
def file(tmp_path: Path) -> dict[str, Path]:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in texts()))
    return {"file_1": path}


CLASSIFY: dict[str, Any] = {
    "dataset": {
        "source": "text_file",
        "file": "file_1",
        "task": "classification",
        "tokenizer": {"kind": "word", "vocabulary": 30},
        "max_length": 5,
        "labelled": 8,
    },
    "teacher": {"source": "train", "architecture": {"kind": "text_cnn", "width": 8, "filters": 4, "sizes": [1, 2]}},
    "student": {"architecture": {"kind": "lstm", "width": 4, "hidden": 4, "dropout": 0.2}},
    "objective": {"kind": "kd", "temperature": 2.0, "alpha": 0.9},
    "training": {"epochs": 3, "batch_size": 8},
    "evaluation": {"seeds": 1},
}
SPEAK: dict[str, Any] = {
    "dataset": {
        "source": "text_file",
        "file": "file_1",
        "task": "language_modelling",
        "tokenizer": {"kind": "character", "vocabulary": 40},
        "max_length": 16,
    },
    "teacher": {"source": "train", "architecture": {"kind": "decoder", "width": 16, "depth": 1, "heads": 2}},
    "student": {"architecture": {"kind": "decoder", "width": 8, "depth": 1, "heads": 2, "dropout": 0.1}},
    "objective": {"kind": "kd", "temperature": 1.0, "alpha": 0.9},
    "training": {"epochs": 3, "batch_size": 16},
    "evaluation": {"seeds": 1},
}


def job(body: dict[str, Any], **changes: Any) -> DistillationJob:
    merged = {part: given | changes.get(part, {}) for part, given in body.items()}
    return DistillationJob.model_validate(merged | {part: c for part, c in changes.items() if part not in body})


def speakers(spec: DistillationJob, files: dict[str, Path]) -> tuple[Data, DecoderNetwork, Stage]:
    """The data, an untrained teacher, and the student's stage."""
    data = load_text(spec.dataset, files)  # type: ignore[arg-type]
    stage = student_stages(spec)[0][0]
    network = replace(stage, seed=99).begin(data)
    assert isinstance(network, DecoderNetwork)
    return data, network, stage


ENCODERS = {
    "teacher": {
        "source": "train",
        "architecture": {"kind": "text_transformer", "width": 8, "depth": 2, "heads": 2},
    },
    "student": {"architecture": {"kind": "text_transformer", "width": 4, "depth": 1, "heads": 2, "dropout": 0.1}},
}
DISTILBERT = [
    {"weight": 7.0, "objective": {"kind": "kd", "temperature": 2.0, "alpha": 5 / 7}},
    {"weight": 1.0, "objective": {"kind": "cosine", "hard_weight": 0.0}},
]
FILL: dict[str, Any] = {
    "dataset": SPEAK["dataset"] | {"task": "masked_language_modelling"},
    "teacher": {"source": "train", "architecture": {"kind": "encoder", "width": 8, "depth": 2, "heads": 2}},
    "student": {
        "architecture": {"kind": "encoder", "width": 8, "depth": 1, "heads": 2, "dropout": 0.1},
        "initialise_from_teacher": {"blocks": [1]},
    },
    "objective": {"kind": "sum", "terms": DISTILBERT},
    "training": {"epochs": 3, "batch_size": 16},
    "evaluation": {"seeds": 1},
}
HIDDEN = {"kind": "fitnet", "layers": {"blocks.0": "blocks.0", "last": "last"}, "hard_weight": 0, "weight": 1}


@pytest.mark.parametrize(
    "body",
    [
        *(CLASSIFY, SPEAK, FILL, SPEAK | {"objective": {"kind": "sequence", "prompt": 4}}),
        CLASSIFY | ENCODERS | {"objective": {"kind": "rkd", "layers": {"blocks.0": "blocks.1"}}},
        CLASSIFY | {"objective": {"kind": "crd", "width": 4}},
        SPEAK | {"objective": {"kind": "sum", "terms": [{"objective": {"kind": "kd"}}, {"objective": HIDDEN}]}},
        SPEAK | {"objective": {"kind": "sum", "terms": DISTILBERT}},
    ],
)
def test_a_job_that_was_stopped_ends_bit_for_bit_as_an_unbroken_one(
    house: Make, file: dict[str, Path], body: dict[str, Any]
) -> None:
    spec = job(body)
    unbroken = house(files=file)
    result = distil_job(spec, unbroken)
    saved, published = None, {}
    for batches in (3, 9, 5, 7):
        asked = iter(range(batches))
        stopped = house(files=file, resume=saved, stop=lambda asked=asked: next(asked, None) is None)
        with pytest.raises(Stopped):
            distil_job(spec, stopped)
        published |= stopped.published
        saved = stopped.saved or saved
    last = house(files=file, resume=saved)
    assert distil_job(spec, last) | {"seconds": 0} == result | {"seconds": 0}
    for name, content in (published | last.published).items():
        if name != "report.json":
            assert hashlib.sha256(content).digest() == hashlib.sha256(unbroken.published[name]).digest()


def test_a_text_classifier_learns_and_its_checkpoint_reads_text(house: Make, file: dict[str, Path]) -> None:
    done = house(files=file)
    result = distil_job(job(CLASSIFY, training={"epochs": 30, "learning_rate": 0.02}), done)
    assert result["teacher"]["mean"] == 1.0
    assert result["student"]["mean"] >= 0.9
    report = json.loads(done.published["report.json"])
    assert report["language_model"] is None
    assert report["text"]["truncated_texts"] == 60
    path = done.scratch / "student-seed-0.safetensors"
    with safe_open(path, "pt") as opened:
        card = json.loads(opened.metadata()["qstill"])
    assert card["classes"] == ["letters", "numbers"]
    tokenizer = Tokenizer(card["tokenizer"])
    assert tokenizer.digest == report["text"]["tokenizer_sha256"]
    assert tokenizer.decode(tokenizer.encode(["alpha two"])[0]) == "alpha two"


def test_a_language_model_reports_perplexity_and_bits_of_a_character(house: Make, file: dict[str, Path]) -> None:
    done = house(files=file)
    result = distil_job(job(SPEAK, training={"epochs": 12, "learning_rate": 0.02}), done)
    report = json.loads(done.published["report.json"])
    language = report["language_model"]
    nats = report["student"]["summary"]["negative_log_likelihood"]["mean"]
    assert language["student"]["perplexity"]["mean"] == pytest.approx(2.718281828459045**nats)
    bits = nats * language["test_tokens"] / 0.6931471805599453 / language["test_characters"]
    assert language["student"]["bits_per_character"]["mean"] == pytest.approx(bits)
    assert (language["verdict"], report["masked_language_model"]) == ("INCONCLUSIVE", None)  # of one seed
    data = load_text(job(SPEAK).dataset, file)  # type: ignore[arg-type]
    counts = data.test.labels[data.test.labels != UNKNOWN].bincount().double()
    frequencies = counts[counts > 0] / counts.sum()
    unigram = float(-(frequencies * frequencies.log()).sum())
    assert nats < unigram  # context is of use
    assert result["teacher"]["mean"] > float(frequencies.max())
    assert report["per_class"] == []


def test_the_loss_of_a_batch_is_the_loss_over_all_its_tokens_without_padding(file: dict[str, Path]) -> None:
    spec = job(SPEAK, student={"architecture": SPEAK["student"]["architecture"] | {"dropout": 0.0}})
    data, teacher, stage = speakers(spec, file)
    signal = teachers.signal_of(teachers.trained(teacher, b""), data)
    assert signal.logits.shape == (data.train.x.numel(), len(data.classes))
    learner = Learner(stage, student_lesson(spec, data, signal), data)
    last = torch.tensor([len(data.train.x) - 1, 0, 3])  # the last row is the one that is filled up
    assert (data.train.x[last] == PAD).any()
    logits = learner.network(data.train.x[last])
    spoken = (data.train.x[last] != PAD).flatten()
    said = teacher.eval()(data.train.x[last])[spoken].detach()
    expected = kd(
        logits[spoken],
        Signal(said, ""),
        Target(data.train.y[last].flatten()[spoken]),
        temperature=1.0,
        alpha=0.9,
    )["loss"]
    assert torch.allclose(learner.terms(last)["loss"], expected, atol=1e-6)


def test_hidden_states_are_compared_token_by_token_without_padding(file: dict[str, Path]) -> None:
    spec = job(SPEAK | {"objective": HIDDEN | {"layers": {"last": "last"}}})
    data, network, stage = speakers(spec, file)
    network.eval()
    rows = torch.tensor([3, len(data.train.x) - 1])
    assert (data.train.x[rows] == PAD).any(), "the last row is filled up"
    with torch.no_grad():
        logits, theirs = network.with_features(data.train.x)
    signal = Signal(logits, "teacher", {"last": theirs["last"]})
    learner = Learner(stage, student_lesson(spec, data, signal), data)
    learner.network.eval()
    assert learner.criterion is not None
    (regressor,) = (layer for layer in learner.criterion.modules() if isinstance(layer, torch.nn.Linear))
    total = count = 0.0
    for row in rows.tolist():
        mine = regressor(learner.network.with_features(data.train.x[row : row + 1])[1]["last"])
        for token in range(data.train.x.shape[1]):
            if data.train.x[row, token] != PAD:
                gap = mine[token] - theirs["last"][row * data.train.x.shape[1] + token]
                total += gap.square().sum().item()
                count += mine.shape[1]
    assert learner.terms(rows)["loss"].item() == pytest.approx(total / count, rel=1e-5)


def test_tokens_of_rows_stand_where_the_flattened_answers_stand() -> None:
    answers = torch.arange(5 * 3).view(5, 3)
    rows = torch.tensor([4, 0, 2])
    assert torch.equal(tokens_of(rows, 3), answers[rows].flatten())


@pytest.mark.parametrize("missing", ["ghost", "uniform", "renormalise"])
def test_all_tokens_of_the_vocabulary_kept_sparsely_say_what_they_say_densely(
    file: dict[str, Path], missing: Any
) -> None:
    data, teacher, _ = speakers(job(SPEAK), file)
    made = teachers.trained(teacher, b"")
    dense = teachers.signal_of(made, data)
    sparse = teachers.signal_of(made, data, Storage(top_k=len(data.classes), missing=missing))
    some = tokens_of(torch.tensor([1, 5]), 16)
    a, b = (signal.rows(some).logits.softmax(1) for signal in (dense, sparse))
    assert torch.allclose(a, b, atol=1e-5)


def test_a_job_with_the_few_likeliest_tokens_runs(house: Make, file: dict[str, Path]) -> None:
    done = house(files=file)
    distil_job(job(SPEAK, signal={"top_k": 4, "missing": "ghost"}), done)
    assert json.loads(done.published["report.json"])["signal"]["top_k"] == 4


def test_a_language_model_learns_from_tokens_that_were_drawn(house: Make, file: dict[str, Path]) -> None:
    whole, few, again = house(files=file), house(files=file), house(files=file)
    distil_job(job(SPEAK), whole)
    first = distil_job(job(SPEAK, signal={"draws": 4}), few)
    assert distil_job(job(SPEAK, signal={"draws": 4}), again)["student_sha256"] == first["student_sha256"]
    use, dense = (json.loads(done.published["report.json"])["signal"] for done in (few, whole))
    assert (use["draws"], use["top_k"], dense["draws"]) == (4, None, None)
    assert use["bytes"] < dense["bytes"] / 2
    notes = json.loads(few.published["report.json"])["notes"]
    assert any("of each answer, 4 draws" in note for note in notes)


def test_a_signal_that_memory_does_not_hold_is_refused_with_the_way_out(
    house: Make, file: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_on_disk, "MAX_IN_MEMORY", 10_000)
    error = problem_of(distil_job, job(SPEAK), house(files=file))
    assert error.code == "signal_too_large"
    assert {"top_k": 32} in error.ways_out


def test_the_teacher_goes_on_greedily_and_its_prompts_are_no_labels(house: Make, file: dict[str, Path]) -> None:
    spec = job(SPEAK | {"objective": {"kind": "sequence", "prompt": 4}})
    data, network, _ = speakers(spec, file)
    assert isinstance(spec.objective, Sequence)
    lesson, use = sequence_lesson(spec.objective, data, teachers.trained(network, b""), house(files=file), seed=0)
    whole = (data.train.x != PAD).all(1)
    assert use.computed_rows == int(whole.sum())
    assert lesson.x is not None
    x, labels = lesson.x[whole], lesson.labels[whole]
    assert torch.equal(x[:, :4], data.train.x[whole][:, :4])
    assert (labels[:, :3] == UNKNOWN).all()
    assert torch.equal(labels[:, 3:-1], x[:, 4:])
    said = network(x).view(*x.shape, -1)
    said[:, :, PAD] = -torch.inf
    assert torch.equal(labels[:, 3:], said.argmax(2)[:, 3:])
    assert torch.equal(lesson.labels[~whole], data.seen[~whole])


def test_some_rows_keep_their_own_text_and_hidden_ones_never_do(house: Make, file: dict[str, Path]) -> None:
    spec = job(SPEAK | {"objective": {"kind": "sequence", "prompt": 4, "alpha": 0.5}}, dataset={"labelled": 40})
    data, network, _ = speakers(spec, file)
    assert isinstance(spec.objective, Sequence)
    lesson, _ = sequence_lesson(spec.objective, data, teachers.trained(network, b""), house(files=file), seed=0)
    assert lesson.x is not None
    shown = (data.seen != UNKNOWN).any(1)
    own = (lesson.labels == data.seen).all(1)
    whole = (data.train.x != PAD).all(1)
    assert 5 < int((own & shown & whole).sum()) < 35
    assert not (own & ~shown & whole).any()


def test_samples_follow_the_teachers_distribution(file: dict[str, Path]) -> None:
    data, network, _ = speakers(job(SPEAK), file)
    spec = Sequence(kind="sequence", prompt=15, decode="sample")
    prompts = data.train.x[:1].repeat(4000, 1)
    drawn = continued(network, prompts, spec, None, torch.Generator().manual_seed(1))[:, 15]
    logits = network(prompts[:1, :15])[-1]
    logits[PAD] = -torch.inf
    found = drawn.bincount(minlength=len(logits)) / len(drawn)
    assert (found - logits.softmax(0)).abs().max() < 0.03
