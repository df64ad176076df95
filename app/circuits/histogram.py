"""What is read off counts: probabilities, their intervals, and a picture. No numpy: the front door imports it.

histogram_view({"00": 507, "11": 493}, shots=1000, clbits=2)
histogram_svg({"00": 507, "11": 493}, shots=1000, title="bell")
"""

from collections.abc import Mapping
from html import escape
from itertools import islice
from math import floor, log10, sqrt
from typing import Any

from app.circuits.views import BitOrder, HistogramOutcome, HistogramView, OtherOutcomes

Z_95 = 1.959963984540054  # the normal quantile of a two-sided 95% interval
MAX_BARS = 64  # more are not readable

_KEY_CHARACTERS = 26  # a longer key keeps its two ends
_PLOT_HEIGHT = 260  # px
_MARGIN_LEFT, _MARGIN_RIGHT, _MARGIN_TOP = 68, 24, 64  # px
_MIN_PLOT_WIDTH = 480.0  # px; the subtitle fits
_BAR_COLOUR, _INK, _FAINT = "#4c78c8", "#1f2933", "#e4e7eb"


def reverse_bits(counts: Mapping[str, int]) -> dict[str, int]:
    """The same counts with every key written from the other end: little-endian to big-endian and back."""
    return {key[::-1]: count for key, count in counts.items()}


def probabilities(counts: Mapping[str, int], *, shots: int) -> dict[str, float]:
    """count / shots of every outcome."""
    return {key: count / shots for key, count in counts.items()}


def wilson_interval(count: int, shots: int, *, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval (Wilson 1927) of a probability of which `count` of `shots` trials are known.

    Unlike p ± z·√(p(1-p)/n) it stays within [0, 1] and keeps its width where the count is 0 or all.
    """
    p = count / shots
    centre = p + z * z / (2 * shots)
    half = z * sqrt(p * (1 - p) / shots + z * z / (4 * shots * shots))
    scale = 1 + z * z / shots
    return max(0.0, min(p, (centre - half) / scale)), min(1.0, max(p, (centre + half) / scale))


def by_frequency(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """(key, count), most frequent first; equal counts by key."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def top_outcomes(counts: Mapping[str, int], top: int | None) -> tuple[dict[str, int], int, int]:
    """The `top` most frequent counts (all if None), how many outcomes are left out, and their shots."""
    ranked = by_frequency(counts)
    kept = dict(islice(ranked, top))
    return kept, len(ranked) - len(kept), sum(count for _, count in ranked[len(kept) :])


def histogram_view(
    counts: Mapping[str, int], *, shots: int, clbits: int, bit_order: BitOrder = "little", top: int | None = None
) -> HistogramView:
    """The answer to a histogram request. counts: little-endian keys, as the worker stores them."""
    kept, others, other_count = top_outcomes(counts, top)
    if bit_order == "big":
        kept = reverse_bits(kept)
    return HistogramView(
        shots=shots,
        clbits=clbits,
        bit_order=bit_order,
        counts=kept,
        probabilities=probabilities(kept, shots=shots),
        outcomes=[HistogramOutcome(key=key, **_estimate(count, shots)) for key, count in kept.items()],
        other=OtherOutcomes(outcomes=others, **_estimate(other_count, shots)) if others else None,
    )


def _estimate(count: int, shots: int) -> dict[str, Any]:
    low, high = wilson_interval(count, shots)
    return {"count": count, "probability": count / shots, "low": low, "high": high}


def histogram_svg(
    counts: Mapping[str, int],
    *,
    shots: int,
    title: str = "Counts",
    bit_order: BitOrder = "little",
    top: int = MAX_BARS,
) -> str:
    """A bar chart of the `top` most frequent outcomes, sorted by key, with 95% whiskers; the subtitle counts the rest.

    counts: little-endian keys. The picture stands alone: no script, no font file, no link.
    """
    kept, others, other_count = top_outcomes(counts, min(top, MAX_BARS))
    if bit_order == "big":
        kept = reverse_bits(kept)
    bars = sorted(kept.items())
    labels = [_shorten(key) for key, _ in bars]
    longest = max(map(len, labels), default=0)
    slot = max(18.0, min(88.0, 880 / max(1, len(bars))))  # px from bar to bar
    upright = longest * 7.5 + 8 <= slot
    label_height = 20 if upright else 8 + longest * 7
    plot_width = max(_MIN_PLOT_WIDTH, slot * len(bars))
    width = _MARGIN_LEFT + plot_width + _MARGIN_RIGHT
    base = _MARGIN_TOP + _PLOT_HEIGHT
    height = base + label_height + 44
    ceiling = max((wilson_interval(count, shots)[1] for _, count in bars), default=1.0)
    step = _tick_step(ceiling)
    ticks = [step * i for i in range(floor(ceiling / step) + 2) if step * i <= 1.0 + 1e-9]
    scale = _PLOT_HEIGHT / max(ticks[-1], ceiling)
    first = _MARGIN_LEFT + (plot_width - slot * len(bars)) / 2
    end = "right" if bit_order == "little" else "left"
    subtitle = f"{shots:,} shots · {len(counts):,} outcomes · bit 0 is {end}most · whiskers: 95% intervals"
    if others:
        subtitle = f"{shots:,} shots · the {len(kept)} most frequent of {len(counts):,} outcomes"
        subtitle += f"; the others hold {other_count / shots:.1%}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="title description" '
        "font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\">",
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(_describe(kept, shots))}</desc>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(_MARGIN_LEFT, 28, _fit(title, width - 92, 9.4), size=17, weight=600),
        _text(_MARGIN_LEFT, 47, _fit(subtitle, width - 76, 5.9), size=11, fill="#616e7c"),
    ]
    for tick in ticks:
        y = base - tick * scale
        parts.append(
            f'<line x1="{_MARGIN_LEFT}" x2="{_MARGIN_LEFT + plot_width:.1f}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{_FAINT if tick else _INK}"/>'
        )
        parts.append(_text(_MARGIN_LEFT - 8, y + 4, f"{tick:.6g}", size=11, anchor="end", fill="#52606d"))
    for index, (key, count) in enumerate(bars):
        centre = first + slot * (index + 0.5)
        parts.append(_bar(centre, base, key=key, count=count, shots=shots, slot=slot, scale=scale))
        parts.append(_label(centre, base, labels[index], upright=upright))
    middle = _MARGIN_TOP + _PLOT_HEIGHT / 2
    parts.append(_text(_MARGIN_LEFT + plot_width / 2, height - 14, "Outcome", size=12, anchor="middle"))
    parts.append(_text(18, middle, "Probability", size=12, anchor="middle", rotate=f"rotate(-90 18 {middle:.0f})"))
    return "\n".join([*parts, "</svg>\n"])


