"""A picture as SVG that stands alone: no script, no font file, no link. Whatever a text holds, it stays text."""

from collections.abc import Sequence
from html import escape
from re import sub
from typing import assert_never

from app.web.drawing import FRAME, PAPER, Box, Dot, Line, Mark, Path, Text

_SANS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_MONOSPACED = "ui-monospace, 'DejaVu Sans Mono', monospace"
_NO_CHARACTERS_OF_XML = r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]"


def picture(width: int, height: int, title: str, description: str, parts: Sequence[str]) -> str:
    """The document. title, description: read aloud in its place. parts: made by `shape` and `group`."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-labelledby="title description" font-family="{_SANS}">',
            f'<title id="title">{words(title)}</title>',
            f'<desc id="description">{words(description)}</desc>',
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" fill="{PAPER}" stroke="{FRAME}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def words(text: str) -> str:
    """Text as XML; a character that XML cannot hold becomes a question mark."""
    return escape(sub(_NO_CHARACTERS_OF_XML, "?", text))


def group(title: str, shapes: Sequence[Mark]) -> str:
    """Shapes with a title, which browsers show as a tooltip."""
    return f"<g><title>{words(title)}</title>{''.join(map(shape, shapes))}</g>"


def shape(mark: Mark) -> str:
    """One element."""
    match mark:
        case Box(x, y, width, height, fill, edge, about):
            stroke = f' stroke="{edge}"' if edge else ""
            box = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{stroke}'
            return f"{box}><title>{words(about)}</title></rect>" if about else f"{box}/>"
        case Line(x1, y1, x2, y2, colour, width):
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'
        case Path(points, colour, width, dashes):
            dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
            through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            return f'<polyline points="{through}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'
        case Dot(x, y, colour, about, radius):
            circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}" stroke="{PAPER}">'
            return f"{circle}<title>{words(about)}</title></circle>"
        case Text():
            return _text(mark)
    assert_never(mark)


def _text(text: Text) -> str:
    more = ' font-weight="600"' if text.bold else ""
    more += f' font-family="{_MONOSPACED}"' if text.monospaced else ""
    more += f' transform="rotate(-90 {text.x:.1f} {text.y:.1f})"' if text.upwards else ""
    return (
        f'<text x="{text.x:.1f}" y="{text.y:.1f}" font-size="{text.size}" text-anchor="{text.anchor}" '
        f'fill="{text.colour}"{more}>{words(text.text)}</text>'
    )
