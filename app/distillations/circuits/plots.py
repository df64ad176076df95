"""The pictures of a circuit made shorter: fidelity over the strength of the noise, and how each depth was fitted."""

from app.distillations.pictures.plots import COLOURS, AnyPlotName
from app.web.axes import WIDTH, Axis, axes, drawn, heading, linear
from app.web.drawing import INK, MUTED, Box, Dot, Line, Mark, Path, Text
from qstill.contract.distillations.circuits.report import ShorteningReport
from qstill.contract.errors import Problem

LEVEL_3 = "#2f8f83"
LINES = (
    ("given", "the given circuit", COLOURS["teacher"], ""),
    ("transpiled", "at level 3 of the transpiler", LEVEL_3, "5 3"),
    ("short", "the short circuit", COLOURS["student"], ""),
)
FITS = ("#2f5fb3", "#c27d12", "#2f8f83", "#8a4f9e", "#b3472f", "#616e7c")


def shortening_plot(name: AnyPlotName, report: ShorteningReport) -> str:
    """An SVG. Raises Problem."""
    if name == "noise":
        return noise(report)
    if name == "curves":
        return fits(report)
    title = f"There is no picture `{name}` of a circuit made shorter; there are `noise` and `curves`."
    raise Problem("nothing_to_draw", title, status=404)


def noise(report: ShorteningReport) -> str:
    """Fidelity of the given circuit, of its level 3 and of the short one, from weak noise to strong."""
    points = report.noise_curve
    if not points:
        raise Problem("nothing_to_draw", "The job has no noise, or one that has no weaker and stronger.", status=404)
    across = Axis(points[0].scale, points[-1].scale, 72, WIDTH - 28, logarithmic=True)
    up = linear([0.0, 1.0, *(getattr(point, name) for point in points for name, *_ in LINES)], 420, 104, least=0.0)
    marks = heading("What is left under noise", "Exact fidelity with what the given circuit does without noise.")
    marks += axes(across, up, "Strength of the noise; 1 is the job's", "Fidelity")
    for place, (name, words, colour, dashes) in enumerate(LINES):
        line = [(across(point.scale), up(getattr(point, name))) for point in points]
        marks += [Path(line, colour, 2.0, dashes=dashes), *key(place, words, colour)]
    marks.append(Line(across(1.0), up.start, across(1.0), up.end, MUTED))
    now = next(point for point in points if point.scale == 1.0)
    for name, words, colour, _ in LINES:
        value = getattr(now, name)
        marks.append(Dot(across(1.0), up(value), colour, f"{words}: {value:.4f}"))
    even = report.break_even
    if even is not None:
        if even.scale is not None:
            marks.append(Line(across(even.scale), up.start, across(even.scale), up.end, INK))
        marks.append(Text(28, 486, f"Break-even: {even.said}.", 12, "start", INK, bold=True))
    said = f"At the job's noise: given {now.given:.3f}, level 3 {now.transpiled:.3f}, short {now.short:.3f}."
    return drawn(504, "What is left under noise", said, marks)


def fits(report: ShorteningReport) -> str:
    """The best fidelity of each depth over the steps of its fit."""
    curves = {int(layers): points for layers, points in report.fits.items() if points}
    across = Axis(0, max(max(points[-1].step for points in curves.values()), 1), 72, WIDTH - 28)
    up = linear([point.best for points in curves.values() for point in points], 420, 104, least=0.0)
    marks = heading("How each depth was fitted", "The best start's fidelity without noise.")
    marks += axes(across, up, "Step", "Fidelity")
    said = []
    for place, (layers, points) in enumerate(sorted(curves.items())):
        colour = FITS[place % len(FITS)]
        line = [(across(point.step), up(point.best)) for point in points]
        marks.append(Path(line, colour) if len(line) > 1 else Dot(*line[0], colour, f"{layers} layers", 3))
        if place < len(FITS):
            marks += key(place, f"{layers} layers", colour, room=108.0)
        said.append(f"{layers} layers {points[-1].best:.4f}")
    return drawn(480, "How each depth was fitted", f"After the last step: {', '.join(said)}.", marks)


def key(place: int, words: str, colour: str, room: float = 200.0) -> list[Mark]:
    """A line of the legend. place: from the left. room: pixels for each."""
    x = 72.0 + room * place
    return [Box(x, 75, 14, 4, colour), Text(x + 20, 81, words, 11, "start")]
