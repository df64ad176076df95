"""Axes of a chart: numbers to pixels, ticks, and the frame that a drawing stands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from app.web.drawing import GRID, INK, MUTED, Line, Mark, Text, tick_step
from app.web.svg import picture, shape

WIDTH = 720
LEAST_SPAN = 0.05  # of an axis of accuracies; less is noise of a few test rows

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Axis:
    """Numbers to pixels: `low` lies at `start`, `high` at `end`. logarithmic: both are above zero."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high, value = (log10(each) if self.logarithmic else each for each in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            first, last = floor(log10(self.low)), ceil(log10(self.high))
            parts = (
                (1,)
                if self.high >= 100 * self.low
                else (1, 2, 5)
                if self.high >= 10 * self.low
                else (1, 1.5, 2, 3, 5, 7)
            )
            found = [part * 10.0**power for power in range(first, last + 1) for part in parts]
            return [tick for tick in found if self.low * (1 - 1e-9) <= tick <= self.high * (1 + 1e-9)]
        step = tick_step(self.high - self.low)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [step * number for number in range(first, last + 1)]


def linear(values: Sequence[float], start: float, end: float, *, least: float | None = None) -> Axis:
    """An axis with some room around the values. least: what it does not go below."""
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.08
    return Axis(low - room if least is None else max(least, low - room), high + room, start, end)


def wide(values: Sequence[float]) -> list[float]:
    """Shares between the ends of an axis that is not so close that noise fills the picture."""
    middle = (min(values) + max(values)) / 2
    half = max(max(values) - min(values), LEAST_SPAN) / 2
    return [max(0.0, middle - half), min(1.0, middle + half), *values]


def logarithmic(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis from one power of ten to another."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return Axis(10.0**low, 10.0 ** max(high, low + 1), start, end, logarithmic=True)


def close_logarithmic(values: Sequence[float], start: float, end: float) -> Axis:
    """A logarithmic axis with some room around the values."""
    return Axis(min(values) / 1.2, max(values) * 1.2, start, end, logarithmic=True)


def free(x: float, y: float, width: float, taken: Sequence[Rectangle]) -> Rectangle:
    """Where a label of a dot lies on nothing: beside it, or as near as there is room."""
    for down in (0, -14, 14, -28, 28, -42, 42, -56, 56, -70, 70):
        for left in (x + 10, x - 10 - width):
            box = (left, y - 7 + down, left + width, y + 7 + down)
            inside = left > 72 and left + width < WIDTH - 4 and box[1] > 72 and box[3] < 398
            if inside and not any(_overlap(box, other) for other in taken):
                return box
    return x + 10, y - 7, x + 10 + width, y + 7


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def drawn(height: int, title: str, description: str, marks: Sequence[Mark]) -> str:
    """The document. description: what it shows, read aloud in its place."""
    return picture(WIDTH, height, title, description, [shape(mark) for mark in marks])


def heading(title: str, subtitle: str) -> list[Mark]:
    """Two lines at the top."""
    return [Text(28, 32, title, 17, "start", INK, bold=True), Text(28, 52, subtitle, 11, "start", MUTED)]


def axes(across: Axis, up: Axis, below: str, beside: str, *, percent: bool = False) -> list[Mark]:
    """Both axes with their ticks, and what they are."""
    marks: list[Mark] = []
    for tick in up.ticks():
        y = up(tick)
        marks.append(Line(across.start, y, across.end, y, GRID))
        marks.append(
            Text(across.start - 8, y + 4, f"{tick:.4g}" if not percent else f"{100 * tick:.4g}%", 11, "end", MUTED)
        )
    for tick in across.ticks():
        x = across(tick)
        marks.append(Line(x, up.start, x, up.start + 4, MUTED))
        unit = percent and across.high <= 1 and not across.logarithmic
        said = f"{100 * tick:.4g}%" if unit else f"{tick:,.10g}"
        marks.append(Text(x, up.start + 17, said, 11, colour=MUTED))
    marks.append(Line(across.start, up.start, across.end, up.start, INK))
    marks.append(Text((across.start + across.end) / 2, up.start + 38, below, 12))
    marks.append(Text(20, (up.start + up.end) / 2, beside, 12, upwards=True))
    return marks
