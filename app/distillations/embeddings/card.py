"""An encoder's model card in Markdown: what the student is, what it keeps of the teacher, how to open its folder."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.distillations.loading import downloaded
from app.distillations.markdown import bullets, counted, milliseconds, settings, spread, table, text
from qstill.contract.distillations.embeddings.report import EmbeddingReport

MEASURES = (
    ("spearman", "Spearman's correlation with the teacher's cosines"),
    ("ndcg", "NDCG@10"),
    ("mrr", "Mean reciprocal rank"),
)
VERDICTS = {
    "BEATS": "taught, the student keeps more of the teacher's similarities than untaught",
    "NO BEATS": "taught, the student keeps no more of the teacher's similarities than untaught",
    "INCONCLUSIVE": "whether teaching helped is not decided",
}
LOADING = """The checkpoint `{file}`{place} is a zip of a folder:

```python
import zipfile

from sentence_transformers import SentenceTransformer

zipfile.ZipFile("{file}").extractall("student")
print(SentenceTransformer("student").encode(["Put yours here."]))
```"""
LOADING_ONNX = """```python
import numpy, onnxruntime, tokenizers

tokenizer = tokenizers.Tokenizer.from_file("tokenizer.json")
tokenizer.no_padding()
numbers = numpy.array([tokenizer.encode("Put yours here.", add_special_tokens={special}).ids], dtype=numpy.int64)
session = onnxruntime.InferenceSession("{file}")
print(session.run(["sentence_embedding"], {{"input_ids": numbers}})[0])
```"""


def embedding_card(report: EmbeddingReport, checkpoints: Mapping[str, str]) -> str:
    """The whole card. checkpoints: ids by the names that they have in the job."""
    name, roles = report.job.get("name"), ["untaught" if role == "baseline" else role for role, _ in report.arms()]
    parts = [
        f"# Model card: {text(name)}" if name else "# Model card of a distilled encoder",
        _verdict(report),
        "## What it is",
        table(("", ""), _description(report)),
        "## What it is worth",
        f"On {report.rows.test:,} held-out sentences, mean over {len(report.student.runs)} seed(s) ± deviation.",
        table(("", *roles, "mean of word vectors"), _measures(report)),
    ]
    if report.curves:
        parts.append("![The student's epochs](plots/curves.svg)")
    if report.exports:
        header = ("File", "Bytes", "Spearman's correlation", "Largest difference of a number", "ms p50 / p95")
        parts += ["## Exports", "Each file was run on the held-out sentences.", table(header, _exports(report))]
    student = f"student-seed-{report.job['training']['seed']}.zip"
    file, place = student, ""
    if (found := checkpoints.get(student)) is not None:
        file, place = downloaded(found, student), f" (`GET /v1/checkpoints/{found}/content`)"
    parts += ["## Limits", bullets(report.notes), "## How to load it", LOADING.format(file=file, place=place)]
    special = report.job["student"]["architecture"]["kind"] != "word_vectors"
    parts += [LOADING_ONNX.format(file=each.name, special=special) for each in report.exports]
    return "\n\n".join(parts) + "\n"


def _verdict(report: EmbeddingReport) -> str:
    worth = f"Spearman's correlation with the teacher's cosines {report.student.summary['spearman'].mean:.4f}."
    gain = report.gain
    if report.verdict is None or gain is None:
        return f"The untaught student was not asked. {worth}"
    said = f"**{report.verdict}**: {VERDICTS[report.verdict]}: {gain.points:+.2f} hundredths"
    if gain.low is not None and gain.high is not None:
        said += f", 95% interval {gain.low:+.2f} to {gain.high:+.2f}"
    return f"{said}. {worth}"


def _description(report: EmbeddingReport) -> Iterable[Sequence[str]]:
    job, rows = report.job, report.rows
    yield "Student", text(settings(job["student"]["architecture"]))
    source = job["dataset"].get("name") or job["dataset"].get("file") or job["dataset"]["source"]
    yield "Data", f"{text(str(source))}: {rows.train:,} sentences to learn from, {rows.test:,} held out"
    yield "Teacher", text(settings(job["teacher"]))
    yield "Vectors", f"{report.signal.width} numbers, as the teacher's"
    yield "Objective", text(_objective(job["objective"]))
    yield "Digests", f"data `{report.digests.data[:16]}`, teacher `{report.digests.teacher[:16]}`"
    yield "Made with", text(", ".join(f"{name} {number}" for name, number in report.versions.items()))


def _objective(said: dict[str, Any]) -> str:
    """A sum as one writes it."""
    if said["kind"] != "sum":
        return settings(said)
    return " + ".join(f"{term['weight']:g}·{settings(term['objective'])}" for term in said["terms"])


def _measures(report: EmbeddingReport) -> Iterable[Sequence[str]]:
    arms, control = [arm for _, arm in report.arms()], report.controls["word_vectors"]
    for name, label in MEASURES:
        yield label, *(spread(arm.summary[name], percent=False) for arm in arms), f"{getattr(control, name):.4f}"
    for label, name in (("Parameters", "parameters"), ("Bytes", "bytes")):
        yield label, *(counted(arm.cost, name) for arm in arms), ""
    yield "ms p50 / p95", *("unknown" if arm.cost is None else milliseconds(arm.cost.latency) for arm in arms), ""


def _exports(report: EmbeddingReport) -> Iterable[Sequence[str]]:
    for each in report.exports:
        difference = f"{each.max_difference:.2g}"
        yield text(each.name), f"{each.bytes:,}", f"{each.spearman:.4f}", difference, milliseconds(each.latency)
