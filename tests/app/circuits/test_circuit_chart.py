"""The picture of a histogram: its geometry, and that each format draws all of it."""

import io
import itertools
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.circuits.comparison import ideal_reference, job_reference
from app.circuits.histogram.answer import histogram_view
from app.circuits.histogram.chart import MAX_BARS, MEASURED, OTHER, REFERENCE, Chart, histogram_chart
from app.circuits.histogram.png import SCALE, chart_png
from app.circuits.histogram.svg import chart_svg
from app.web.drawing import Box, Line, Text
from tests.testing.examples import examples
from tests.testing.stored_counts import histograms, store

SVG = "{http://www.w3.org/2000/svg}"
GHZ = store({"000": 470, "111": 480, "010": 50}, ideal={"000": 0.5, "111": 0.5})


def chart(counts: dict[str, int], *, name: str | None = None, top: int = MAX_BARS) -> Chart:
    return histogram_chart(histogram_view(store(counts, name=name), top=top))


def compared() -> Chart:
    return histogram_chart(histogram_view(GHZ, reference=ideal_reference(GHZ)))


def boxes(drawn: Chart, fill: str) -> list[Box]:
    return [shape for bar in drawn.bars for shape in bar.shapes if isinstance(shape, Box) and shape.fill == fill]


def texts(drawn: Chart) -> list[str]:
    shapes = [*drawn.shapes, *(shape for bar in drawn.bars for shape in bar.shapes)]
    return [shape.text for shape in shapes if isinstance(shape, Text)]


@given(histograms(), st.integers(1, MAX_BARS))
@settings(max_examples=examples(40))
def test_each_outcome_has_a_bar_as_high_as_its_probability(counts: dict[str, int], top: int) -> None:
    drawn, shots = chart(counts, top=top), sum(counts.values())
    bars = boxes(drawn, MEASURED)
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]
    assert len(bars) == len(kept)
    assert len(boxes(drawn, OTHER)) == (len(counts) > top)
    heights = [bar.height / (count / shots) for bar, (_, count) in zip(bars, sorted(kept), strict=True)]
    assert heights == pytest.approx([heights[0]] * len(heights))


@given(histograms(), st.integers(1, MAX_BARS))
@settings(max_examples=examples(40))
def test_nothing_is_drawn_outside_or_upon_something_else(counts: dict[str, int], top: int) -> None:
    drawn = chart(counts, top=top)
    for shape in (shape for bar in drawn.bars for shape in bar.shapes):
        if isinstance(shape, Box):
            assert 0 <= shape.x <= shape.x + shape.width <= drawn.width
            assert 0 <= shape.y <= shape.y + shape.height <= drawn.height
        elif isinstance(shape, Line):
            assert 0 <= min(shape.y1, shape.y2) <= max(shape.y1, shape.y2) <= drawn.height
    columns = sorted((box.x, box.x + box.width) for fill in (MEASURED, OTHER) for box in boxes(drawn, fill))
    assert all(left[1] < right[0] for left, right in itertools.pairwise(columns))


