"""The model card and the pictures of a report: all of its numbers, and nothing that a name could smuggle in."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.distillations.card import card, text
from app.distillations.plots import PLOTS, PlotName, compression, curves, per_class
from app.distillations.reports import read_report
from app.errors import Problem
from tests.app.distillations.stored_report import arm, document, report

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b",
    "x\n\n# A title of its own",
    "[click](javascript:alert(1))",
    "![](http://evil.example/x.png)",
    "www.evil.example",
    "`code` **bold** _it_ ~~gone~~",
    "]]></title><script/>",
    "\x00\x0b\ufffe\u202e",
    "&lt;b&gt;",
    "",
]
SVG = "{http://www.w3.org/2000/svg}"
ATTRIBUTES = (
    "width height viewBox role aria-labelledby font-family id x y fill stroke x1 y1 x2 y2 stroke-width font-size "
    "text-anchor font-weight transform points stroke-dasharray cx cy r"
)


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_picture_is_xml_in_which_a_name_is_text(name: PlotName, hostile: str) -> None:
    found = PLOTS[name](report(classes=(hostile, "b"), name=hostile or None))
    tree = ElementTree.fromstring(found)  # noqa: S314  # our own picture
    kinds = {element.tag.removeprefix(SVG) for element in tree.iter()}
    assert kinds <= {"svg", "title", "desc", "rect", "line", "text", "polyline", "circle"}
    assert all(name in ATTRIBUTES.split() for element in tree.iter() for name in element.attrib)


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_text_in_a_card_stays_one_line_without_markup(given: str) -> None:
    found = text(given)
    assert len(found.splitlines()) <= 1
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", found)  # CommonMark: a backslash before punctuation makes it literal
    assert not set(bare) & set("<>[]()*_`~|#!&\\\"'@/=$")
    assert not re.search(r"\.[A-Za-z]", bare)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_card_has_the_structure_that_it_has_with_harmless_names(hostile: str) -> None:
    harmless, other = (card(report(classes=(name, "b"), name=name or "n")) for name in ("harmless", hostile))
    shapes = [[re.sub(r"[^#|\n-].*", "", line) for line in each.splitlines()] for each in (harmless, other)]
    assert shapes[0] == shapes[1]
    cells = [[len(re.findall(r"(?<!\\)\|", line)) for line in each.splitlines()] for each in (harmless, other)]
    assert cells[0] == cells[1]
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(re.sub(r"\\[!-/:-@\[-`{-~]", "", other))
    assert tags == []


def test_a_card_says_what_the_report_says() -> None:
    found = card(report())
    for said in (
        "**BEATS**",
        "+10.00 points",
        "+8.00 to +12.00",
        "80.0% ± 1.0%",
        "90,000",
        "student-seed-0.safetensors",
    ):
        assert said in found
    assert "## Warnings\n\n- The student is larger than the teacher." in found
    for said in (
        "60.00 points above",
        "| the teacher after structured pruning of 90% of its units | 20.0% ± 1.0% | +60.00",
    ):
        assert said in found
    assert (
        "| the teacher | 90.0% ± 1.0% | -10.00 (+58.00 to +62.00) | 90,000 | 0.090 / 0.180 | 8 | no: 18 times |"
        in found
    )
    nothing = {"verdict": None, "gain": None, "baseline": None, "exports": [], "warnings": []}
    without = card(report(**nothing, compression=None))
    assert "pruning" not in without
    assert (
        "Whether the teacher helped was not asked: no student was trained without it. Test accuracy 80.0%." in without
    )
    assert "## Warnings" not in without
    assert "onnxruntime" not in without


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"standardise": "none"}, "| Inputs | as they are |"),
        ({"standardise": "channel"}, "| Inputs | standardised by channel; exports have that inside |"),
        (
            {"standardise": "none", "tokenizer": {"kind": "bpe"}, "max_length": 64},
            "| Inputs | the numbers of at most 64 tokens of a bpe tokenizer, for exports too |",
        ),
    ],
)
def test_a_card_says_what_the_network_is_given(data: dict[str, object], said: str) -> None:
    job = document()["job"]
    assert said in card(report(job=job | {"dataset": {"source": "file", "file": "file_1"} | data}))


@pytest.mark.parametrize("name", PLOTS)
def test_every_picture_can_be_drawn_of_little(name: PlotName) -> None:
    point = [{"epoch": 1, "loss": 0.0, "validation_accuracy": 0.0}]
    little = report(teacher=arm(0.0, seeds=1, cost=False), curves={"student-seed-0": point}, exports=[])
    ElementTree.fromstring(PLOTS[name](little))  # noqa: S314  # our own picture


def test_a_picture_shows_each_class_once_and_only_the_most_changed_of_many() -> None:
    names = tuple(f"class-{number}" for number in range(100))
    rows = [
        {"class": name, "teacher": 1, "student": 1, "baseline": 1, "change_in_points": float(number)}
        for number, name in enumerate(names)
    ]
    tree = ElementTree.fromstring(per_class(report(classes=names, per_class=rows)))  # noqa: S314  # our own picture
    shown = [element.text for element in tree.iter(f"{SVG}text") if str(element.text).startswith("class-")]
    assert shown == list(names[70:])


def test_what_is_not_there_is_not_drawn() -> None:
    for draw, changes in (
        (curves, {"curves": {}}),
        (per_class, {"per_class": []}),
        (compression, {"compression": None}),
    ):
        with pytest.raises(Problem) as caught:
            draw(report(**changes))
        assert caught.value.status == 404


def test_a_report_of_an_earlier_version_is_told_apart() -> None:
    for lost in ("curves", "warnings", "per_class"):
        with pytest.raises(Problem) as caught:
            read_report({name: value for name, value in document().items() if name != lost})
        assert caught.value.code == "no_card"
