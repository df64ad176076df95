"""How long the search of a budget will take: the candidates of each form, the widest of which is rehearsed."""

from collections.abc import Iterator

from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.budget.report import BudgetCandidate
from qstill.contract.distillations.preflight_parts import Advice, Seconds
from workers.distillation.budget.candidates import by_part
from workers.distillation.budget.choose import HALVING, SEEDS, candidate_stages
from workers.distillation.data.dataset import Data
from workers.distillation.preflight.costs import total_of, training_time
from workers.distillation.preflight.rehearsal import Rehearsal, as_long, rehearse
from workers.distillation.training.plan import Lesson
from workers.distillation.trials.trials import FEW

OF_ARCHITECTURE = "/student/architecture"


def time_of_search(
    job: BudgetedJob, candidates: list[BudgetCandidate], taught: Lesson, real: Lesson, few: Data, data: Data
) -> Seconds:
    """taught: of the rows of `few`, an excerpt of `data`. real: of all, whose epochs are as long.

    Narrower networks take less than the widest of their form, by how much is not measured: the least and what is
    expected are of all alike given up as halving would have it, the most is of none.
    """
    widest: dict[str, Rehearsal] = {}
    for each in candidates:
        if each.words not in widest:
            stage = candidate_stages(job, each, len(candidates))[0]
            widest[each.words] = rehearse(stage, as_long(taught, real, few), few, data)
    seeds = min(SEEDS, job.evaluation.seeds)
    return total_of(
        [
            _halved(training_time(widest[each.words], seeds), len(alike))
            for _, alike in by_part(candidates)
            for each in alike
        ]
    )


def _halved(whole: Seconds, alike: int) -> Seconds:
    """Of a candidate that is compared with so many others and may be given up."""
    assert HALVING is not None
    if alike < FEW:
        return whole
    share, goes_on, before = 0.0, 1.0, 0.0
    for after in (*(1 / part for part in HALVING.rungs), 1.0):
        share, goes_on, before = share + goes_on * (after - before), goes_on * HALVING.kept, after
    first = (FEW - 1) / alike  # of a few nobody knows yet whether they are good
    expected = first + (1 - first) * share
    return Seconds(expected=whole.expected * expected, low=whole.low * share, high=whole.high)


def of_what_is_chosen(advice: list[Advice]) -> Iterator[Advice]:
    """Without what is said of an architecture that only stands for others."""
    for each in advice:
        pointers = {each.pointer, None if each.suggestion is None else each.suggestion.pointer}
        if not any((pointer or "").startswith(OF_ARCHITECTURE) for pointer in pointers):
            yield each
