"""The picture of a Pareto front: what ranks trials on the validation rows, over the bytes of a file, logarithmic."""

from collections.abc import Collection, Sequence
from itertools import pairwise

from app.circuits.histogram.chart import MEASURED, OTHER, Bar, Chart
from app.web.axes import close_logarithmic, free, linear, wide
from app.web.drawing import GRID, INK, MUTED, Box, Line, Shape, Text, text_width
from qstill.contract.distillations.measures.measure import ACCURACY, Measure, measure_of
from qstill.contract.sweeps.results import TrialView

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 76.0, 30.0, 64.0, 60.0
DOT, FRONT_DOT = 6.0, 10.0


def front_chart(trials: Sequence[TrialView], front: Collection[int]) -> Chart:
    """Each complete trial is a square, with its figures in words; those of `front` are larger, blue and joined."""
    complete = [(trial, trial.bytes, trial.worth) for trial in trials if trial.status == "complete"]
    measure = measure_of(complete[0][0].measure) if complete else ACCURACY
    shown = [(trial, float(size), value) for trial, size, value in complete if size and value is not None]
    sizes = [room * size for _, size, _ in shown for room in (0.6, 1.6)] or [1.0, 10.0]  # so that two ticks lie inside
    across = close_logarithmic(sizes, LEFT, WIDTH - RIGHT)
    heights = [height for _, _, height in shown] or [0.0]
    up = linear(wide(heights) if measure.is_share else heights, HEIGHT - BOTTOM, TOP)

    shapes: list[Shape] = [
        Text(LEFT, 28, "Students on the validation rows", size=16, anchor="start", bold=True),
        Text(LEFT, 48, f"blue: on the Pareto front of {measure.said}, bytes and latency", anchor="start", colour=MUTED),
        Text(22, (TOP + HEIGHT - BOTTOM) / 2, f"validation {measure.said}", colour=MUTED, upwards=True),
        Text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "bytes of the file (logarithmic)", colour=MUTED),
    ]
    for value in up.ticks():
        shapes += [
            Line(LEFT, up(value), WIDTH - RIGHT, up(value), colour=GRID),
            Text(LEFT - 8, up(value) + 4, _tick(value, measure), anchor="end", colour=MUTED),
        ]
    shapes += [Text(across(tick), HEIGHT - BOTTOM + 20, f"{tick:,.10g}", colour=MUTED) for tick in across.ticks()]
    shapes.append(Line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, colour=INK))
    places = [(trial, across(size), up(value)) for trial, size, value in shown]
    best = sorted((x, y) for trial, x, y in places if trial.number in front)
    shapes += [Line(*one, *other, colour=MEASURED) for one, other in pairwise(best)]
    taken = [(x - 6, y - 6, x + 6, y + 6) for _, x, y in places]
    dots = []
    for trial, x, y in sorted(places, key=lambda each: each[0].number in front):
        dots.append(Bar([_dot(x, y, trial.number in front)], _words(trial, measure)))
        if trial.number in front:
            name = f"trial {trial.number}"
            taken.append(free(x, y, text_width(name, 11), taken))
            left, top, _, _ = taken[-1]
            shapes.append(Text(left, top + 11, name, size=11, anchor="start", colour=INK))
    title = f"Pareto front: {len(front)} of {len(shown)} complete trials"
    return Chart(WIDTH, HEIGHT, title, f"Validation {measure.said} over the bytes of the student's file.", shapes, dots)


def _dot(x: float, y: float, on_front: bool) -> Box:
    side = FRONT_DOT if on_front else DOT
    return Box(x - side / 2, y - side / 2, side, side, MEASURED if on_front else OTHER)


def _tick(value: float, measure: Measure) -> str:
    return f"{100 * value:.4g}%" if measure.is_share else f"{value:.4g}"


def _words(trial: TrialView, measure: Measure) -> str:
    setting = ", ".join(f"{path} = {value}" for path, value in trial.setting.items())
    worth = f"{measure.said} {trial.worth:.4g}"
    return f"trial {trial.number}: {worth}, {trial.bytes:,} bytes, {trial.latency_ms:.3f} ms; {setting}"
