"""The networks that a budget chooses among: of each form the widest that fits, and narrower ones beside it.

A form (`qstill/contract/distillations/architectures/family.py`) says how wide a network of it may be. What networks
take grows with their width, so that the widest that fits is found by halving.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from qstill.contract.distillations.architectures import FAMILIES, AnyArchitecture
from qstill.contract.distillations.architectures.family import Form
from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.budget.report import BudgetCandidate, BudgetLimits
from qstill.contract.errors import Problem
from workers.distillation.budget.limits import POINTER, Scale, limits_of, nothing_fits, teacher_parameters
from workers.distillation.data.dataset import Data
from workers.distillation.networks.texts.tokens import PAD
from workers.run import Run

PARTS = (1.0, 0.5, 0.25)  # of the budget: what is much smaller and as good is worth knowing


class Choices(BaseModel):
    """What a budget leaves. teacher_parameters: None where the budget is no part of them."""

    model_config = ConfigDict(extra="forbid")

    limits: BudgetLimits
    teacher_parameters: int | None
    candidates: list[BudgetCandidate]
    left_out: list[str]


@dataclass(frozen=True)
class Fitting:
    """A network that fits, and what its form is called."""

    words: str
    architecture: AnyArchitecture


def choices_within(job: BudgetedJob, data: Data, run: Run) -> Choices:
    """All candidates, the largest first. Raises Problem: nothing_fits, teacher_without_size, no_budget_here."""
    if data.inputs.padding != PAD:
        title = "Only an encoder's own folder reads its tokens: give the data a tokenizer of its own, as `word`."
        raise Problem("no_budget_here", title, pointer=POINTER)
    budget = job.student.budget
    teacher = None if budget.times_smaller is None else teacher_parameters(job.standing_in(), data, run)
    limits = limits_of(budget, teacher)
    scale, forms = Scale(data, limits), forms_for(job, data)
    fitting, left_out = list[Fitting](), list[Form[Any]]()
    for form in forms:
        found = widths_within(form, scale)
        fitting += [Fitting(form.words, form.of(width)) for width in found]
        left_out += [] if found else [form]
    if not fitting:
        smallest = min(forms, key=lambda form: scale.used(narrowest(form)))
        raise nothing_fits(narrowest(smallest), smallest.words, scale, teacher)
    ordered = sorted(fitting, key=lambda each: -scale.taken(each.architecture, "parameters"))
    return Choices(
        limits=limits,
        teacher_parameters=teacher,
        candidates=[_candidate(number, each, scale) for number, each in enumerate(ordered)],
        left_out=[_left_out(form, scale) for form in left_out],
    )


def forms_for(job: BudgetedJob, data: Data) -> list[Form[Any]]:
    """Those that read such rows and can do all else that the job asks for."""
    images = len(data.input_shape) == 3
    every = (
        form for family in FAMILIES if family.reads != "images" or images for form in family.forms(data.input_shape)
    )
    return [form for form in every if _allowed(job, narrowest(form))]


def _allowed(job: BudgetedJob, architecture: AnyArchitecture) -> bool:
    try:
        job.with_architecture(architecture)
    except ValidationError:
        return False
    return True


def narrowest(form: Form[Any]) -> AnyArchitecture:
    """The least network of a form."""
    found: AnyArchitecture = form.of(form.widths[0])
    return found


def widths_within(form: Form[Any], scale: Scale) -> list[int]:
    """The widest that fits into the budget, into half and into a quarter of it, each once; empty where none does."""
    found = dict.fromkeys(_widest(form, scale, part) for part in PARTS)
    return [width for width in found if width is not None]


def _widest(form: Form[Any], scale: Scale, part: float) -> int | None:
    low, high = -1, len(form.widths) - 1  # positions: `low` fits, and nothing above `high` does
    while low < high:
        middle = (low + high + 1) // 2
        if scale.used(form.of(form.widths[middle])) <= part:
            low = middle
        else:
            high = middle - 1
    return None if low < 0 else form.widths[low]


def part_of(used: float) -> float:
    """The least part of the budget that is enough."""
    return min(part for part in PARTS if used <= part)


def _candidate(number: int, fitting: Fitting, scale: Scale) -> BudgetCandidate:
    architecture = fitting.architecture
    return BudgetCandidate(
        number=number,
        words=fitting.words,
        architecture=architecture,
        part=part_of(scale.used(architecture)),
        parameters=int(scale.taken(architecture, "parameters")),
        bytes=int(scale.taken(architecture, "bytes")),
        multiply_adds=int(scale.taken(architecture, "multiply_adds")),
        latency_ms=scale.taken(architecture, "milliseconds"),
    )


def _left_out(form: Form[Any], scale: Scale) -> str:
    least = narrowest(form)
    return f"{form.words}: at least {scale.said(least, scale.nearest(least))}"


def by_part(candidates: Sequence[BudgetCandidate]) -> Iterator[tuple[float, list[BudgetCandidate]]]:
    """Those that take about as much, which are compared while they learn."""
    for part in PARTS:
        if alike := [each for each in candidates if each.part == part]:
            yield part, alike
