"""What is left of a quantum student, and of the circuits beside it, over the strength of the noise."""

from app.distillations.quantum import CHART_BOTTOM, COLOURS, NAMES
from app.web.axes import WIDTH, Axis, axes, drawn, heading, linear, wide
from app.web.drawing import MUTED, Box, Dot, Line, Path, Text
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.quantum import Judged
from qstill.contract.errors import Problem

WAYS = {"calibrated": "", "value": "5 3", "mitigated": "1 3"}  # dashes


def noise(report: DistillationReport) -> str:
    """The measure with the most shots that were asked for: calibrated, raw and mitigated, a colour for each circuit.

    With infinitely many, calibration would give back nearly all: what noise takes then is shots.
    """
    engine = None if report.quantum is None else report.quantum.engine
    shots = max((each.shots or 0 for each in engine.curve), default=0) if engine else 0
    shown = [each for each in engine.curve if each.shots == shots] if engine else []
    if engine is None or not any(each.strength for each in shown):
        raise Problem("nothing_to_draw", "The job ran no quantum student under noise.", status=404)
    measure = report.by
    values = [worth for each in shown for way in WAYS if (worth := getattr(each, way)) is not None]
    across = Axis(0.0, 1.02 * max(each.strength for each in shown), 72, WIDTH - 28)
    up = linear(wide(values) if measure.is_share else values, CHART_BOTTOM, 116, least=measure.least)
    title = f"{measure.heading} over noise"
    how = f"Full lines are calibrated by {engine.calibration_rows} rows, dashed ones raw"
    how += ", dotted ones mitigated" if engine.mitigation else ""
    marks = heading(title, f"With {shots:,} shots of a circuit. {how}.")
    beside = f"{measure.heading} on {engine.rows} rows"
    marks += axes(across, up, "Strength of the noise; 1 is the job's", beside, percent=measure.is_share)
    marks.append(Line(across(1.0), up.start, across(1.0), up.end, MUTED))
    told = []
    for place, name in enumerate(dict.fromkeys(each.network for each in shown)):
        x, points = 72.0 + 136 * place, sorted(_of(shown, name), key=lambda each: each.strength)
        marks += [Box(x, 67, 14, 4, COLOURS[name]), Text(x + 20, 73, NAMES[name], 11, "start")]
        for way, dashes in WAYS.items():
            line = [(each.strength, worth) for each in points if (worth := getattr(each, way)) is not None]
            marks.append(Path([(across(scale), up(worth)) for scale, worth in line], COLOURS[name], dashes=dashes))
            for scale, worth in line:
                words = (
                    f"{NAMES[name]}, {'raw' if way == 'value' else way}, {scale:g} times: {measure.formatted(worth)}"
                )
                marks.append(Dot(across(scale), up(worth), COLOURS[name], words, 3))
        (now,) = [each for each in points if each.strength == 1.0]
        told.append(f"{NAMES[name]} {measure.formatted(now.calibrated)}")
    return drawn(456, title, f"At the job's noise, calibrated: {', '.join(told)}.", marks)


def _of(shown: list[Judged], network: str) -> list[Judged]:
    return [each for each in shown if each.network == network]
