"""Learners, and jobs that were stopped, for tests to look at."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import torch

from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.signals.signals import Signal
from workers.distillation.training.learner import Learner, batches
from workers.distillation.training.plan import baseline_lesson, student_lesson, student_stages
from workers.run import Stopped

Make = Callable[..., Any]

DIGITS = {"source": "builtin", "name": "digits", "labelled": 60, "standardise": "channel"}


def hashes(house: Any) -> dict[str, str]:
    networks = {name: file for name, file in house.published.items() if name.endswith(".safetensors")}
    return {name: hashlib.sha256(file).hexdigest() for name, file in networks.items()}


def learner(job: Make, *, baseline: bool = False, **training: Any) -> Learner:
    spec = job(training=training)
    data = load(spec.dataset, {})
    (student, plain), *_ = student_stages(spec)
    if baseline:
        return Learner(plain, baseline_lesson(data), data)
    answers = torch.randn(len(data.train.y), 3, generator=torch.Generator().manual_seed(0))
    return Learner(student, student_lesson(spec, data, Signal(answers, "teacher")), data)


def epoch(one: Learner) -> None:
    one.begin_epoch()
    for positions in batches(one.stage, one.lesson, one.epoch):
        one.learn(positions)
    one.end_epoch()


def resumed(job: Any, house: Make, stops: list[int]) -> tuple[Any, dict[str, Any]]:
    """Stop a job after so many batches each time. Returns the last house, and the result."""
    published: dict[str, bytes] = {}
    saved = None
    for batch_count in stops:
        asked = iter(range(batch_count))
        stopped = house(resume=saved, stop=lambda asked=asked: next(asked, None) is None)
        with pytest.raises(Stopped):
            distil_job(job, stopped)
        published |= stopped.published
        saved = stopped.saved
    last = house(resume=saved)
    result = distil_job(job, last)
    last.published = published | last.published
    return last, result
