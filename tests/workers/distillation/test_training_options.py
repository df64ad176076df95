"""Every way to train does what it says, and resumes bit for bit."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.training import StudentTraining, Training
from tests.testing.refusals import problem_of
from tests.workers.distillation.learners import Make, epoch, learner
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.training.bias import best_offset, shift
from workers.distillation.training.learner import batches, score
from workers.distillation.training.optimise import Average, learning_rate
from workers.distillation.training.plan import baseline_lesson, student_stages

pytestmark = pytest.mark.training


def test_accumulated_batches_make_the_step_of_one_large_batch(job: Make) -> None:
    """With a mean over equal batches, whose labelled rows are as many in each: here all."""
    own = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 0.1, "epochs": 1}
    spec = {"dataset": {"source": "builtin", "name": "iris"}}
    few, many = (learner(lambda s=s, **k: job(**spec, **k), batch_size=s, accumulate=16 // s, **own) for s in (4, 16))
    rows = few.lesson.positions[:16]
    for part in rows.split(4):
        few.learn(part)
    many.learn(rows)
    assert few.step_number == many.step_number == 1
    for one, other in zip(few.network.parameters(), many.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_what_is_left_at_the_end_of_an_epoch_makes_a_step(job: Make) -> None:
    one = learner(job, batch_size=16, accumulate=4)
    assert one.batches_per_epoch % 4 != 0
    steps = 0
    step = one.optimizer.step

    def counted() -> None:
        nonlocal steps
        steps += 1
        step()

    one.optimizer.step = counted  # type: ignore[method-assign]
    epoch(one)
    assert steps == one.step_number == one.steps_per_epoch == -(-one.batches_per_epoch // 4)
    assert all(weight.grad is None for weight in one.trained)


def test_gradients_are_clipped_to_their_norm(job: Make) -> None:
    own = {"optimizer": "sgd", "schedule": "constant", "learning_rate": 1.0, "clip_norm": 0.01}
    one = learner(job, **own)
    before = [weight.detach().clone() for weight in one.trained]
    one.learn(one.lesson.positions[:16])
    moved = sum((a - b).square().sum() for a, b in zip(before, one.trained, strict=True))
    assert moved.sqrt().item() == pytest.approx(0.01, rel=1e-3)


def test_the_average_is_the_sum_of_its_definition(job: Make) -> None:
    network = learner(job).network
    average, expected = Average(network, 0.3), {name: w.clone() for name, w in network.state_dict().items()}
    for step in range(5):
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(1.0)
        average.follow(network)
        kept = min(0.3, (step + 1) / (step + 10))
        expected = {name: kept * w + (1 - kept) * network.state_dict()[name] for name, w in expected.items()}
    for name, weight in average.network.state_dict().items():
        torch.testing.assert_close(weight, expected[name])


def test_the_average_is_what_is_judged_and_kept(job: Make) -> None:
    one = learner(job, ema=0.99, learning_rate=0.05)
    epoch(one)
    assert one.average is not None
    for name, weight in one.best.weights.items():
        assert torch.equal(weight, one.average.network.state_dict()[name])
        assert not torch.equal(weight, one.network.state_dict()[name])


def test_training_ends_once_its_patience_does(job: Make, house: Make) -> None:
    told = house()
    distil_job(job(training={"epochs": 200, "patience": 3, "learning_rate": 0.1}, evaluation={"seeds": 1}), told)
    ended = [data for kind, data in told.events if kind == "stage" and data["state"] == "ended"]
    assert all(data["epoch"] < 200 for data in ended)
    for data in ended:
        best = told.metas[f"{data['stage']}.safetensors"]["epoch"]
        assert data["epoch"] == best + 3


def test_the_learning_rate_warms_up_and_then_follows_its_schedule() -> None:
    def rates(**given: Any) -> list[float]:
        training = Training(epochs=4, learning_rate=1.0, **given)
        return [learning_rate(training, step, 2) for step in range(8)]

    assert rates(schedule="constant", warm_up=2) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    assert rates(schedule="step", milestones=[1, 3], decay=0.5) == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]
    cosine = rates(schedule="cosine", warm_up=1)
    assert cosine[:3] == [0.5, 1.0, 1.0]
    assert cosine[2:] == sorted(cosine[2:], reverse=True)
    assert rates(schedule="cosine")[4] == pytest.approx(0.5)


def test_balanced_batches_show_every_class_equally_often(job: Make) -> None:
    spec = job(dataset={"source": "builtin", "name": "wine"}, training={"balanced_batches": True, "batch_size": 4096})
    data = load(spec.dataset, {})
    (_, plain), *_ = student_stages(spec)
    lesson = baseline_lesson(data)
    drawn = torch.cat([data.train.y[torch.cat(batches(plain, lesson, n))] for n in range(60)])
    shares = drawn.bincount() / len(drawn)
    assert (shares - 1 / 3).abs().max() < 0.02
    assert (data.train.y.bincount() / len(data.train.y) - 1 / 3).abs().max() > 0.05


def test_class_weights_reach_the_labels_term_of_student_and_baseline(job: Make) -> None:
    for baseline in (False, True):
        weighted = learner(job, baseline=baseline, class_weights=[1.0, 0.0, 4.0])
        assert weighted.class_weights is not None
        assert weighted.class_weights.tolist() == [1.0, 0.0, 4.0]
        even = learner(job, baseline=baseline)
        rows = torch.nonzero(weighted.labels >= 0).flatten()
        assert weighted.terms(rows)["loss"] != even.terms(rows)["loss"]
    balanced = learner(job, class_weights="balanced").class_weights
    assert balanced is not None
    torch.testing.assert_close(balanced, torch.ones(3))  # nine labels of iris are three of each class


def test_half_precision_changes_the_products_and_little_else(job: Make) -> None:
    full, half = (learner(job, precision=precision) for precision in ("float32", "bfloat16"))
    rows = full.lesson.positions[:32]
    assert full.terms(rows)["loss"].item() == pytest.approx(half.terms(rows)["loss"].item(), rel=0.05)
    assert full.terms(rows)["loss"] != half.terms(rows)["loss"]
    epoch(half)
    assert all(weight.dtype == torch.float32 for weight in half.best.weights.values())


def test_the_best_epoch_is_that_of_the_corrected_student() -> None:
    data = load(BuiltinData.model_validate({"source": "builtin", "name": "digits", "leave_out": ["3"]}), {})
    network = torch.nn.Linear(64, 10).requires_grad_(False)
    flat = replace(data.validation, x=data.validation.x.flatten(1))
    plain, _ = score(network, flat, data.task, torch.device("cpu"))  # type: ignore[arg-type]
    better, _ = score(network, flat, data.task, torch.device("cpu"), data.left_out)  # type: ignore[arg-type]
    shifted = network(flat.x) + shift(network(flat.x), flat.y, data.left_out)
    assert better == float((shifted.argmax(1) == flat.y).double().mean())
    assert better > plain


def test_the_best_offset_is_the_best_of_all_that_could_be_tried() -> None:
    draw = torch.Generator().manual_seed(0)
    for _ in range(10):
        logits, labels = torch.randn(50, 5, generator=draw), torch.randint(0, 5, (50,), generator=draw)
        for classes in ((2,), (1, 4)):
            mask = torch.zeros(5).index_fill(0, torch.tensor(classes), 1.0)

            def right(offset: float, mask: Tensor = mask, logits: Tensor = logits, labels: Tensor = labels) -> int:
                return int(((logits + offset * mask).argmax(1) == labels).sum())

            best = max(right(float(offset)) for offset in torch.linspace(-8, 8, 801))
            assert right(best_offset(logits, labels, classes)) >= best


def recall_of_a_digit_left_out(job: Make, house: Make, *, corrected: bool, seeds: int, **training: Any) -> list[float]:
    """Of the digit 3, which the student never saw, for each seed."""
    spec = job(
        dataset={"source": "builtin", "name": "digits", "leave_out": ["3"], "standardise": "channel"},
        teacher={
            "source": "train",
            "architecture": {"kind": "mlp", "hidden": [256, 256]},
            "training": {"epochs": 40, "augmentation": training.get("augmentation")},
        },
        student={"architecture": {"kind": "mlp", "hidden": [16]}},
        objective={"kind": "kd", "temperature": 8.0, "alpha": 1.0},
        training={"batch_size": 64, "bias_correction": corrected, **training},
        evaluation={"seeds": seeds, "baseline": False},
    )
    told = house()
    distil_job(spec, told)
    report = json.loads(told.published["report.json"])
    assert any("training row of these classes: 3" in note for note in report["notes"])
    return [one["per_class"][3] for one in report["student"]["runs"]]


def test_a_digit_that_the_student_never_saw_is_recovered_by_its_bias(house: Make, job: Make) -> None:
    (plain,), (corrected,) = (
        recall_of_a_digit_left_out(job, house, corrected=wanted, seeds=1, epochs=20) for wanted in (False, True)
    )
    assert corrected > plain + 0.3


@pytest.mark.slow
def test_with_noisy_views_nine_in_ten_of_the_digit_are_recovered(house: Make, job: Make) -> None:
    recalls = recall_of_a_digit_left_out(
        job, house, corrected=True, seeds=3, epochs=60, augmentation={"noise": 0.3, "consistent": True}
    )
    assert np.mean(recalls) >= 0.9


@pytest.mark.parametrize(
    ("training", "code", "place"),
    [
        ({"device": "cuda"}, "no_cuda", "device"),
        ({"precision": "float16"}, "no_cuda", "precision"),
        ({"class_weights": [1.0, 2.0]}, "class_weights_mismatch", "class_weights"),
    ],
)
def test_what_cannot_be_trained_here_is_refused_before_the_teacher_is(
    job: Make, house: Make, training: dict[str, Any], code: str, place: str
) -> None:
    if torch.cuda.is_available() and code == "no_cuda":
        pytest.skip("there is a GPU here")
    told = house()
    refused = problem_of(distil_job, job(training=training), told)
    assert (refused.code, refused.pointer) == (code, f"/training/{place}")
    assert told.progressed == []


def test_a_training_without_options_is_as_it_was() -> None:
    plain = StudentTraining()
    assert (plain.accumulate, plain.ema, plain.patience, plain.clip_norm, plain.augmentation) == (1, *[None] * 4)


def test_small_slopes_are_scaled_before_they_are_rounded_to_half_precision(job: Make) -> None:
    one = learner(job)
    one.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    logits = torch.ones(2, 3, dtype=torch.float16, requires_grad=True)
    one._backward(logits, torch.full((2, 3), 1e-8))
    assert logits.grad is not None
    assert logits.grad.tolist() == [pytest.approx([1e-8 * 2**16] * 3, rel=1e-3)] * 2  # unscaled, float16 has 0 here
