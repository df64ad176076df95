"""A chart as PNG, drawn with Pillow and the one font that it carries: it looks the same on every machine.

Pillow is imported when the first picture is drawn, which takes some 30 ms.
"""

from __future__ import annotations

import io
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, assert_never

from app.circuits.chart import FRAME, PAPER, Box, Chart, Line, Shape, Text

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

SCALE = 2  # pixels of the picture for one of the chart: sharp on dense screens and on paper
_DPI = 96 * SCALE
_BOLD_STROKE = 0.6  # pixels; the font has one weight
_MORE_CHARACTERS = frozenset("·…±°«»‘’“”")  # that the font has, beside ASCII


def chart_png(chart: Chart) -> bytes:
    """The picture as the bytes of a PNG file, `SCALE` times as wide and high as the chart."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (chart.width * SCALE, chart.height * SCALE), PAPER)
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, image.width - 1, image.height - 1), outline=FRAME, width=SCALE)
    for shape in (*chart.shapes, *(shape for bar in chart.bars for shape in bar.shapes)):
        _draw(canvas, shape)
    file = io.BytesIO()
    image.save(file, "PNG", dpi=(_DPI, _DPI))
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
            _write_upwards(canvas, shape)
        case Text():
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
            canvas.text(
                (_px(shape.x), _px(shape.y)),
                _drawable(shape.text),
                fill=shape.colour,
                font=_font(shape.size),
                anchor=anchor,
                stroke_width=_BOLD_STROKE if shape.bold else 0,
            )
        case _:
            assert_never(shape)


def _write_upwards(canvas: ImageDraw.ImageDraw, text: Text) -> None:
    from PIL import Image, ImageDraw

    font, words = _font(text.size), _drawable(text.text)
    length, ascent = round(font.getlength(words)), _px(text.size)
    mask = Image.new("L", (max(1, length), ascent * 2))
    ImageDraw.Draw(mask).text((0, ascent), words, fill=255, font=font, anchor="ls")
    above = {"start": length, "middle": length // 2, "end": 0}[text.anchor]  # how far it reaches above its point
    canvas.bitmap((_px(text.x) - ascent, _px(text.y) - above), mask.rotate(90, expand=True), fill=text.colour)


def _px(length: float) -> int:
    return round(length * SCALE)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.load_default(size * SCALE)
    assert isinstance(font, ImageFont.FreeTypeFont)  # whichever size is named, unless Pillow was built without FreeType
    return font


def _drawable(text: str) -> str:
    """The text in characters that the font has: accents dropped, and a question mark for what remains."""
    plain = (character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character))
    return "".join(character if character.isascii() or character in _MORE_CHARACTERS else "?" for character in plain)
