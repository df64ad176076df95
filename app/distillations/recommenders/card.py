"""A recommender's model card in Markdown: what the student is, what it is worth and for which items, its limits."""

from collections.abc import Iterable, Mapping, Sequence

from app.distillations.loading import how_to_load
from app.distillations.markdown import (
    bullets,
    counted,
    flat,
    milliseconds,
    settings,
    spread,
    table,
    text,
)
from app.distillations.recommenders.loading import program
from qstill.contract.distillations.recommenders.report import RecommenderReport

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


def ranking_card(report: RecommenderReport, checkpoints: Mapping[str, str] | None = None) -> str:
    """The whole card of a recommender's report. checkpoints: as in `card`."""
    name, roles = report.job.get("name"), [role for role, _ in report.arms()]
    parts = [
        f"# Model card: {text(name)}" if name else "# Model card of a distilled recommender",
        _verdict(report),
        "## What it is",
        table(("", ""), _description(report)),
        "## What it is worth",
        f"On {report.rows.test} test interactions, mean over {len(report.student.runs)} seed(s) ± standard "
        f"deviation. The most popular items for everybody: {report.measure.upper()} {report.popularity.ndcg:.4f}.",
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
    how = how_to_load(lambda file: program(file, kind), report.job, checkpoints or {})
    parts += ["## Limits", bullets(report.notes), "## How to load it", how]
    parts += [LOADING_ONNX.format(file=each.name) for each in report.exports[:1]]
    return "\n\n".join(parts) + "\n"


def _verdict(report: RecommenderReport) -> str:
    worth = f"Test {text(report.measure.upper())} {report.student.summary['ndcg'].mean:.4f}."
    gain = report.gain
    if report.verdict is None or gain is None:
        return f"Whether the teacher helped was not asked: no student was trained without it. {worth}"
    said = f"**{report.verdict}**: {VERDICTS[report.verdict]}: {gain.points:+.2f} hundredths"
    if gain.low is not None and gain.high is not None:
        said += f", 95% interval {gain.low:+.2f} to {gain.high:+.2f}"
    return f"{said}. {worth}"


def _description(report: RecommenderReport) -> Iterable[Sequence[str]]:
    job, rows, teacher = report.job, report.rows, report.job["teacher"]
    yield "Student", text(settings(job["student"]["architecture"]))
    source = job["dataset"].get("name") or job["dataset"].get("file") or job["dataset"]["source"]
    counts = f"{rows.users:,} users, {rows.items:,} items, {rows.train:,} interactions to learn from"
    yield "Data", f"{text(str(source))}: {counts}"
    known = {name: value for name, value in teacher.items() if name not in ("training", "architecture")}
    yield "Teacher", text(settings(known | flat("architecture", teacher.get("architecture")))[:300])
    yield "Objective", text(settings(job["objective"])[:300])
    yield "Digest of the data", f"`{report.digests.data[:16]}`"
    yield "Made with", text(", ".join(f"{name} {number}" for name, number in report.versions.items()))


def _measures(report: RecommenderReport) -> Iterable[Sequence[str]]:
    arms = [arm for _, arm in report.arms()]
    for name, label, percent in MEASURES:
        label = label.format(k=report.job["evaluation"]["k"])
        yield label, *(spread(arm.summary[name], percent=percent) for arm in arms)
    for label, name in (("Parameters", "parameters"), ("Bytes", "bytes"), ("Multiply-adds of a user", "multiply_adds")):
        yield label, *(counted(arm.cost, name) for arm in arms)
    yield "ms p50 / p95", *("unknown" if arm.cost is None else milliseconds(arm.cost.latency) for arm in arms)


def _shares(report: RecommenderReport) -> Iterable[Sequence[str]]:
    for each in report.by_popularity:
        hits = ("" if hit is None else f"{hit:.1%}" for hit in (each.teacher, each.student, each.baseline))
        change = "" if each.change_in_points is None else f"{each.change_in_points:+.1f}"
        yield text(each.items_of), f"{each.items:,}", f"{each.tested:,}", *hits, change


def _exports(report: RecommenderReport) -> Iterable[Sequence[str]]:
    for each in report.exports:
        difference = f"{each.max_score_difference:.2g}"
        yield text(each.name), f"{each.bytes:,}", f"{each.ndcg:.4f}", difference, milliseconds(each.latency)
