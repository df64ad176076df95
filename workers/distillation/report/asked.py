"""The section of a report on measures that a job asked for by name, and the refusal of a verdict that cannot be."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from qstill.contract.distillations.evaluation import Evaluation
from qstill.contract.distillations.measures.measure import Measure, measure_of
from qstill.contract.distillations.report.asked import ArmEstimate, AskedMeasure
from qstill.contract.distillations.results import Gain
from qstill.contract.distillations.rules.measures import too_few_classes
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.measures.draws import interval
from workers.distillation.quality import compare, compared_by, mean_sd
from workers.distillation.report.measurements import Answers, RowMeasurements


def judged(data: Data, asked: Evaluation) -> Data:
    """The data with a task that is judged as the job asks. Raises Problem too_few_classes, measure_undefined."""
    if asked.verdict is None and not asked.measures:
        return data
    names = [("/evaluation/verdict", asked.verdict)] if asked.verdict is not None else []
    names += [(f"/evaluation/measures/{place}", name) for place, name in enumerate(asked.measures)]
    for pointer, name in names:
        if why := too_few_classes(name, len(data.classes)):
            raise Problem("too_few_classes", f"{name}: {why}.", pointer=pointer)
    named = None if asked.verdict is None else measure_of(asked.verdict)
    if named is not None:
        for split, rows in (("validation", data.validation), ("test", data.test)):
            if why := data.task.unmeasured(named, rows.labels):
                title = f"There is no {named.said} of the {split} rows to rest a verdict on. {why}"
                ways_out: list[dict[str, Any]] = [{"verdict": None}, {"measures": [named.name]}]
                raise Problem("measure_undefined", title, pointer="/evaluation/verdict", ways_out=ways_out)
    usual = data.task.usual.verdict
    besides = tuple(measure_of(name) for name in asked.measures)
    return replace(data, task=data.task.measured_by(None if named == usual else named, besides))


def asked_section(measured: RowMeasurements) -> list[AskedMeasure]:
    """Every measure that the job named, that of the verdict first."""
    return [_of_measure(each, measured) for each in measured.task.by_name]


def _of_measure(measure: Measure, measured: RowMeasurements) -> AskedMeasure:
    task, labels = measured.task, measured.test_labels
    unmeasured = task.unmeasured(measure, labels)
    found = AskedMeasure(
        name=measure.name,
        said=measure.said,
        better=measure.better,
        teacher=None,
        student=None,
        baseline=None,
        gain=None,
        gain_rows_low=None,
        gain_rows_high=None,
        unmeasured=unmeasured,
    )
    if unmeasured is not None:
        return found
    arms = {"teacher": [measured.teacher], "student": measured.students, "baseline": measured.baselines}
    estimates = {role: _estimate(measure, arm) if arm else None for role, arm in arms.items()}
    if not measured.baselines:
        return found.model_copy(update=estimates)
    values = [[one.named[measure.name] for one in arm] for arm in (measured.students, measured.baselines)]
    gain = compared_by(measure, *values, rows=task.count(labels))
    low, high = interval(_gains_on_other_rows(measure, measured))
    gained = Gain(points=gain.mean, low=gain.low, high=gain.high)
    return found.model_copy(update={**estimates, "gain": gained, "gain_rows_low": low, "gain_rows_high": high})


def _estimate(measure: Measure, arm: Sequence[Answers]) -> ArmEstimate:
    values = [one.named[measure.name] for one in arm]
    spread, over_seeds = mean_sd(values), compare(values, [0.0] * len(values))
    least = -math.inf if measure.least is None or over_seeds.low is None else measure.least
    most = 1.0 if measure.points == 100 and measure.least == 0 else math.inf
    low, high = interval(_mean_on_other_rows(measure, arm))
    return ArmEstimate(
        mean=spread.mean,
        sd=spread.sd,
        low=None if over_seeds.low is None else max(least, over_seeds.low),
        high=None if over_seeds.high is None else min(most, over_seeds.high),
        rows_low=low,
        rows_high=high,
    )


def _mean_on_other_rows(measure: Measure, arm: Sequence[Answers]) -> Tensor | None:
    """(draws,) mean over seeds; None where nothing was drawn."""
    found = [each for one in arm if (each := one.drawn[measure.name]) is not None]
    return torch.stack(found).mean(0) if found else None


def _gains_on_other_rows(measure: Measure, measured: RowMeasurements) -> Tensor | None:
    arms = [_mean_on_other_rows(measure, arm) for arm in (measured.students, measured.baselines)]
    student, baseline = arms
    return None if student is None or baseline is None else measure.points * (student - baseline)
