"""Images are augmented by seed and epoch alone, and the teacher is asked about what the student sees."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.training import Augmentation
from tests.workers.distillation.learners import DIGITS, Make, epoch, hashes
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.signals.signals import Signal
from workers.distillation.teachers.files import weights
from workers.distillation.training.augment import augmented, name_of_augmented
from workers.distillation.training.learner import Learner
from workers.distillation.training.plan import student_lesson, student_stages

pytestmark = pytest.mark.training


def digits_with(**how: Any) -> tuple[Any, Augmentation]:
    return load(BuiltinData.model_validate({"source": "builtin", "name": "digits"}), {}), Augmentation(**how)


def test_a_view_is_a_function_of_seed_and_epoch() -> None:
    data, how = digits_with(flip=True, crop=2, noise=0.1)
    first, same = (augmented(data, how, seed=1, epoch=3) for _ in range(2))
    assert torch.equal(first.raw, same.raw)
    assert torch.equal(first.x, data.standardisation(first.raw))
    for other in (augmented(data, how, seed=2, epoch=3), augmented(data, how, seed=1, epoch=4)):
        assert not torch.equal(first.raw, other.raw)


def test_a_shift_moves_pixels_and_a_flip_mirrors_them() -> None:
    data, how = digits_with(crop=2)
    moved = augmented(data, how, seed=0, epoch=0).raw
    padded = torch.nn.functional.pad(data.train.raw, (2, 2, 2, 2))
    windows = padded.unfold(2, 8, 1).unfold(3, 8, 1)  # (rows, 1, 5, 5, 8, 8): every shift there is
    found = (windows == moved[:, :, None, None]).flatten(4).all(4).flatten(1)
    assert bool(found.any(1).all())
    assert found.float().sum(0).gt(0).all(), "every shift occurs"
    data, how = digits_with(flip=True)
    flipped = augmented(data, how, seed=0, epoch=0).raw
    same, mirrored = ((flipped == images).flatten(1).all(1) for images in (data.train.raw, data.train.raw.flip(3)))
    assert bool((same | mirrored).all())
    assert 0.4 < mirrored.float().mean() < 0.6
    data, how = digits_with(noise=0.25)
    noise = augmented(data, how, seed=0, epoch=0).raw - data.train.raw
    assert (noise / data.standardisation.std).std().item() == pytest.approx(0.25, rel=0.02)


def test_a_blend_is_mostly_its_own_image_and_partly_one_that_the_student_learns_from() -> None:
    data, how = digits_with(mix=0.4)
    partner = 5
    black = torch.zeros_like(data.train.raw)
    rows = replace(data.train, raw=black.index_fill(0, torch.tensor([partner]), 1.0))
    one = replace(data, train=rows, learned=torch.tensor([partner]))
    shares = augmented(one, how, seed=0, epoch=0).raw.flatten(1)
    assert shares[partner].tolist() == [1.0] * 64
    others = torch.cat([shares[:partner], shares[partner + 1 :]])
    assert torch.equal(others, others[:, :1].expand(-1, 64))
    assert 0 <= float(others.min()) < float(others.max()) <= 0.4
    assert float(others.mean()) == pytest.approx(0.2, abs=0.01)


def test_views_that_blend_other_rows_have_another_name() -> None:
    data, how = digits_with(mix=0.5)
    fewer = replace(data, learned=data.learned[1:])
    names = {name_of_augmented(each, how, seed=0, epoch=0) for each in (data, fewer)}
    assert len(names) == 2
    plain = Augmentation(crop=1)
    assert name_of_augmented(data, plain, seed=0, epoch=0) == name_of_augmented(fewer, plain, seed=0, epoch=0)


@pytest.mark.parametrize("consistent", [True, False])
def test_a_consistent_teacher_is_asked_about_what_the_student_sees(job: Make, consistent: bool) -> None:
    spec = job(
        dataset=DIGITS, training={"augmentation": {"crop": 1, "consistent": consistent}, "epochs": 1, "batch_size": 512}
    )
    data = load(spec.dataset, {})
    asked: list[Tensor] = []

    def ask(rows: Any, name: str) -> Signal:
        assert name.endswith("/0/0")
        asked.append(rows.x)
        return Signal(torch.zeros(len(rows.y), 10), "view")

    (student, _), *_ = student_stages(spec)
    one = Learner(student, student_lesson(spec, data, Signal(torch.ones(len(data.train.y), 10), "still"), ask), data)
    epoch(one)
    assert not torch.equal(one.x, data.train.x)
    assert one.signal is not None
    assert one.signal.digest == ("view" if consistent else "still")
    assert [torch.equal(x, one.x) for x in asked] == ([True] if consistent else [])


def test_what_the_teacher_says_of_views_is_kept_for_the_next_job(
    job: Make, house: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = job(
        dataset=DIGITS,
        teacher={"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}, "training": {"epochs": 1}},
        training={"epochs": 2, "batch_size": 512, "augmentation": {"crop": 1}},
        evaluation={"seeds": 2, "baseline": False},
    )
    asked: list[int] = []
    answer = weights.logits_of

    def counted(network: Any, x: Tensor, answered: Tensor | None = None) -> Tensor:
        asked.append(len(x))
        return answer(network, x, answered)

    monkeypatch.setattr(weights, "logits_of", counted)
    first, second = house(cache=tmp_path / "cache"), house(cache=tmp_path / "cache")
    distil_job(spec, first)
    rows = len(load(spec.dataset, {}).train.y)
    assert asked.count(rows) == 1 + 2 * 2, "the rows as they are, and two epochs of two seeds"
    asked.clear()
    distil_job(spec, second)
    assert asked == []
    assert hashes(first) == hashes(second)
