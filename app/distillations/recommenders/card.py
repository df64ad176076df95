"""A recommender's model card in Markdown: what the student is, what it is worth and for which items, its limits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError

from app.distillations.card import (
    bullets,
    counted,
    flat,
    milliseconds,
    settings,
    spread,
    table,
    text,
)
from app.distillations.loading import how_to_load
from app.distillations.recommenders.loading import program
from qstill.contract.distillations.report import ROLES, Cost, Latency, Part, Role
from qstill.contract.distillations.results import Gain, Spread
from qstill.contract.errors import Problem

MEASURES = (
    ("ndcg", "NDCG@{k}", False),
    ("hit", "Hit@{k}", True),
    ("mrr", "Mean reciprocal rank", False),
    ("overlap", "Lists shared with the teacher", True),
    ("coverage", "Items that somebody is recommended", True),
)
VERDICTS = {
    "BEATS": "distilled, the student ranks better than the same student trained without the teacher",
    "NO BEATS": "distilled, the student ranks no better than the same student without the teacher",
    "INCONCLUSIVE": "whether the teacher helped is not decided",
}
LOADING_ONNX = """```python
import numpy, onnxruntime

session = onnxruntime.InferenceSession("{file}")
scores = session.run(["scores"], {{"users": numpy.array([0, 1], dtype=numpy.int64)}})[0]  # (users, items)
```"""


class Arm(Part):
    """summary: means over seeds, on the test interactions."""

    summary: dict[str, Spread]
    runs: list[dict[str, Any]]
    cost: Cost | None


class Share(Part):
    """Hit@k of popular items (head) or of the others (tail)."""

    items_of: str
    items: int
    tested: int
    teacher: float | None
    student: float | None
    baseline: float | None
    change_in_points: float | None


class Epoch(Part):
    epoch: int
    loss: float
    validation_ndcg: float


class Difference(Part):
    """Student minus baseline in hundredths, paired by seed, with its 95% interval."""

    mean: float
    low: float | None
    high: float | None


class Exported(Part):
    name: str
    bytes: int
    ndcg: float
    max_score_difference: float
    latency: Latency


class RankingReport(Part):
    """A recommender's report, as far as its card reads it."""

    measure: str
    verdict: str | None
    gain: Gain | None
    teacher: Arm
    student: Arm
    baseline: Arm | None
    popularity: dict[str, float]
    by_popularity: list[Share]
    paired_differences_in_points: dict[str, Difference | None]
    curves: dict[str, list[Epoch]] = Field(default_factory=dict)  # none, where an earlier version wrote it
    exports: list[Exported]
    notes: list[str]
    rows: dict[str, int]
    digests: dict[str, str]
    versions: dict[str, str]
    job: dict[str, Any]

    def arms(self) -> list[tuple[Role, Arm]]:
        """Those that there are, by their roles."""
        return [(role, arm) for role in ROLES if (arm := getattr(self, role)) is not None]


def is_ranking(document: dict[str, Any]) -> bool:
    """Whether a report is a recommender's."""
    return "by_popularity" in document


def read_ranking(document: dict[str, Any]) -> RankingReport:
    """Raises Problem (409) for a report that an earlier version wrote."""
    try:
        return RankingReport.model_validate(document)
    except ValidationError:
        raise Problem("no_card", "An earlier version wrote this report.", status=409) from None


def ranking_card(document: dict[str, Any], checkpoints: Mapping[str, str] | None = None) -> str:
    """The whole card of a recommender's report. checkpoints: as in `card`.

    Raises Problem (409) for a report that an earlier version wrote.
    """
    report = read_ranking(document)
    try:
        return _written(report, checkpoints or {})
    except KeyError:
        raise Problem("no_card", "An earlier version wrote this report.", status=409) from None


