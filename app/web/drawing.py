"""What every picture of the service is made of, in pixels from the top left, and the measures of its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal
from unicodedata import east_asian_width

PAPER, FRAME, GRID = "#ffffff", "#d9dee4", "#e9ecef"
INK, MUTED = "#1f2933", "#616e7c"

_CHARACTER = 0.54  # of the font's size: about the mean width of a character
MONOSPACED = 0.62  # of the font's size: the width of every character


@dataclass(frozen=True)
class Box:
    """words: what it is, for a tooltip; empty: none."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str | None = None
    words: str = ""


@dataclass(frozen=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float
    colour: str = INK
    width: float = 1.0


@dataclass(frozen=True)
class Text:
    """x, y: where its baseline begins, has its middle, or ends. upwards: turned to read from below to above."""

    x: float
    y: float
    text: str
    size: int = 12
    anchor: Literal["start", "middle", "end"] = "middle"
    colour: str = INK
    bold: bool = False
    monospaced: bool = False
    upwards: bool = False


Shape = Box | Line | Text


@dataclass(frozen=True)
class Path:
    """Straight lines from point to point. dashes: lengths of line and gap; empty: no gaps."""

    points: Sequence[tuple[float, float]]
    colour: str
    width: float = 1.5
    dashes: str = ""


@dataclass(frozen=True)
class Dot:
    """words: what it is, for a tooltip."""

    x: float
    y: float
    colour: str
    words: str
    radius: float = 4.5


Mark = Shape | Path | Dot


def tick_step(ceiling: float) -> float:
    """1, 2 or 5 times a power of ten, for four to eight ticks below `ceiling`."""
    rough = ceiling / 5
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def text_width(text: str, size: float, *, monospaced: bool = False) -> float:
    """About how wide a text is; which font will draw it is not known here."""
    narrow = MONOSPACED if monospaced else _CHARACTER
    return size * sum(1.0 if east_asian_width(character) in "WF" else narrow for character in text)


def fit(text: str, width: float, size: float) -> str:
    """The text, cut to about `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text, size) > width - size:
        text = text[:-1]
    return text + "…"