def test_what_all_others_hold_may_go_beyond_the_axis_and_says_how_much() -> None:
    counts = {format(value, "08b"): 40 - value // 8 for value in range(256)}
    drawn = chart(counts, top=8)
    (other,) = boxes(drawn, OTHER)
    assert other.height == pytest.approx(260)
    held = 1 - sum(sorted(counts.values())[-8:]) / sum(counts.values())
    assert {"248 others", f"{held:.1%}"} <= set(texts(drawn))
    assert any("the 8 most frequent of 256 outcomes" in text for text in texts(drawn))


def test_a_comparison_draws_both_beside_each_other_and_says_which_is_which() -> None:
    drawn = compared()
    measured, reference = boxes(drawn, MEASURED), boxes(drawn, REFERENCE)
    assert len(measured) == len(reference) == 3
    assert all(ours.x + ours.width <= theirs.x for ours, theirs in zip(measured, reference, strict=True))
    assert reference[1].height == 0
    assert {"measured", "ideal (exact)"} <= set(texts(drawn))
    other = store({"000": 10, "111": 30})
    view = histogram_view(GHZ, reference=job_reference(GHZ, other), top=1)
    assert f"{other.job_id}, 40 shots" in texts(histogram_chart(view))
    assert "2 others" in texts(histogram_chart(view))


def test_the_order_of_the_bits_is_said() -> None:
    for order, side in (("little", "rightmost"), ("big", "leftmost")):
        view = histogram_view(GHZ, bit_order=order)  # type: ignore[arg-type]
        assert any(f"bit 0 is {side}" in text for text in texts(histogram_chart(view)))
    view = histogram_view(GHZ, key_format="hex", bit_order="big", interval="clopper_pearson")
    assert any("hex, bit 0 most significant · 95% Clopper-Pearson" in text for text in texts(histogram_chart(view)))


@given(histograms(), st.text(max_size=30).filter(str.isprintable))
@settings(max_examples=examples(40))
def test_the_svg_is_xml_with_one_group_for_each_bar(counts: dict[str, int], name: str) -> None:
    drawn = chart(counts, name=name)
    root = ElementTree.fromstring(chart_svg(drawn))  # noqa: S314  # we wrote it
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == (name or "Counts")
    assert len(root.findall(f"{SVG}g")) == min(64, len(counts)) + (len(counts) > 64)
    assert [text.text for text in root.iter(f"{SVG}text")] == [text or None for text in texts(drawn)]


def test_a_name_cannot_smuggle_markup() -> None:
    picture = chart_svg(chart({"0": 1}, name='</title><script>alert("x")</script>'))
    assert "<script" not in picture
    ElementTree.fromstring(picture)  # noqa: S314  # we wrote it


@pytest.mark.parametrize("name", ["bell", "Ångström ½ 量子 \U0001f431 \u202e", "x" * 200, "", "<&>"])
def test_the_png_shows_the_same_picture(name: str) -> None:
    drawn = chart({"00": 507, "01": 3, "11": 490}, name=name)
    with Image.open(io.BytesIO(chart_png(drawn))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size == (drawn.width * SCALE, drawn.height * SCALE)
        for bar in boxes(drawn, MEASURED):
            inside = (round((bar.x + 3) * SCALE), round((bar.y + bar.height) * SCALE) - 3)
            assert image.getpixel(inside) == tuple(bytes.fromhex(MEASURED[1:]))
        assert image.getpixel((10, 10)) == (255, 255, 255)


def title_ink(name: str) -> int:
    """Dark pixels where the title stands, after a check that the file itself names it."""
    with Image.open(io.BytesIO(chart_png(chart({"0": 1}, name=name)))) as image:
        image.load()
        assert image.info["Title"] == (name or "Counts")  # type: ignore[attr-defined, unused-ignore]
        band = image.crop((4, 10 * SCALE, image.width - 4, 36 * SCALE)).convert("L")
        return sum(band.histogram()[:128])


@pytest.mark.parametrize(
    ("written", "drawn"),
    [("Ångström ½", "Angstrom 1/2"), ("Straße", "Strasse"), ("|ψ⟩ → π/4".replace("ψ", "0"), "|0> -> pi/4")],
)
def test_a_title_in_letters_that_the_font_lacks_is_spelled_in_those_that_it_has(written: str, drawn: str) -> None:
    assert title_ink(written) == title_ink(drawn) > 0


@pytest.mark.parametrize("name", ["量子", "Опыт 7", "ψ"])
def test_a_title_that_cannot_be_spelled_is_left_out_and_not_spoilt(name: str) -> None:
    assert title_ink(name) == 0


def test_every_kind_of_picture_can_be_drawn_as_png() -> None:
    wide = {format(value, "040b"): 5 for value in range(64)}
    for drawn in (compared(), chart(wide), chart({"1": 1}), chart({"0" * 300: 2, "1" * 300: 1}, top=1)):
        assert chart_png(drawn).startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(
    ("name", "binding", "title"),
    [
        (None, None, "Counts"),
        ("bell", None, "bell"),
        ("bell", {"theta": 0.12345678, "φ": -1.0}, "bell, theta = 0.1235, φ = -1"),
        (None, {f"p{i}": 0.5 for i in range(7)}, "Counts, " + "".join(f"p{i} = 0.5, " for i in range(6)) + "…"),
    ],
)
def test_the_title_tells_the_circuits_of_a_sweep_apart(
    name: str | None, binding: dict[str, float] | None, title: str
) -> None:
    view = histogram_view(store({"0": 1}, name=name, binding=binding))
    assert (view.binding, histogram_chart(view).title) == (binding, title)
