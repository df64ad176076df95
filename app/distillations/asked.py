"""Measures that a job asked for by name, with their intervals: their part of the card."""

from collections.abc import Iterable, Sequence

from app.distillations.markdown import table, text
from qstill.contract.distillations.measures.measure import Measure, measure_of
from qstill.contract.distillations.report.asked import ArmEstimate, AskedMeasure
from qstill.contract.distillations.report.document import DistillationReport

INTERVALS = (
    "In brackets are 95% intervals of the mean over seeds, with the test rows as they are; after *rows* stand those "
    "over test rows drawn again, with the networks as they are. Gains are above zero where the student is better."
)


def asked_card(report: DistillationReport) -> Iterable[str]:
    """Nothing where the job named no measure."""
    if not report.measures:
        return
    roles = [role for role, _ in report.arms()]
    yield "## By the measures that were asked for"
    yield INTERVALS
    yield table(("", *roles, "Student minus baseline"), (_row(each, roles) for each in report.measures))
    if absent := [each for each in report.measures if each.unmeasured is not None]:
        yield "Not measured: " + " ".join(f"{text(each.said)}: {text(each.unmeasured or '')}" for each in absent)


def _row(asked: AskedMeasure, roles: Sequence[str]) -> Sequence[str]:
    measure = measure_of(asked.name)
    cells = [_estimate(getattr(asked, role), measure) for role in roles]
    return text(asked.said), *cells, _gain(asked, measure)


def _estimate(found: ArmEstimate | None, measure: Measure) -> str:
    if found is None:
        return "–"
    said = measure.formatted(found.mean)
    if found.low is not None and found.high is not None:
        said += f" ({measure.formatted(found.low)} to {measure.formatted(found.high)})"
    if found.rows_low is not None and found.rows_high is not None:
        said += f" *rows* {measure.formatted(found.rows_low)} to {measure.formatted(found.rows_high)}"
    return said


def _gain(asked: AskedMeasure, measure: Measure) -> str:
    if asked.gain is None:
        return "–"
    said = measure.difference(asked.gain.points)
    if asked.gain.low is not None and asked.gain.high is not None:
        said += f" ({measure.difference(asked.gain.low)} to {measure.difference(asked.gain.high)})"
    if asked.gain_rows_low is not None and asked.gain_rows_high is not None:
        rows = measure.difference(asked.gain_rows_low), measure.difference(asked.gain_rows_high)
        said += f" *rows* {rows[0]} to {rows[1]}"
    return said
