"""The pictures of a distribution that was learned: how the student learned, and what is said of the likely keys."""

from app.distillations.circuits.plots import key
from app.distillations.pictures.plots import COLOURS, AnyPlotName
from app.web.axes import WIDTH, Axis, axes, drawn, heading, linear
from app.web.drawing import GRID, INK, MUTED, Box, Dot, Line, Path, Text
from qstill.contract.distillations.circuits.distribution.report import DistributionReport
from qstill.contract.errors import Problem

STUDENT, HISTOGRAM, EXACT = COLOURS["student"], COLOURS["baseline"], "#616e7c"
TRAINING = "#8fb0e0"
MAX_KEYS = 24  # keys that are readable


def distribution_plot(name: AnyPlotName, report: DistributionReport) -> str:
    """An SVG. Raises Problem."""
    if name == "curves":
        return curves(report)
    if name == "distribution":
        return likely_keys(report)
    title = f"There is no picture `{name}` of a distribution; there are `curves` and `distribution`."
    raise Problem("nothing_to_draw", title, status=404)


def curves(report: DistributionReport) -> str:
    """The student's NLL on its training and validation shots over the epochs; beside it what is exact."""
    points = report.curve
    values = [value for point in points for value in (point.loss, point.validation_nll)]
    floor = [] if report.entropy is None else [report.entropy]
    across = Axis(0, max(points[-1].epoch, 1), 72, WIDTH - 28)
    up = linear([*values, *floor], 420, 104)
    marks = heading("How the student learned", "Negative log-likelihood; at epoch 0 it is independent bits.")
    marks += axes(across, up, "Epoch", "Nats a shot")
    lines = (("training shots", TRAINING, "loss"), ("validation shots", STUDENT, "validation_nll"))
    for place, (words, colour, field) in enumerate(lines):
        line = [(across(point.epoch), up(getattr(point, field))) for point in points]
        marks.append(Path(line, colour) if len(line) > 1 else Dot(*line[0], colour, words, 3))
        marks += key(place, words, colour, room=170.0)
    if report.entropy is not None:
        marks.append(Line(across.start, up(report.entropy), across.end, up(report.entropy), EXACT))
        marks += key(2, "entropy of the exact distribution", EXACT, room=170.0)
    chosen = next((point for point in points if point.epoch == report.epoch), None)
    if chosen is not None:
        marks.append(Dot(across(chosen.epoch), up(chosen.validation_nll), STUDENT, f"epoch {report.epoch}, chosen", 5))
    said = f"Epoch {report.epoch} was chosen; held out {report.of('student').nll:.3f} nats."
    return drawn(480, "How the student learned", said, marks)


def likely_keys(report: DistributionReport) -> str:
    """Of each key that was read most often: a bar of the histogram, a dot of the student, a line of what is exact."""
    shown = report.top[:MAX_KEYS]
    if not shown:
        raise Problem("nothing_to_draw", "The keys have too many bits to list what is said of them.", status=404)
    top, row = 104.0, 18.0
    bottom = top + row * len(shown)
    left = 44.0 + 7.2 * max(report.bits, 4)
    values = [value for each in shown for value in (each.student, each.histogram, each.exact or 0.0)]
    across = linear([0.0, *values], left, WIDTH - 28.0, least=0.0)
    marks = heading("The likely keys", f"Probabilities of the {len(shown)} keys that were read most often.")
    keys = [("histogram", HISTOGRAM), ("student", STUDENT)]
    keys += [("exact", INK)] if shown[0].exact is not None else []
    for place, (words, colour) in enumerate(keys):
        marks += key(place, words, colour, room=120.0)
    for tick in across.ticks():
        marks.append(Line(across(tick), top, across(tick), bottom, GRID))
        marks.append(Text(across(tick), bottom + 17, f"{tick:.4g}", 11, colour=MUTED))
    for place, each in enumerate(shown):
        y = top + row * (place + 0.5)
        width = max(across(each.histogram) - left, 0.5)
        marks.append(Text(left - 8, y + 4, each.key, 11, "end"))
        marks.append(Box(left, y - 5, width, 10, HISTOGRAM, words=f"{each.key}: histogram {each.histogram:.4f}"))
        if each.exact is not None:
            marks.append(Line(across(each.exact), y - 8, across(each.exact), y + 8, INK, 2.0))
        marks.append(Dot(across(each.student), y, STUDENT, f"{each.key}: student {each.student:.4f}", 4))
    marks.append(Text(28, bottom + 40, f"Given back: the {report.returned}.", 12, "start", INK, bold=True))
    said = f"The likeliest key {shown[0].key}: histogram {shown[0].histogram:.4f}, student {shown[0].student:.4f}."
    return drawn(round(bottom + 58), "The likely keys", said, marks)
