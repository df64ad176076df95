"""A student in place of a circuit, for people: its part of the card, and the picture of both along one input."""

from collections.abc import Iterable, Sequence

from app.distillations.markdown import table, text
from app.web.axes import WIDTH, Axis, axes, drawn, heading, linear
from app.web.drawing import INK, MUTED, Box, Dot, Line, Mark, Path, Text, fit
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.surrogate import Optimum, SearchName, SurrogateSection
from qstill.contract.errors import Problem

CIRCUIT, STUDENT, ASKED, BOUND = "#616e7c", "#2f5fb3", "#c27d12", "#dbe4f3"
SEARCHES: dict[SearchName, str] = {
    "surrogate": "the surrogate's minimum",
    "start": "where the others begin",
    "best_asked": "the lowest answer the surrogate was made of",
    "cobyla": "COBYLA",
    "spsa": "SPSA",
}
DEVIATIONS = 2  # of a value by its shots, to both sides: the band


def surrogate(report: DistillationReport) -> str:
    """The circuit, the student and what the circuit answers along one input; below, how far both are off there and on
    test rows.
    """
    found = report.surrogate
    if found is None or found.slice is None:
        raise Problem("nothing_to_draw", "No circuit taught, or an earlier version wrote the report.", status=404)
    line = found.slice
    values = [value for each in line.points for value in (each.student, each.circuit, each.asked)]
    across = Axis(line.points[0].at, line.points[-1].at, 72, WIDTH - 28)
    up = linear(values, 300, 100)
    shots = f"{found.shots_per_query:,} shots" if found.shots_per_query else "its exact values"
    held = ", ".join(f"{name} {round(value, 6):.3g}" for name, value in line.through.items() if name != line.input)
    where = "the minimum" if found.optimum is not None else "the middle of the rows"
    marks = heading(
        "The student in place of the circuit", f"Along {line.input}, through {where}{': ' if held else ''}{held[:80]}."
    )
    for place, (words, colour) in enumerate(
        (("the circuit", CIRCUIT), ("the student", STUDENT), (f"asking the circuit, {shots}", ASKED))
    ):
        x = 72.0 + 120 * place
        marks += [Box(x, 67, 14, 4, colour), Text(x + 20, 73, words, 11, "start")]
    marks += axes(across, up, fit(line.input, 400, 12), fit(line.observable, 180, 12))
    marks += [Dot(across(each.at), up(each.asked), ASKED, f"answer {each.asked:.6g}", 2.5) for each in line.points]
    marks.append(Path([(across(each.at), up(each.circuit)) for each in line.points], CIRCUIT, 3.5))
    marks.append(Path([(across(each.at), up(each.student)) for each in line.points], STUDENT, 1.5))
    if found.optimum is not None:
        at, value = line.through[line.input], found.optimum.searches["surrogate"].value
        marks.append(Line(across(at), up.start, across(at), up.end, MUTED))
        marks.append(Dot(across(at), up(value), INK, f"the circuit at the student's minimum: {value:.6g}", 4))
    marks += _errors(found)
    said = f"RMSE on test rows: student {found.student.rmse:.3g}, asking the circuit {found.direct.rmse:.3g}."
    if found.optimum is not None:
        for place, part in enumerate(_sentence(found.optimum).split("; ")):
            marks.append(Text(28, 612 + 16 * place, fit(part, WIDTH - 56, 11), 11, "start"))
        said += f" {found.optimum.verdict}."
    height = 600 if found.optimum is None else 644
    return drawn(height, "The student in place of the circuit", said, marks)


def _errors(found: SurrogateSection) -> list[Mark]:
    """Off by how much on test rows, over the circuit's own value."""
    across = linear([each.circuit for each in found.points], 72, WIDTH - 28)
    off = [each.student - each.circuit for each in found.points]
    asked = [each.asked - each.circuit for each in found.points]
    bound = DEVIATIONS * (found.standard_error or 0.0)
    most = max([bound, *map(abs, off), *map(abs, asked)]) or 1.0
    up = linear([-most, most], 554, 372)
    marks: list[Mark] = []
    if bound:
        marks.append(Box(across.start, up(bound), across.end - across.start, up(-bound) - up(bound), BOUND))
        words = f"within {DEVIATIONS} standard errors, whatever the inputs"
        marks.append(Text(across.end - 4, up(bound) - 4, words, 11, "end", STUDENT))
    slice_ = found.slice
    assert slice_ is not None
    marks += axes(across, up, f"{fit(slice_.observable, 300, 12)} of the circuit, test rows", "Error")
    marks.append(Line(across.start, up(0), across.end, up(0), MUTED))
    for each, error in zip(found.points, asked, strict=True):
        marks.append(Dot(across(each.circuit), up(error), ASKED, f"asked: off by {error:.3g}", 2))
    for each, error in zip(found.points, off, strict=True):
        marks.append(Dot(across(each.circuit), up(error), STUDENT, f"student: off by {error:.3g}", 2.5))
    return marks


def surrogate_card(found: SurrogateSection) -> Iterable[str]:
    """What the student stands for, what that cost, and how wrong it is."""
    yield "## In place of the circuit"
    yield _said_of(found)
    yield table(("", "RMSE", "Largest error", "Shots of an answer"), _beside_circuit(found))
    if found.mitigation is not None:
        yield f"Error mitigation {found.mitigation.sentence}."
    if found.slice is not None:
        yield "![The student beside the circuit along one input](plots/surrogate.svg)"
    if found.optimum is not None:
        yield "## The minimum"
        yield f"**{_sentence(found.optimum)}**"
        names = (text(name) for name in (found.optimum.observable, "Evaluations", *found.optimum.inputs[:8]))
        yield table(("", *names), _searches(found.optimum))
        if found.optimum.expected is not None:
            yield (
                f"`{text(found.optimum.certificate)}` is a circuit job, and `certificate.json` its request; its "
                f"`expectations[0].value` is {found.optimum.expected:.6f}."
            )


def _sentence(found: Optimum) -> str:
    return f"{found.verdict[:1].upper()}{found.verdict[1:]}."


def _said_of(found: SurrogateSection) -> str:
    what = "is the circuit's function but for shots, noise and rounding" if found.exact else "approximates the circuit"
    cost = f"{found.circuits:,} circuits" + (f" and {found.shots_spent:,} shots" if found.shots_spent else "")
    return (
        f"The student {what}. It was learned from {cost}, and needs none to answer: from {found.pays_after_queries:,} "
        "rows on that is less than asking the circuit."
    )


def _beside_circuit(found: SurrogateSection) -> Iterable[Sequence[str]]:
    shots = f"{found.shots_per_query:,}" if found.shots_per_query else "exact values"
    each = [("The student", found.student, "none"), ("The circuit itself", found.direct, shots)]
    if found.mitigation is not None:
        each.append(("The circuit without mitigation", found.mitigation.without, shots))
    for label, errors, cost in (*each, ("A linear model of the rows", found.linear, "none")):
        yield label, f"{errors.rmse:.2g}", f"{errors.max_error:.2g}", cost


def _searches(found: Optimum) -> Iterable[Sequence[str]]:
    for name, words in SEARCHES.items():
        each = found.searches[name]
        yield words, f"{each.value:.6g}", f"{each.evaluations:,}", *(f"{angle:.4g}" for angle in each.angles[:8])