def _written(report: RankingReport, checkpoints: Mapping[str, str]) -> str:
    name, roles = report.job.get("name"), [role for role, _ in report.arms()]
    parts = [
        f"# Model card: {text(name)}" if name else "# Model card of a distilled recommender",
        _verdict(report),
        "## What it is",
        table(("", ""), _description(report)),
        "## What it is worth",
        f"On {report.rows['test']} test interactions, mean over {len(report.student.runs)} seed(s) ± standard "
        f"deviation. The most popular items for everybody: {report.measure.upper()} {report.popularity['ndcg']:.4f}.",
        table(("", *roles), _measures(report)),
        "![Each measure, and what the teacher changed](plots/ranking.svg)",
        *(["![Epochs with the teacher and without](plots/curves.svg)"] if report.curves else []),
        "## Popular items and the others",
        f"Hit@{report.job['evaluation']['k']} where the item to find is one of the popular (head) or not (tail).",
        table(("", "Items", "Tested", "Teacher", "Student", "Baseline", "Change in points"), _shares(report)),
    ]
    if report.exports:
        header = ("File", "Bytes", f"Test {report.measure.upper()}", "Largest difference of a score", "ms p50 / p95")
        parts += ["## Exports", "Each file was run on the test interactions.", table(header, _exports(report))]
    kind = report.job["student"]["architecture"]["kind"]
    how = how_to_load(lambda file: program(file, kind), report.job, checkpoints)
    parts += ["## Limits", bullets(report.notes), "## How to load it", how]
    parts += [LOADING_ONNX.format(file=each.name) for each in report.exports[:1]]
    return "\n\n".join(parts) + "\n"


def _verdict(report: RankingReport) -> str:
    worth = f"Test {text(report.measure.upper())} {report.student.summary['ndcg'].mean:.4f}."
    gain = report.gain
    if report.verdict is None or gain is None:
        return f"Whether the teacher helped was not asked: no student was trained without it. {worth}"
    said = f"**{report.verdict}**: {VERDICTS[report.verdict]}: {gain.points:+.2f} hundredths"
    if gain.low is not None and gain.high is not None:
        said += f", 95% interval {gain.low:+.2f} to {gain.high:+.2f}"
    return f"{said}. {worth}"


def _description(report: RankingReport) -> Iterable[Sequence[str]]:
    job, rows, teacher = report.job, report.rows, report.job["teacher"]
    yield "Student", text(settings(job["student"]["architecture"]))
    source = job["dataset"].get("name") or job["dataset"].get("file") or job["dataset"]["source"]
    counts = f"{rows['users']:,} users, {rows['items']:,} items, {rows['train']:,} interactions to learn from"
    yield "Data", f"{text(str(source))}: {counts}"
    known = {name: value for name, value in teacher.items() if name not in ("training", "architecture")}
    yield "Teacher", text(settings(known | flat("architecture", teacher.get("architecture")))[:300])
    yield "Objective", text(settings(job["objective"])[:300])
    yield "Digest of the data", f"`{report.digests['data'][:16]}`"
    yield "Made with", text(", ".join(f"{name} {number}" for name, number in report.versions.items()))


def _measures(report: RankingReport) -> Iterable[Sequence[str]]:
    arms = [arm for _, arm in report.arms()]
    for name, label, percent in MEASURES:
        label = label.format(k=report.job["evaluation"]["k"])
        yield label, *(spread(arm.summary[name], percent=percent) for arm in arms)
    for label, name in (("Parameters", "parameters"), ("Bytes", "bytes"), ("Multiply-adds of a user", "multiply_adds")):
        yield label, *(counted(arm.cost, name) for arm in arms)
    yield "ms p50 / p95", *("unknown" if arm.cost is None else milliseconds(arm.cost.latency) for arm in arms)


def _shares(report: RankingReport) -> Iterable[Sequence[str]]:
    for each in report.by_popularity:
        hits = ("" if hit is None else f"{hit:.1%}" for hit in (each.teacher, each.student, each.baseline))
        change = "" if each.change_in_points is None else f"{each.change_in_points:+.1f}"
        yield text(each.items_of), f"{each.items:,}", f"{each.tested:,}", *hits, change


def _exports(report: RankingReport) -> Iterable[Sequence[str]]:
    for each in report.exports:
        difference = f"{each.max_score_difference:.2g}"
        yield text(each.name), f"{each.bytes:,}", f"{each.ndcg:.4f}", difference, milliseconds(each.latency)
