"""The geometry of a histogram's picture, once for every format: what is drawn where, in pixels from the top left.

chart_svg(histogram_chart(view))   # app/circuits/histogram/svg.py, and the same in chart_png.py

It is made from a `HistogramView` alone, so the picture says what the numbers say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor

from app.circuits.outcome_keys import numeric
from app.web.drawing import GRID, INK, MUTED, PAPER, Box, Line, Shape, Text, fit, text_width, tick_step
from qstill.contract.circuits.results.answers import ComparisonView, HistogramView

MAX_BARS = 64  # more are not readable
MAX_TITLE_VALUES = 6  # as above

MEASURED, OTHER = "#4c78c8", "#9aa5b1"
REFERENCE, REFERENCE_EDGE = "#fbe6c2", "#c27d12"  # blue and orange: told apart by every kind of eye

_LEFT, _RIGHT, _PLOT_HEIGHT = 72.0, 28.0, 260.0
_MIN_PLOT_WIDTH = 580.0  # the lines above the plot fit
_KEY_CHARACTERS = 44  # a longer key keeps its two ends
_OTHER_SLOT = 66.0  # its bar is labelled


@dataclass(frozen=True)
class Bar:
    """What is drawn for one outcome, and its figures in words."""

    shapes: Sequence[Shape]
    words: str


@dataclass(frozen=True)
class Chart:
    width: int
    height: int
    title: str
    description: str
    shapes: Sequence[Shape]
    bars: Sequence[Bar]


@dataclass(frozen=True)
class _Estimate:
    """A probability, and the ends of its interval unless it is exact."""

    value: float
    low: float | None
    high: float | None

    @property
    def top(self) -> float:
        return self.value if self.high is None else self.high

    def words(self) -> str:
        return f"{self.value:.4g}" + ("" if self.high is None else f" [{self.low:.4g}, {self.high:.4g}]")


@dataclass(frozen=True)
class _Row:
    key: str
    measured: _Estimate
    reference: _Estimate | None = None
    other: bool = False


@dataclass(frozen=True)
class _Plot:
    """Where the axes lie. scale: pixels for a probability of 1."""

    top: float
    width: float
    scale: float
    ticks: Sequence[float] = field(default_factory=list)

    @property
    def base(self) -> float:
        return self.top + _PLOT_HEIGHT

    def y(self, probability: float) -> float:
        """Of a probability; what is beyond the axis ends with it."""
        return max(self.top, self.base - probability * self.scale)


def histogram_chart(view: HistogramView) -> Chart:
    """A bar for each outcome of the view, sorted by key; beside it, where the view compares, the reference's."""
    title = _title(view)
    rows = _rows(view)
    labels = [_shorten(row.key) for row in rows if not row.other]
    longest = max((text_width(label, 12, monospaced=True) for label in labels), default=0.0)
    slots = _slots(rows, paired=view.comparison is not None)
    upright = all(longest + 8 <= slot for slot, row in zip(slots, rows, strict=True) if not row.other)
    label_height = 22.0 if upright else 14 + longest * 11 / 12
    plot = _plot(rows, top=118.0 if view.comparison else 76.0, width=max(_MIN_PLOT_WIDTH, sum(slots)))
    width = _LEFT + plot.width + _RIGHT
    height = plot.base + label_height + 40
    shapes = _heading(view, title, width) + _axes(plot, height)
    lefts = [_LEFT + (plot.width - sum(slots)) / 2]
    for slot in slots:
        lefts.append(lefts[-1] + slot)
    bars = []
    for row, (left, right) in zip(rows, pairwise(lefts), strict=True):
        bars.append(_bar(row, plot, centre=(left + right) / 2, slot=right - left))
        shapes.append(_label(row, plot, centre=(left + right) / 2, upright=upright))
    return Chart(round(width), round(height), title, _describe(view), shapes, bars)


def _title(view: HistogramView) -> str:
    """The name, and of a sweep's circuit the first values of its parameters."""
    values = [f"{name} = {value:.4g}" for name, value in (view.binding or {}).items()]
    shown = [*values[:MAX_TITLE_VALUES], *(["…"] if len(values) > MAX_TITLE_VALUES else [])]
    return ", ".join([view.name or "Counts", *shown])


