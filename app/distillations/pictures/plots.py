"""The pictures of a report: `PLOTS[name](report)` is an SVG. They say what the numbers of the report say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.distillations.budget import budget
from app.distillations.pictures.expressibility import expressibility
from app.distillations.pictures.quantum_noise import noise
from app.distillations.quantum import shots
from app.distillations.surrogate import surrogate
from app.web.axes import WIDTH, Axis, axes, close_logarithmic, drawn, free, heading, linear, logarithmic, wide
from app.web.drawing import GRID, INK, MUTED, PAPER, Box, Dot, Line, Mark, Path, Text, fit, text_width
from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.measured import ConfidenceBin, LearningPoint, Role
from qstill.contract.errors import Problem

COLOURS: dict[Role, str] = {"teacher": "#616e7c", "student": "#2f5fb3", "baseline": "#c27d12"}  # for every kind of eye
EXPORT = "#2f8f83"
MAX_CLASSES = 30  # rows that are readable
FEW_ROWS = 10  # of a bin; below it its accuracy is mostly chance
SHOWN_BELOW_THE_BEST = 0.3  # of test accuracy; a network of a few units would make all others one line


PlotName = Literal[
    "curves",
    "reliability",
    "per_class",
    "pareto",
    "compression",
    "budget",
    "shots",
    "noise",
    "expressibility",
    "surrogate",
]
AnyPlotName = PlotName | Literal["ranking", "distribution"]  # of recommenders, circuits and shots


def curves(report: DistillationReport) -> str:
    """What chose the epochs, on the validation rows, and the loss: a line for each network that the job trained."""
    return learning_curves(report.curves, report.by)


def learning_curves(found: Mapping[str, Sequence[LearningPoint]], measure: Measure) -> str:
    """found: by the names of the stages. measure: what chose the best epochs."""
    stages = [(role, points) for name, points in found.items() if points and (role := _role(name))]
    if not stages:
        raise Problem("nothing_to_draw", "The report has no learning curves.", status=404)
    epochs = [float(point.epoch) for _, points in stages for point in points]
    accuracies = [point.score(measure) for _, points in stages for point in points]
    losses = [point.loss for _, points in stages for point in points if point.loss > 0] or [1.0]
    across = Axis(0, max(epochs), 72, WIDTH - 28)
    upper, lower = linear(accuracies, 300, 96, least=measure.least), logarithmic(losses, 540, 352)
    marks = heading("Learning curves", "Each network that was trained. Losses are of different objectives.")
    marks += legend(dict.fromkeys(role for role, _ in stages))
    marks += axes(across, upper, "", f"Validation {measure.chosen}", percent=measure.is_share)
    marks += axes(across, lower, "Epoch", "Loss, nats" if measure.is_share else "Loss")
    for role, points in stages:
        colour, dashes = COLOURS[role], "5 3" if role == "teacher" else ""
        for axis, values in (
            (upper, [point.score(measure) for point in points]),
            (lower, [max(point.loss, lower.low) for point in points]),
        ):
            line = [(across(point.epoch), axis(value)) for point, value in zip(points, values, strict=True)]
            marks.append(Path(line, colour, dashes=dashes) if len(line) > 1 else Dot(*line[0], colour, role, 3))
    last = [f"{role} {measure.formatted(points[-1].score(measure))}" for role, points in stages]
    said = f"Validation {measure.chosen} after the last epoch: {', '.join(last)}."
    return drawn(600, "Learning curves", said, marks)


def reliability(report: DistillationReport) -> str:
    """How often a network is right, over how sure it is. On the diagonal it knows what it knows."""
    if not report.has_confidence:
        raise Problem("nothing_to_draw", "Predictions of numbers come without a confidence to draw.", status=404)
    across, up = Axis(0, 1, 72, 492), Axis(0, 1, 500, 96)
    marks = heading(
        "Reliability", f"Test rows by confidence; larger dots are more rows, lines join those of {FEW_ROWS} or more."
    )
    marks += legend(role for role, _ in report.arms())
    marks += axes(across, up, "Confidence", "Accuracy", percent=True)
    marks.append(Path([(across(0), up(0)), (across(1), up(1))], MUTED, 1, "3 3"))
    said = []
    for place, (role, arm) in enumerate(report.arms()):
        pooled = _pooled(arm.reliability())
        total = sum(rows for rows, _, _ in pooled)
        line = [(across(sure), up(right)) for rows, sure, right in pooled if rows >= FEW_ROWS]
        marks.append(Path(line, COLOURS[role], 1.2))
        for rows, sure, right in pooled:
            words = f"{role}: {right:.1%} right where it is {sure:.1%} sure, {rows / total:.1%} of the rows"
            marks.append(Dot(across(sure), up(right), COLOURS[role], words, 2.5 + 7 * (rows / total) ** 0.5))
        error = arm.summary["expected_calibration_error"].mean
        said.append(f"{role} {error:.4f}")
        marks.append(Text(512, 130 + 40 * place, role, 12, "start", COLOURS[role], bold=True))
        marks.append(Text(512, 147 + 40 * place, f"calibration error {error:.4f}", 11, "start", MUTED))
    return drawn(556, "Reliability", f"Expected calibration error: {', '.join(said)}.", marks)


def per_class(report: DistillationReport) -> str:
    """What the teacher changed in the accuracy of each class."""
    rows = [row for row in report.per_class if row.change_in_points is not None]
    if not rows:
        raise Problem(
            "nothing_to_draw", "Without a baseline, or without classes, there is no change to draw.", status=404
        )
    shown = sorted(rows, key=lambda row: -abs(row.change_in_points or 0))[:MAX_CLASSES]
    kept = {id(row) for row in shown}
    shown = [row for row in rows if id(row) in kept]  # in the order of the classes
    names = [fit(row.name or "·", 170, 12) for row in shown]
    left = 28 + max(text_width(name, 12) for name in names)
    changes = [row.change_in_points or 0.0 for row in shown]
    across = linear([0.0, *changes], left + 12, WIDTH - 150)
    bottom = 92 + 24 * len(shown)
    which = f"The {len(shown)} of {len(rows)} classes that changed most. " if len(shown) < len(rows) else ""
    marks = heading("Change by class", which + "Student minus baseline, points of test accuracy, mean over seeds.")
    for tick in across.ticks():
        marks.append(Line(across(tick), 80, across(tick), bottom, GRID if tick else INK))
        marks.append(Text(across(tick), bottom + 17, f"{tick:+.4g}" if tick else "0", 11, colour=MUTED))
    for place, (row, name, change) in enumerate(zip(shown, names, changes, strict=True)):
        y = 88.0 + 24 * place
        start, end = sorted((across(0), across(change)))
        marks.append(Text(left, y + 13, name, 12, "end"))
        marks.append(Box(start, y + 2, max(end - start, 1), 14, COLOURS["student" if change >= 0 else "baseline"]))
        accuracies = f"{change:+.1f}   {row.baseline or 0:.0%} → {row.student or 0:.0%}"
        marks.append(Text(WIDTH - 140, y + 13, accuracies, 11, "start", MUTED))
    most = ", ".join(f"{row.name[:40]} {row.change_in_points:+.1f}" for row in shown[:4])
    return drawn(round(bottom) + 34, "Change by class", f"Change in points: {most}.", marks)


@dataclass(frozen=True)
class Weighed:
    """A network or file in the picture of measure and size. sd: over seeds; 0 where there is one."""

    name: str
    size: int
    value: float
    sd: float
    colour: str


def _weighed(report: DistillationReport, measure: Measure) -> list[Weighed]:
    """All whose size is known."""
    found = [
        Weighed(role, arm.cost.size.bytes, spread.mean, spread.sd or 0.0, COLOURS[role])
        for role, arm in report.arms()
        for spread in [arm.summary[measure.name]]
        if arm.cost is not None and arm.cost.size is not None and arm.cost.size.bytes > 0
    ]
    return found + [
        Weighed(_export_name(each.format), each.bytes, each.worth(measure), 0.0, EXPORT) for each in report.models
    ]


def pareto(report: DistillationReport) -> str:
    """The measure over the bytes of the file; the line goes through what nothing beats in both."""
    measure = report.by
    found = _weighed(report, measure)
    across = logarithmic([float(each.size) for each in found], 72, WIDTH - 28)
    ends = [end for each in found for end in (each.value - each.sd, each.value + each.sd)]
    up = linear(wide(ends) if measure.is_share else ends, 400, 100)
    better, title = "Up" if measure.points > 0 else "Down", f"{measure.heading} and size"
    said = f"{better} and to the left is better: mean over seeds, with bars of one standard deviation."
    marks = heading(title, said + (" Exports are of the first seed's student." if report.models else ""))
    if absent := [role for role, _ in report.arms() if role not in {each.name for each in found}]:
        marks.append(Text(28, 68, f"Of unknown size, and not shown: {', '.join(absent)}.", 11, "start", MUTED))
    marks += axes(across, up, "Bytes of the file", f"Test {measure.said}", percent=measure.is_share)
    front = _front([(each.size, measure.points * each.value) for each in found])
    marks.append(Path([(across(size), up(points / measure.points)) for size, points in front], GRID, 3))
    places = [(across(each.size), up(each.value)) for each in found]
    taken = [(x - 7, y - 7, x + 7, y + 7) for x, y in places]
    for each, (x, y) in zip(found, places, strict=True):
        if each.sd:
            marks.append(Line(x, up(each.value - each.sd), x, up(each.value + each.sd), each.colour, 1.5))
        marks.append(Dot(x, y, each.colour, f"{each.name}: {measure.formatted(each.value)}, {each.size:,} bytes", 5))
    for each, (x, y) in zip(found, places, strict=True):
        words = f"{each.name} {measure.formatted(each.value)}"
        box = free(x, y, text_width(words, 11), taken)
        taken.append(box)
        if abs(box[1] + 7 - y) > 7:  # no longer beside its dot
            marks.append(Line(x, y, box[0] if box[0] > x else box[2], box[1] + 7, each.colour, 0.7))
        marks.append(Text(box[0], box[1] + 11, words, 11, "start", each.colour))
    told = "; ".join(f"{each.name} {measure.formatted(each.value)} with {each.size:,} bytes" for each in found)
    return drawn(456, title, f"{told}.", marks)


def compression(report: DistillationReport) -> str:
    """Test accuracy over bytes and over latency of all that was pruned, quantised or distilled, each with its front."""
    if report.compression is None:
        raise Problem("nothing_to_draw", "The job did not ask for pruning or quantisation.", status=404)
    found = report.compression.candidates
    floor_ = max(each.accuracy.mean for each in found) - SHOWN_BELOW_THE_BEST
    marks = heading(
        "Distillation beside pruning and quantisation",
        f"Up and to the left is better; mean over {report.compression.seeds} seed(s). "
        f"What is {100 * SHOWN_BELOW_THE_BEST:g} points below the best, or more, lies at the edge.",
    )
    marks += [*legend(dict.fromkeys(each.role for each in found)), *_kinds(400)]
    heights = [max(floor_, each.accuracy.mean) for each in found]
    for top, name, costs in (
        (92.0, "Bytes of the file", [float(each.bytes) for each in found]),
        (432.0, "Milliseconds of one row, median", [each.latency.p50_ms for each in found]),
    ):
        across, up = close_logarithmic(costs, 72, WIDTH - 28), linear(heights, top + 270, top)
        marks += axes(across, up, name, "Test accuracy", percent=True)
        front = _front([(cost, each.accuracy.mean) for cost, each in zip(costs, found, strict=True)])
        line = [(across(cost), up(max(floor_, accuracy))) for cost, accuracy in front]
        marks.append(Path(line, GRID, 3))
        for cost, height, each in zip(costs, heights, found, strict=True):
            words = f"{each.words}: {each.accuracy.mean:.2%}, {each.bytes:,} bytes, {each.latency.p50_ms:.4f} ms"
            kind = each.pruning is not None, each.quantisation is not None
            marks += _kind(across(cost), up(height), COLOURS[each.role], words, *kind)
    said = [f"{each.words} {each.accuracy.mean:.1%} with {each.bytes:,} bytes" for each in found]
    return drawn(774, "Distillation beside pruning and quantisation", f"{'; '.join(said)}.", marks)


def _kinds(x: float) -> list[Mark]:
    """The legend of what was done to a network."""
    marks: list[Mark] = []
    for name, pruned, quantised in (
        ("as trained", False, False),
        ("pruned", True, False),
        ("quantised", False, True),
        ("both", True, True),
    ):
        marks += [*_kind(x, 69, INK, name, pruned, quantised), Text(x + 9, 73, name, 11, "start")]
        x += 25 + text_width(name, 11)
    return marks


def _kind(x: float, y: float, colour: str, words: str, pruned: bool, quantised: bool) -> list[Mark]:
    """A square is quantised; what is hollow is pruned."""
    inside = PAPER if pruned else colour
    if quantised:
        return [Box(x - 4, y - 4, 8, 8, inside, colour, words)]
    return [Dot(x, y, colour, words, 5), *([Dot(x, y, PAPER, words, 3)] if pruned else [])]


PLOTS: dict[PlotName, Callable[[DistillationReport], str]] = {
    "curves": curves,
    "reliability": reliability,
    "per_class": per_class,
    "pareto": pareto,
    "compression": compression,
    "shots": shots,
    "noise": noise,
    "expressibility": expressibility,
    "surrogate": surrogate,
    "budget": budget,
}


def legend(roles: Iterable[Role]) -> list[Mark]:
    """A line below them: who has which colour."""
    marks: list[Mark] = []
    for place, role in enumerate(roles):
        x = 72.0 + 90 * place
        marks += [Box(x, 67, 14, 4, COLOURS[role]), Text(x + 20, 73, role, 11, "start")]
    return marks


def _role(stage: str) -> Role | None:
    return next((role for role in COLOURS if stage == role or stage.startswith(f"{role}-")), None)


def _pooled(runs: Sequence[Sequence[ConfidenceBin]]) -> list[tuple[int, float, float]]:
    """(rows, mean confidence, accuracy) of each bin over all runs that has rows."""
    pooled = []
    for bins in zip(*runs, strict=True):
        known = [
            (each.rows, each.confidence, each.accuracy)
            for each in bins
            if each.confidence is not None and each.accuracy is not None
        ]
        if rows := sum(count for count, _, _ in known):
            sure = sum(count * confidence for count, confidence, _ in known) / rows
            pooled.append((rows, sure, sum(count * accuracy for count, _, accuracy in known) / rows))
    return pooled


def _front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those (bytes, accuracy) that no other is smaller and better than, from small to large."""
    front: list[tuple[float, float]] = []
    for size, accuracy in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or accuracy > front[-1][1]:
            front.append((size, accuracy))
    return front


def _export_name(format: str) -> str:
    return {"onnx": "ONNX", "onnx_int8": "ONNX int8"}.get(format, format)