def _bar(centre: float, base: float, *, key: str, count: int, shots: int, slot: float, scale: float) -> str:
    """A bar from `base` upwards with its whisker, and the numbers as a tooltip."""
    low, high = wilson_interval(count, shots)
    p = count / shots
    width = min(56.0, slot * 0.72)
    cap = min(6.0, width / 3)
    top, y_low, y_high = base - p * scale, base - low * scale, base - high * scale
    figures = f"{key}: {count:,} of {shots:,}, p = {p:.4g} [{low:.4g}, {high:.4g}]"
    whisker = (
        f"M{centre:.1f} {y_low:.1f}V{y_high:.1f}"
        f"M{centre - cap:.1f} {y_low:.1f}h{2 * cap:.1f}M{centre - cap:.1f} {y_high:.1f}h{2 * cap:.1f}"
    )
    return (
        f'<g><title>{escape(figures)}</title><rect x="{centre - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{base - top:.1f}" fill="{_BAR_COLOUR}"/>'
        f'<path d="{whisker}" stroke="{_INK}" stroke-width="1.2" fill="none"/></g>'
    )


def _label(centre: float, base: float, label: str, *, upright: bool) -> str:
    font = "ui-monospace, 'DejaVu Sans Mono', monospace"
    if upright:
        return _text(centre, base + 18, label, size=12, anchor="middle", family=font)
    x, y = centre + 4, base + 8
    return _text(x, y, label, size=11, anchor="end", family=font, rotate=f"rotate(-90 {x:.1f} {y:.1f})")


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    anchor: str = "start",
    fill: str = _INK,
    weight: int = 400,
    family: str | None = None,
    rotate: str | None = None,
) -> str:
    more = (f' font-family="{family}"' if family else "") + (f' transform="{rotate}"' if rotate else "")
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{fill}"{more}>{escape(text)}</text>'
    )


def _shorten(key: str) -> str:
    half = _KEY_CHARACTERS // 2
    return key if len(key) <= _KEY_CHARACTERS else f"{key[: half - 1]}…{key[-half:]}"


def _fit(text: str, width: float, character: float) -> str:
    """The text cut to `width` px, a character being about `character` px wide."""
    room = max(1, int(width / character))
    return text if len(text) <= room else text[: room - 1] + "…"


def _tick_step(ceiling: float) -> float:
    """1, 2 or 5 times a power of ten, for four to eight ticks below `ceiling`."""
    rough = ceiling / 5
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def _describe(kept: Mapping[str, int], shots: int) -> str:
    leading = ", ".join(f"{_shorten(key)} {count / shots:.1%}" for key, count in by_frequency(kept)[:4])
    return f"Bar chart of measured outcomes. Most frequent: {leading}."