def _rows(view: HistogramView) -> list[_Row]:
    if view.comparison is None:
        rows = [_Row(each.key, _Estimate(each.probability, each.low, each.high)) for each in view.outcomes]
        rows.sort(key=lambda row: numeric(row.key))
        if (rest := view.other) is not None:
            rows.append(_Row(_others(rest.outcomes), _Estimate(rest.probability, rest.low, rest.high), other=True))
        return rows
    rows = [
        _Row(
            each.key,
            _Estimate(each.measured, each.low, each.high),
            _Estimate(each.reference, each.reference_low, each.reference_high),
        )
        for each in view.comparison.outcomes
    ]
    rows.sort(key=lambda row: numeric(row.key))
    if (left := view.comparison.other) is not None:
        both = _Estimate(left.measured, None, None), _Estimate(left.reference, None, None)
        rows.append(_Row(_others(left.outcomes), *both, other=True))
    return rows


def _others(outcomes: int) -> str:
    return f"{outcomes:,} other{'s' if outcomes > 1 else ''}"


def _slots(rows: Sequence[_Row], *, paired: bool) -> list[float]:
    """The width that each row takes."""
    narrow, wide, all_together = (26.0, 96.0, 1200.0) if paired else (18.0, 96.0, 900.0)
    slot = max(narrow, min(wide, all_together / max(1, len(rows))))
    return [max(slot, _OTHER_SLOT + text_width(row.key, 11) / 4) if row.other else slot for row in rows]


def _plot(rows: Sequence[_Row], *, top: float, width: float) -> _Plot:
    """The axis ends above the highest whisker of an outcome; what all others hold together may go beyond it."""
    estimates = [each for row in rows if not row.other for each in (row.measured, row.reference) if each]
    ceiling = max((each.top for each in estimates), default=1.0) or 1.0
    step = tick_step(ceiling)
    ticks = [step * i for i in range(floor(ceiling / step) + 2) if step * i <= 1 + 1e-9]
    return _Plot(top, width, _PLOT_HEIGHT / max(ticks[-1], ceiling), ticks)


def _heading(view: HistogramView, title: str, width: float) -> list[Shape]:
    def line(y: float, text: str, size: int, colour: str = MUTED, *, bold: bool = False) -> Text:
        return Text(_LEFT, y, fit(text, width - _LEFT - 16, size), size, "start", colour, bold)

    shapes: list[Shape] = [line(30, title, 17, INK, bold=True), line(51, _subtitle(view), 11)]
    if (comparison := view.comparison) is not None:
        shapes.append(line(69, _distances(comparison), 11))
        exact = comparison.shots is None
        name = f"{comparison.with_} (exact)" if exact else f"{comparison.with_}, {comparison.shots:,} shots"
        shapes += [Box(_LEFT, 85, 12, 12, MEASURED), Text(_LEFT + 18, 95, "measured", 11, "start")]
        shapes += [Box(_LEFT + 84, 85, 12, 12, REFERENCE, REFERENCE_EDGE)]
        shapes += [Text(_LEFT + 102, 95, fit(name, width - _LEFT - 118, 11), 11, "start")]
    return shapes


def _subtitle(view: HistogramView) -> str:
    figures = view.comparison or view
    shown, total = len(figures.outcomes), len(figures.outcomes) + (figures.other.outcomes if figures.other else 0)
    outcomes = f"{total:,} outcome{'s' if total > 1 else ''}"
    if shown < total:
        outcomes = f"the {shown:,} most frequent of {outcomes}"
    method = {"wilson": "Wilson", "clopper_pearson": "Clopper-Pearson"}[view.interval]
    return f"{view.shots:,} shots · {outcomes} · {_bits(view)} · {view.confidence:.0%} {method} intervals"


def _bits(view: HistogramView) -> str:
    little = view.bit_order == "little"
    if view.key_format in ("hex", "decimal"):
        return f"{view.key_format}, bit 0 {'least' if little else 'most'} significant"
    return f"bit 0 is {'right' if little else 'left'}most"


def _distances(comparison: ComparisonView) -> str:
    expected = f"about {comparison.expected_total_variation:.3g} by chance"
    return (
        f"total variation {comparison.total_variation:.3g} ({expected}) · "
        f"Hellinger distance {comparison.hellinger_distance:.3g} · fidelity {comparison.fidelity:.4g}"
    )


