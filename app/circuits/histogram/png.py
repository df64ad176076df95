"""A chart as PNG, drawn with Pillow and the one font that it carries: it looks the same on every machine.

Pillow is imported when the first picture is drawn, which takes some 30 ms.
"""

from __future__ import annotations

import io
import unicodedata
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, assert_never

from app.circuits.histogram.chart import Chart
from app.web.drawing import FRAME, MONOSPACED, PAPER, Box, Line, Shape, Text

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # pixels of the picture for one of the chart: sharp on dense screens and on paper
_DPI = 96 * SCALE
_BOLD_STROKE = 0.6  # pixels; the font has one weight
_MORE_CHARACTERS = frozenset("·…±°«»‘’“”")  # that the font has, beside ASCII
_SIGNS = "– - | — - | − - | × x | → -> | ⁄ / | ⟨ < | ⟩ > | π pi | θ theta | φ phi"
_LETTERS = "ß ss | æ ae | Æ AE | œ oe | Œ OE | ø o | Ø O | ł l | Ł L | đ d"  # that are no letter with an accent
_SPELLED = dict(pair.split() for pair in f"{_SIGNS} | {_LETTERS}".split(" | "))


def chart_png(chart: Chart) -> bytes:
    """The picture as the bytes of a PNG file, `SCALE` times as wide and high as the chart.

    A text with a letter that the font lacks is left out rather than spoilt; the title stands in the file all the same.
    """
    from PIL import Image, ImageDraw, PngImagePlugin

    image = Image.new("RGB", (chart.width * SCALE, chart.height * SCALE), PAPER)
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, image.width - 1, image.height - 1), outline=FRAME, width=SCALE)
    for shape in (*chart.shapes, *(shape for bar in chart.bars for shape in bar.shapes)):
        _draw(canvas, shape)
    file = io.BytesIO()
    about = PngImagePlugin.PngInfo()
    about.add_itxt("Title", chart.title)
    image.save(file, "PNG", dpi=(_DPI, _DPI), pnginfo=about)
    return file.getvalue()


def _draw(canvas: ImageDraw.ImageDraw, shape: Shape) -> None:
    match shape:
        case Box(x, y, width, height, fill, edge):
            left, top, right, bottom = _px(x), _px(y), _px(x + width) - 1, _px(y + height) - 1
            if right >= left and bottom >= top:
                canvas.rectangle((left, top, right, bottom), fill=fill, outline=edge, width=SCALE)
        case Line(x1, y1, x2, y2, colour, width):
            canvas.line((_px(x1), _px(y1), _px(x2), _px(y2)), fill=colour, width=max(1, _px(width)))
        case Text(upwards=True):
            mask, ascent = _written(shape)
            above = mask.width - _before(shape, mask.width)
            upright = mask.rotate(90, expand=True)
            canvas.bitmap((_px(shape.x) - ascent, _px(shape.y) - above), upright, fill=shape.colour)
        case Text():
            mask, ascent = _written(shape)
            canvas.bitmap((_px(shape.x) - _before(shape, mask.width), _px(shape.y) - ascent), mask, fill=shape.colour)
        case _:
            assert_never(shape)


def _written(text: Text) -> tuple[Image.Image, int]:
    """The text as a mask, read from left to right, and how far below the mask's top its baseline lies."""
    from PIL import Image, ImageDraw

    font, words, ascent = _font(text.size), _drawable(text.text), _px(text.size)
    cell = text.size * MONOSPACED * SCALE
    width = cell * len(words) if text.monospaced else font.getlength(words)
    mask = Image.new("L", (max(1, ceil(width)), ascent * 2))
    canvas = ImageDraw.Draw(mask)
    if text.monospaced:
        for place, character in enumerate(words):
            canvas.text(((place + 0.5) * cell, ascent), character, fill=255, font=font, anchor="ms")
    else:
        stroke = _BOLD_STROKE if text.bold else 0
        canvas.text((0, ascent), words, fill=255, font=font, anchor="ls", stroke_width=stroke)
    return mask, ascent


def _before(text: Text, length: int) -> int:
    """How much of the text lies before its point."""
    return {"start": 0, "middle": length // 2, "end": length}[text.anchor]


def _px(length: float) -> int:
    return round(length * SCALE)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size * SCALE)
    assert isinstance(font, ImageFont.FreeTypeFont)  # whichever size is named, unless Pillow was built without FreeType
    return font


def _drawable(text: str) -> str:
    """The text in characters that the font has: accents dropped, a few signs spelled out; nothing where that fails."""
    written = "".join(character if _has(character) else _nearest(character) for character in text)
    return written if all(map(_has, written)) else ""


def _nearest(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    return "".join(_SPELLED.get(part, part) for part in parts if not unicodedata.combining(part))


def _has(character: str) -> bool:
    return character.isascii() or character in _MORE_CHARACTERS
