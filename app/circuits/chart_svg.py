"""A chart as SVG that stands alone: no script, no font file, no link."""

from html import escape
from typing import assert_never

from app.circuits.chart import FRAME, PAPER, Bar, Box, Chart, Line, Shape, Text

_SANS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_MONOSPACED = "ui-monospace, 'DejaVu Sans Mono', monospace"


def chart_svg(chart: Chart) -> str:
    """The picture as XML. Each outcome is a group whose title, which browsers show as a tooltip, is its figures."""
    width, height = chart.width, chart.height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-labelledby="title description" font-family="{_SANS}">',
            f'<title id="title">{escape(chart.title)}</title>',
            f'<desc id="description">{escape(chart.description)}</desc>',
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" fill="{PAPER}" stroke="{FRAME}"/>',
            *map(_shape, chart.shapes),
            *map(_bar, chart.bars),
            "</svg>\n",
        ]
    )


def _bar(bar: Bar) -> str:
    return f"<g><title>{escape(bar.words)}</title>{''.join(map(_shape, bar.shapes))}</g>"


def _shape(shape: Shape) -> str:
    match shape:
        case Box(x, y, width, height, fill, edge):
            stroke = f' stroke="{edge}"' if edge else ""
            return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{stroke}/>'
        case Line(x1, y1, x2, y2, colour, width):
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'
        case Text():
            return _text(shape)
    assert_never(shape)


def _text(text: Text) -> str:
    more = ' font-weight="600"' if text.bold else ""
    more += f' font-family="{_MONOSPACED}"' if text.monospaced else ""
    more += f' transform="rotate(-90 {text.x:.1f} {text.y:.1f})"' if text.upwards else ""
    return (
        f'<text x="{text.x:.1f}" y="{text.y:.1f}" font-size="{text.size}" text-anchor="{text.anchor}" '
        f'fill="{text.colour}"{more}>{escape(text.text)}</text>'
    )