def _axes(plot: _Plot, height: float) -> list[Shape]:
    shapes: list[Shape] = []
    for tick in plot.ticks:
        y = plot.y(tick)
        shapes.append(Line(_LEFT, y, _LEFT + plot.width, y, GRID if tick else INK))
        shapes.append(Text(_LEFT - 8, y + 4, f"{tick:.6g}", 11, "end", MUTED))
    shapes.append(Text(_LEFT + plot.width / 2, height - 14, "Outcome", 12))
    shapes.append(Text(20, plot.top + _PLOT_HEIGHT / 2, "Probability", 12, upwards=True))
    return shapes


def _bar(row: _Row, plot: _Plot, *, centre: float, slot: float) -> Bar:
    if row.reference is None:
        width = min(56.0, slot * 0.72)
        fill = OTHER if row.other else MEASURED
        shapes = _column(row.measured, plot, centre=centre, width=width, fill=fill)
        if row.other or slot >= 44:
            shapes.append(_figure(row.measured, plot, centre))
        return Bar(shapes, f"{row.key}: {row.measured.words()}")
    width = min(26.0 if row.other else 34.0, slot * 0.36)
    shapes = _column(row.measured, plot, centre=centre - width / 2 - 0.5, width=width, fill=MEASURED)
    shapes += _column(
        row.reference, plot, centre=centre + width / 2 + 0.5, width=width, fill=REFERENCE, edge=REFERENCE_EDGE
    )
    if row.other:
        higher = max(row.measured, row.reference, key=lambda each: each.value)
        words = f"{row.measured.value:.1%} / {row.reference.value:.1%}"
        shapes.append(Text(centre, plot.y(higher.top) - 6, words, 10, colour=MUTED))
    return Bar(shapes, f"{row.key}: measured {row.measured.words()}, reference {row.reference.words()}")


def _column(
    estimate: _Estimate, plot: _Plot, *, centre: float, width: float, fill: str, edge: str | None = None
) -> list[Shape]:
    """A bar with its whisker. One that is higher than the axis is cut off, and shows it."""
    top = plot.y(estimate.value)
    shapes: list[Shape] = [Box(centre - width / 2, top, width, plot.base - top, fill, edge)]
    if estimate.value * plot.scale > _PLOT_HEIGHT + 0.5:
        for y in (top + 16, top + 22):
            shapes.append(Line(centre - width / 2, y + 4, centre + width / 2, y - 4, PAPER, 2.5))
    elif estimate.low is not None and estimate.high is not None:
        cap = min(6.0, width / 3)
        low, high = plot.y(estimate.low), plot.y(estimate.high)
        shapes.append(Line(centre, low, centre, high, INK, 1.2))
        shapes += [Line(centre - cap, y, centre + cap, y, INK, 1.2) for y in (low, high)]
    return shapes


def _figure(estimate: _Estimate, plot: _Plot, centre: float) -> Text:
    """The probability in percent, above the whisker."""
    return Text(centre, plot.y(estimate.top) - 6, f"{estimate.value:.1%}", 11, colour=MUTED)


def _label(row: _Row, plot: _Plot, *, centre: float, upright: bool) -> Text:
    if row.other:
        return Text(centre, plot.base + 18, row.key, 11, colour=MUTED)
    label = _shorten(row.key)
    if upright:
        return Text(centre, plot.base + 18, label, 12, monospaced=True)
    return Text(centre + 4, plot.base + 8, label, 11, "end", monospaced=True, upwards=True)


def _shorten(key: str) -> str:
    half = _KEY_CHARACTERS // 2
    return key if len(key) <= _KEY_CHARACTERS else f"{key[: half - 1]}…{key[-half:]}"


def _describe(view: HistogramView) -> str:
    leading = ", ".join(f"{_shorten(each.key)} {each.probability:.1%}" for each in view.outcomes[:4])
    compared = f" Compared with {view.comparison.with_}: {_distances(view.comparison)}." if view.comparison else ""
    return f"Bar chart of measured outcomes. Most frequent: {leading}.{compared}"
