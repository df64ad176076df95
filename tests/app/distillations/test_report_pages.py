"""The model card and the pictures of a report: all of its numbers, and nothing that a name could smuggle in."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.distillations.card import card
from app.distillations.markdown import text
from app.distillations.pictures.expressibility import expressibility
from app.distillations.pictures.plots import PLOTS, PlotName, compression, curves, pareto, per_class
from app.distillations.pictures.quantum_noise import noise
from app.distillations.quantum import shots
from app.web.drawing import text_width
from qstill.contract.distillations.report.document import read_report
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.testing.stored_report import arm, budget, document, quantum, report, surrogate

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
    found = PLOTS[name](
        report(classes=(hostile, "b"), name=hostile or None, surrogate=surrogate(hostile), budget=budget(hostile))
    )
    tree = ElementTree.fromstring(found)  # noqa: S314  # our own picture
    kinds = {element.tag.removeprefix(SVG) for element in tree.iter()}
    assert kinds <= {"svg", "title", "desc", "rect", "line", "text", "polyline", "circle"}
    assert all(name in ATTRIBUTES.split() for element in tree.iter() for name in element.attrib)


@given(st.text(max_size=60))
@settings(max_examples=examples(60), deadline=None)
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


NO_SHOTS = surrogate(minimum=False, shots=False)


@pytest.mark.parametrize("name", PLOTS)
def test_every_picture_can_be_drawn_of_little(name: PlotName) -> None:
    point = [{"epoch": 1, "loss": 0.0, "validation_accuracy": 0.0}]
    little = report(
        teacher=arm(0.0, seeds=1, cost=False), curves={"student-seed-0": point}, exports=[], surrogate=NO_SHOTS
    )
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


@given(
    accuracies=st.lists(st.floats(0.7, 0.71), min_size=4, max_size=4),
    sizes=st.lists(st.integers(3000, 9000), min_size=4, max_size=4),
)
@settings(max_examples=examples(40), deadline=None)
def test_the_labels_of_a_pareto_lie_neither_on_each_other_nor_on_a_dot(
    accuracies: list[float], sizes: list[int]
) -> None:
    (first, second, *files), (one, two, *bytes_) = accuracies, sizes
    exports = [
        document()["exports"][0] | {"format": format, "accuracy": accuracy, "bytes": size}
        for format, accuracy, size in zip(("onnx", "onnx_int8"), files, bytes_, strict=True)
    ]
    arms = {"teacher": arm(first, size=one), "student": arm(second, size=two), "baseline": None}
    tree = ElementTree.fromstring(pareto(report(exports=exports, **arms)))  # noqa: S314  # our own picture
    texts = [each for each in tree.iter(f"{SVG}text") if re.match(r"(teacher|student|ONNX).* \d", str(each.text))]
    boxes = [(float(each.attrib["x"]), float(each.attrib["y"]), text_width(str(each.text), 11)) for each in texts]
    dots = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in tree.iter(f"{SVG}circle")]
    assert (len(boxes), len(dots)) == (4, 4)
    for number, (x, y, width) in enumerate(boxes):
        assert all(
            abs(y - other[1]) >= 11 or x + width < other[0] or other[0] + other[2] < x for other in boxes[:number]
        )
        assert not any(x < at < x + width and y - 11 < height < y for at, height in dots)


def test_a_pareto_shows_deviations_and_does_not_blow_up_noise() -> None:
    found = pareto(report(teacher=arm(0.79, cost=False), student=arm(0.792), baseline=arm(0.789)))
    assert "not shown: teacher" in found
    tree = ElementTree.fromstring(found)  # noqa: S314  # our own picture
    bars = [each for each in tree.iter(f"{SVG}line") if each.attrib["stroke-width"] == "1.5"]
    assert len(bars) == 2
    shown = {str(each.text): float(each.attrib["y"]) for each in tree.iter(f"{SVG}text")}
    ticks = sorted((float(name[:-1]), y) for name, y in shown.items() if re.fullmatch(r"[\d.]+%", name))
    (low, below), (high, above) = ticks[0], ticks[-1]
    assert 300 * (high - low) / (below - above) >= 5  # points from the bottom of the picture to its top


def test_what_is_not_there_is_not_drawn() -> None:
    for draw, changes in (
        (curves, {"curves": {}}),
        (per_class, {"per_class": []}),
        (compression, {"compression": None}),
        (PLOTS["surrogate"], {"surrogate": None}),
        (PLOTS["budget"], {"budget": None}),
        (PLOTS["surrogate"], {"surrogate": surrogate() | {"slice": None}}),
    ):
        assert problem_of(draw, report(**changes)).status == 404


def test_a_report_of_an_earlier_version_is_told_apart() -> None:
    for lost in ("curves", "warnings", "per_class"):
        caught = problem_of(read_report, {name: value for name, value in document().items() if name != lost})
        assert caught.code == "no_card"


def test_a_card_says_what_is_quantum_in_a_student() -> None:
    found = card(report())
    assert "Fourier series of the encoded angles, up to frequency 3" in found
    assert "**Advantage: shown over both.**" in found
    assert "| a linear student | 70.0% ± 1.0% | +10.00 (+8.00 to +12.00) | 30 |" in found
    assert "| student, ideal | 50.0% (60.0%) | 50.0% (60.0%) | 50.0% (60.0%) |" in found
    assert "| student, noisy | 50.0% (60.0%, 60.0%) |" in found
    assert "| student, 0.5 times the noise | 50.0% (60.0%, 65.0%) |" in found
    assert (
        "did not help over calibrated: 60.0% against 50.0% and 60.0%. It takes 3 circuits for a row in place of 1."
        in found
    )
    assert "quantum" not in card(report(quantum=None))


def test_shots_are_drawn_of_quantum_students_alone() -> None:
    refused = problem_of(shots, report(quantum=None))
    assert refused.code == "nothing_to_draw"
    dashed = shots(report()).count("stroke-dasharray")
    assert dashed == 3  # each circuit without noise


def test_expressibility_is_drawn_where_it_is_known() -> None:
    unknown = quantum()
    unknown["nature"]["expressibility"] = None
    for nothing in (None, unknown):
        refused = problem_of(expressibility, report(quantum=nothing))
        assert refused.code == "nothing_to_draw"
    drawn = expressibility(report())
    assert "1 of 3 angles change nothing" in drawn
    assert "angle 2: dead" in drawn
    assert "Its states are 0.2 nats from evenly spread ones, and 0.004 of random states" in card(report())


def test_noise_is_drawn_where_circuits_ran_under_some() -> None:
    for nothing in (None, quantum() | {"engine": None}):
        refused = problem_of(noise, report(quantum=nothing))
        assert refused.code == "nothing_to_draw"
    drawn = noise(report())
    assert drawn.count("stroke-dasharray") == 2 * 3  # raw and mitigated, of three circuits
    assert "calibrated: student 60.0%, teacher 60.0%, frozen 60.0%" in drawn


def test_a_card_says_where_a_surrogate_is_lowest_and_what_others_find() -> None:
    found = card(report(surrogate=surrogate()))
    assert "**No gain: -1 at the surrogate's minimum; COBYLA finds -1, which is the same.**" in found
    assert "| COBYLA | -1 | 9 | 0.1 | -0.2 |" in found
    assert "The minimum" not in card(report(surrogate=surrogate(minimum=False)))


def test_a_card_says_how_a_budget_chose_the_student() -> None:
    found = card(report(budget=budget()))
    assert "At most 900 parameters, 9,000 bytes of the file, the teacher's 9,000 over 10. Of 5 candidates" in found
    assert "| **mlp, hidden \\[8\\], activation relu, dropout 0.0** | 95.0% | 700 | 2,800 | 700 | 0.020 |" in found
    assert "| mlp, hidden \\[5\\], activation relu, dropout 0.0 | 90.0% | 100 |" in found
    assert "hidden \\[9\\]" not in found
    assert "Too large: a resnet-14: at least 901 parameters." in found
    assert "| Student | mlp, hidden \\[8\\]" in found
    assert "within a budget" not in card(report(budget=None))


def test_a_picture_of_a_budget_shows_all_that_were_tried() -> None:
    drawn = PLOTS["budget"](report(budget=budget()))
    tree = ElementTree.fromstring(drawn)  # noqa: S314  # our own picture
    dots = [each.attrib["fill"] for each in tree.iter(f"{SVG}circle")]
    assert dots.count("#c27d12") == 3
    assert dots.count("#2f5fb3") == 1
    assert dots.count("#ffffff") == 1  # given up; of one that failed there is nothing to show
    assert "an mlp of one hidden layer, chosen" in drawn
