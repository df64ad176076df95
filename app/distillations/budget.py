"""How a budget chose the student: what was tried, its picture and its part of the card."""

from collections.abc import Iterable, Sequence

from app.distillations.markdown import bullets, settings, table, text
from app.web.axes import WIDTH, axes, close_logarithmic, drawn, free, heading, linear, wide
from app.web.drawing import GRID, MUTED, PAPER, Dot, Mark, Path, Text, text_width
from qstill.contract.distillations.budget.report import BudgetSection, TriedCandidate
from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.errors import Problem

CHOSEN, TRIED = "#2f5fb3", "#c27d12"  # of the student, and of what it was chosen from
SHOWN_BELOW_THE_BEST = 0.4  # of accuracy; networks of a unit or two would make all others one line
BOLD = 13  # about the size of plain letters that are as wide as bold ones of 11
LIMITS = {
    "parameters": "parameters",
    "bytes": "bytes of the file",
    "multiply_adds": "multiply-adds of a row",
    "milliseconds": "milliseconds of a row on one core",
}


def budget(report: DistillationReport) -> str:
    """The measure on the validation rows over the parameters of every candidate; the line is the front."""
    found = report.budget
    if found is None:
        raise Problem("nothing_to_draw", "The job names its student's architecture: no budget chose it.", status=404)
    measure = report.by
    worths = [(each, each.worth) for each in found.candidates if each.worth is not None]
    heights = _heights([worth for _, worth in worths], measure)
    across = close_logarithmic([float(each.parameters) for each, _ in worths], 72, WIDTH - 28)
    up = linear(wide(heights) if measure.is_share else heights, 400, 100)
    better = "Up" if measure.better == "more" else "Down"
    told = f"{better} and to the left is better. Hollow: given up early, as it was then. Line: what nothing beats."
    told += " Much worse ones lie at the edge." if heights != [worth for _, worth in worths] else ""
    marks = heading("Candidates within the budget", told)
    marks += axes(across, up, "Parameters", f"Validation {measure.said}", percent=measure.is_share)
    places = {
        each.number: (across(each.parameters), up(height)) for (each, _), height in zip(worths, heights, strict=True)
    }
    marks.append(Path([places[number] for number in _by_size(found)], GRID, 3))
    for each, worth in worths:
        x, y = places[each.number]
        colour = CHOSEN if each.number == found.chosen else TRIED
        words = f"{each.number}: {each.words}, {each.parameters:,} parameters, {measure.formatted(worth)}"
        marks.append(Dot(x, y, colour, words, 6 if each.number == found.chosen else 4))
        marks += [Dot(x, y, PAPER, words, 2.5)] if each.status == "given_up" else []
    marks += _names(found, places)
    return drawn(456, "Candidates within the budget", found.why, marks)


def _heights(worths: Sequence[float], measure: Measure) -> list[float]:
    """Of what is far below the best, the edge."""
    return [max(max(worths) - SHOWN_BELOW_THE_BEST, each) for each in worths] if measure.is_share else list(worths)


def _by_size(found: BudgetSection) -> list[int]:
    sizes = {each.number: each.parameters for each in found.candidates}
    return sorted(found.front, key=lambda number: sizes[number])


def _names(found: BudgetSection, places: dict[int, tuple[float, float]]) -> list[Mark]:
    """Of those on the front, the chosen one first, where there is room."""
    taken, marks = [(x - 5, y - 5, x + 5, y + 5) for x, y in places.values()], list[Mark]()
    named = {each.number: each.words for each in found.candidates}
    for number in sorted(found.front, key=lambda number: number != found.chosen):
        words = named[number] + (", chosen" if number == found.chosen else "")
        box = free(*places[number], text_width(words, 11 if number != found.chosen else BOLD), taken)
        taken.append(box)
        colour = CHOSEN if number == found.chosen else MUTED
        marks.append(Text(box[0], box[1] + 11, words, 11, "start", colour, bold=number == found.chosen))
    return marks


def budget_card(found: BudgetSection, measure: Measure) -> Iterable[str]:
    """What was asked for, why this student, and what else nothing beats."""
    yield "## Chosen within a budget"
    allowed = ", ".join(f"{most:,.10g} {LIMITS[name]}" for name, most in found.limits if most is not None)
    smaller = found.budget.times_smaller
    of = "" if smaller is None else f", the teacher's {found.teacher_parameters:,} over {smaller:g}"
    yield f"At most {allowed}{of}. {text(found.why)}"
    yield "![What each candidate is worth, over its size](plots/budget.svg)"
    yield "Trained to the end, and beaten by none that is smaller:"
    header = ("", f"Validation {measure.said}", "Parameters", "Bytes", "Multiply-adds", "ms, one core")
    shown = {each.number: each for each in found.candidates}
    yield table(header, (_row(shown[number], found.chosen, measure) for number in reversed(_by_size(found))))
    yield bullets([*found.notes, *(f"Too large: {each}." for each in found.left_out)])


def _row(each: TriedCandidate, chosen: int, measure: Measure) -> Sequence[str]:
    name = text(settings(each.architecture.model_dump(mode="json"))[:200])
    worth = "" if each.worth is None else measure.formatted(each.worth)
    costs = f"{each.parameters:,}", f"{each.bytes:,}", f"{each.multiply_adds:,}", f"{each.latency_ms:.3f}"
    return f"**{name}**" if each.number == chosen else name, worth, *costs
