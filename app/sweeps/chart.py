"""The picture of a Pareto front: validation accuracy over the bytes of a student's file, on a logarithmic scale."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from math import log10

from app.circuits.chart import MEASURED, OTHER, Bar, Chart
from app.sweeps.views import TrialView
from app.web.drawing import GRID, INK, MUTED, Box, Line, Shape, Text

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 76.0, 30.0, 64.0, 60.0
DOT, FRONT_DOT = 6.0, 10.0


def front_chart(trials: Sequence[TrialView], front: Collection[int]) -> Chart:
    """Each complete trial is a square, with its figures in words; those of `front` are larger, blue and joined."""
    shown = [(t, log10(t.bytes), t.accuracy) for t in trials if t.status == "complete" and t.bytes and t.accuracy]
    sizes, heights = [size for _, size, _ in shown] or [0.0], [height for _, _, height in shown] or [0.0]
    across, up = _Axis(min(sizes), max(sizes), 0.05), _Axis(min(heights), max(heights), 0.01)

    def x(size: float) -> float:
        return LEFT + across.share(size) * (WIDTH - LEFT - RIGHT)

    def y(accuracy: float) -> float:
        return HEIGHT - BOTTOM - up.share(accuracy) * (HEIGHT - TOP - BOTTOM)

    shapes: list[Shape] = [
        Text(LEFT, 28, "Students on the validation rows", size=16, anchor="start", bold=True),
        Text(LEFT, 48, "blue: on the Pareto front of accuracy, bytes and latency", anchor="start", colour=MUTED),
        Text(22, (TOP + HEIGHT - BOTTOM) / 2, "validation accuracy", colour=MUTED, upwards=True),
        Text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "bytes of the file (logarithmic)", colour=MUTED),
    ]
    for step in range(5):
        value, size = up.at(step / 4), across.at(step / 4)
        shapes += [
            Line(LEFT, y(value), WIDTH - RIGHT, y(value), colour=GRID),
            Text(LEFT - 8, y(value) + 4, f"{value:.3f}", anchor="end", colour=MUTED),
            Text(x(size), HEIGHT - BOTTOM + 20, f"{10**size:,.0f}", colour=MUTED),
        ]
    shapes.append(Line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, colour=INK))
    best = sorted((x(size), y(accuracy)) for trial, size, accuracy in shown if trial.number in front)
    shapes += [Line(*one, *other, colour=MEASURED) for one, other in pairwise(best)]
    dots = [
        Bar([_dot(x(size), y(accuracy), trial.number in front)], _words(trial))
        for trial, size, accuracy in sorted(shown, key=lambda each: each[0].number in front)
    ]
    title = f"Pareto front: {len(front)} of {len(shown)} complete trials"
    return Chart(WIDTH, HEIGHT, title, "Validation accuracy over the bytes of the student's file.", shapes, dots)


class _Axis:
    """A scale with some air at both ends. least: half of the span where all values are equal."""

    def __init__(self, low: float, high: float, least: float) -> None:
        air = max((high - low) * 0.06, least if high == low else 0.0)
        self.low, self.high = low - air, high + air

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def at(self, share: float) -> float:
        return self.low + share * (self.high - self.low)


def _dot(x: float, y: float, on_front: bool) -> Box:
    side = FRONT_DOT if on_front else DOT
    return Box(x - side / 2, y - side / 2, side, side, MEASURED if on_front else OTHER)


def _words(trial: TrialView) -> str:
    setting = ", ".join(f"{path} = {value}" for path, value in trial.setting.items())
    return f"trial {trial.number}: {trial.accuracy:.4f}, {trial.bytes:,} bytes, {trial.latency_ms:.3f} ms; {setting}"
