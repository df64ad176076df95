"""A model card in Markdown: what the student is, what it was made from, what it is worth, and how to load it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.distillations.asked import asked_card
from app.distillations.budget import budget_card
from app.distillations.loading import Says, how_to_load, program
from app.distillations.markdown import bullets, counted, flat, milliseconds, settings, spread, table, text
from app.distillations.quantum import quantum_card
from app.distillations.surrogate import surrogate_card
from qstill.contract.distillations.report.compression import CompressedRival, CompressionSection
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.exports import ExportedCircuit, ExportOfRows
from qstill.contract.distillations.report.measured import CircuitCost
from qstill.contract.distillations.report.tasks import LabelMeasures, TargetErrors
from qstill.contract.tables.columns import Column

COLUMNS_SHOWN = 100
CHANGES_SHOWN = 10  # classes that changed most; the report has all

LOADING_ONNX = """```python
import onnxruntime

session = onnxruntime.InferenceSession("{file}")
{output} = session.run(["{output}"], {{"inputs": rows}})[0]  # float32 rows as they were uploaded
```"""

LOADING_TEXT = """```python
import numpy, onnxruntime, tokenizers

tokenizer = tokenizers.Tokenizer.from_file("{tokenizer}")  # an export of the job, too
tokenizer.encode_special_tokens = True  # a text that spells them out means letters
rows = [each.ids[:{length}] for each in tokenizer.encode_batch(texts, add_special_tokens=False)]
tokens = numpy.zeros((len(rows), max(map(len, rows))), dtype=numpy.int64)  # 0 is padding, and changes no answer
for row, ids in zip(tokens, rows):
    row[: len(ids)] = ids
session = onnxruntime.InferenceSession("{file}")
logits = session.run(["logits"], {{"tokens": tokens}})[0]
```"""


LOADING_FOLDER = """```python
import numpy, onnxruntime, tokenizers

tokenizer = tokenizers.Tokenizer.from_file("{tokenizer}")  # an export of the job, too
tokenizer.enable_truncation({length})
tokenizer.enable_padding(pad_id={padding})
tokens = numpy.array([each.ids for each in tokenizer.encode_batch(texts)])
session = onnxruntime.InferenceSession("{file}")
logits = session.run(["logits"], {{"tokens": tokens}})[0]
```"""

LOADING_COLUMNS = """```python
import numpy, onnxruntime

session = onnxruntime.InferenceSession("{file}")
given = {{  # rows: objects as the table has them; numbers or nan, and words, dates, true or false as strings, or ""
    {given},
}}
{output} = session.run(["{output}"], given)[0]
```"""

COLUMNS = (
    "Encoders were fitted on the training rows alone, and are in the card of the checkpoint and inside the exports, "
    "which take the columns as they are."
)

RUNNING = """```python
from qiskit import qasm3  # with the package qiskit-qasm3-import
from qiskit.quantum_info import Pauli, Statevector

circuit = qasm3.load("{file}")
{state}
print(state.expectation_value(Pauli("Z"), [0]))  # of qubit 0; `head` in the checkpoint reads all observables
```"""
ANGLES = """values = dict(zip({names}, angles))  # radians, as the head of the file says
state = Statevector(circuit.assign_parameters(values))"""
AMPLITUDES = "state = Statevector(amplitudes).evolve(circuit)  # {size} numbers, as the head of the file says"


def card(report: DistillationReport, checkpoints: Mapping[str, str] | None = None) -> str:
    """The whole document. checkpoints: ids of the job's by their names; a file without one is called by its name."""
    name = report.job.get("name")
    title = f"Model card: {text(name)}" if name else "Model card of a distilled student"
    parts = [
        f"# {title}",
        _verdict(report),
        "## What it is",
        table(("", ""), _description(report)),
        "## What it is worth",
        f"On {report.rows.test} test rows, mean over {len(report.student.runs)} seed(s) ± standard deviation. "
        f"{report.usual.units}; milliseconds are of one row on the CPU of the machine that trained it.",
        table(("", *(role for role, _ in report.arms())), _measures(report)),
    ]
    parts += asked_card(report)
    if report.teacher.cost is not None and report.teacher.cost.timed:
        parts.append(f"The teacher's time is of {text(report.teacher.cost.timed)}.")
    if report.student.cost is not None and report.student.cost.timed:
        parts.append(f"The student's time is of {text(report.student.cost.timed)}.")
    if report.models:
        said = f"Test {report.by.said}"
        header = ("File", "Bytes", said, f"Largest difference of a {report.usual.number}", "ms p50 / p95")
        parts += ["## Exports", "Each file was run on the test rows.", table(header, _exports(report))]
    if report.circuits:
        header = ("File", "Bytes", "Qubits", "Open parameters", "Largest difference of an expectation value")
        said = f"Each file was run on {report.circuits[0].rows} test rows. The linear layer is in the checkpoint alone."
        parts += ["## Circuits", said, table(header, _circuits(report))]
    if report.encoded:
        header = ("Column", "Taken for", "Networks are given", "In gaps", "Gaps")
        parts += ["## Columns", COLUMNS, table(header, _columns(report.columns or []))]
    if report.targets:
        header = ("Target", "Deviation of its labels", "Teacher", "Student", "Baseline")
        parts += ["## Targets", "RMSE in the target's unit, and R².", table(header, _targets(report))]
    elif report.labels:
        header = ("Label", "Test rows that have it", "Teacher", "Student", "Baseline")
        parts += ["## Labels", "F1, and average precision.", table(header, _labels(report))]
    elif report.baseline is not None:
        header = ("Class", "Teacher", "Student", "Baseline", "Change in points")
        parts += ["## What the teacher changed, by class", table(header, _changes(report))]
        if len(report.per_class) > CHANGES_SHOWN:
            parts.append(f"The {CHANGES_SHOWN} of {len(report.per_class)} classes that changed most.")
    if report.budget is not None:
        parts += budget_card(report.budget, report.by)
    if report.surrogate is not None:
        parts += surrogate_card(report.surrogate)
    parts += quantum_card(report)
    if report.compression is not None:
        parts += _compared(report.compression)
    if report.warnings:
        parts += ["## Warnings", bullets(report.warnings)]
    parts += ["## Limits", bullets(report.notes), "## How to load it", _program(report, checkpoints or {})]
    parts += [_loading(each) for each in report.models[:1]]
    parts += [_running(each) for each in report.circuits if each.format == "openqasm3" and not each.weights]
    return "\n\n".join(parts) + "\n"


def _program(report: DistillationReport, checkpoints: Mapping[str, str]) -> str:
    job = report.job
    tokenizer, architecture = job["dataset"].get("tokenizer"), report.student_architecture["kind"]
    kind = None if tokenizer is None else tokenizer["kind"]
    says: Says = "numbers" if report.targets else "labels" if report.labels else "classes"
    columns = report.encoded
    return how_to_load(
        lambda file: program(file, architecture, tokenizer=kind, says=says, columns=columns), job, checkpoints
    )


def _loading(export: ExportOfRows) -> str:
    if export.columns is not None:
        given = ",\n    ".join(
            f"{json.dumps(each.input)}: numpy.array([[row[{json.dumps(each.column)}]] for row in rows], "
            f"{'numpy.float32' if each.type == 'float' else 'object'})"
            for each in export.columns
        )
        return LOADING_COLUMNS.format(file=export.name, output=export.output, given=given)
    if export.tokenizer is None:
        return LOADING_ONNX.format(file=export.name, output=export.output)
    length = export.input_shape[0]
    if export.padding is not None:
        return LOADING_FOLDER.format(
            file=export.name, tokenizer=export.tokenizer, length=length, padding=export.padding
        )
    return LOADING_TEXT.format(file=export.name, tokenizer=export.tokenizer, length=length)


def _running(export: ExportedCircuit) -> str:
    state = ANGLES.format(names=export.inputs) if export.inputs else AMPLITUDES.format(size=1 << export.qubits)
    return RUNNING.format(file=export.name, state=state)


def _verdict(report: DistillationReport) -> str:
    measure, gain = report.by, report.gain
    worth = f"Test {measure.said} {measure.formatted(report.student.summary[measure.name].mean)}."
    said = {
        "BEATS": "**BEATS**: distilled, the student is better than the same student trained without the teacher",
        "NO BEATS": "**NO BEATS**: distilled, the student is not better than the same student without the teacher",
        "INCONCLUSIVE": "**INCONCLUSIVE**: whether the teacher helped is not decided",
        None: "Whether the teacher helped was not asked: no student was trained without it",
    }[report.verdict]
    if report.surrogate is not None:
        said = "The student stands in place of a quantum circuit"
    if gain is None:
        return f"{said}. {worth}"
    said += f": {measure.difference(gain.points)} {measure.gained}"
    if gain.low is not None and gain.high is not None:
        said += f", 95% interval {measure.difference(gain.low)} to {measure.difference(gain.high)}"
    return f"{said}. {worth}"


def _description(report: DistillationReport) -> Iterable[Sequence[str]]:
    job, rows = report.job, report.rows
    data, teacher = job["dataset"], job["teacher"]
    yield "Student", text(settings(report.student_architecture)[:300])
    if report.student.cost is not None and report.student.cost.circuit is not None:
        yield "Circuit", text(_circuit(report.student.cost.circuit))
    if report.targets:
        yield "Predicts", text(", ".join(each.name for each in report.targets[:20]))
    if report.labels:
        yield "Labels", text(", ".join(each.name for each in report.labels[:20]))
    if report.classes:
        yield "Classes", text(", ".join(report.classes[:20]) + (", …" if len(report.classes) > 20 else ""))
    source = data.get("name") or data.get("file") or data["source"]
    yield "Data", f"{text(str(source))}: {rows.total} rows, of which {rows.test} for the test"
    nodes, is_sum = (None, False) if report.surrogate is None else (report.surrogate.nodes, report.surrogate.is_sum)
    learned = f"{rows.student_learns_from} rows, {rows.labels_seen} of them with a label"
    yield "Learned from", learned if nodes is None else f"{nodes:,} nodes of a grid"
    yield "Inputs", "as they are" if is_sum else text(_inputs(data))
    left_out = ("training", "members", "architecture", "circuit", "inputs", "observables", "noise", "mitigation")
    known = {name: value for name, value in teacher.items() if name not in left_out}
    known["accept"] = ", ".join(teacher.get("accept", [])) or None
    known |= flat("architecture", teacher.get("architecture"))
    yield "Teacher", text(settings(known)[:300])
    yield "Objective", text(settings(job["objective"])[:300])
    training = job["training"]
    yield "Training", text(settings({name: training[name] for name in ("epochs", "batch_size", "optimizer")}))
    yield "Digest of the data", f"`{report.digests.data[:16]}`"
    yield "Made with", text(", ".join(f"{name} {number}" for name, number in report.versions.items()))


def _circuit(cost: CircuitCost) -> str:
    said = f"{cost.qubits} qubits, depth {cost.depth}, {cost.two_qubit_gates} CX"
    if cost.state_preparation is not None:
        said += f", and {cost.state_preparation} to prepare a row"
    return said + ("" if cost.compiled is None else f"; {cost.compiled} two-qubit gates in all on the device")


def _inputs(data: dict[str, Any]) -> str:
    if "tokenizer" in data:
        kind = str(data["tokenizer"]["kind"]).replace("_", " ")
        return f"the numbers of at most {data['max_length']} tokens of a {kind} tokenizer, for exports too"
    standardised = data.get("standardise", "none")
    return "as they are" if standardised == "none" else f"standardised by {standardised}; exports have that inside"


def _measures(report: DistillationReport) -> Iterable[Sequence[str]]:
    arms = [arm for _, arm in report.arms()]
    for name, label, percent in report.table:
        yield label, *(spread(arm.summary[name], percent=percent) for arm in arms)
    for label, name in (("Parameters", "parameters"), ("Bytes", "bytes"), ("Multiply-adds of a row", "multiply_adds")):
        yield label, *(counted(arm.cost, name) for arm in arms)
    yield "ms p50 / p95", *("unknown" if arm.cost is None else milliseconds(arm.cost.latency) for arm in arms)


def _exports(report: DistillationReport) -> Iterable[Sequence[str]]:
    for each in report.models:
        worth, difference = report.by.formatted(each.worth(report.by)), f"{each.max_difference:.2g}"
        yield text(each.name), f"{each.bytes:,}", worth, difference, milliseconds(each.latency)


def _circuits(report: DistillationReport) -> Iterable[Sequence[str]]:
    for each in report.circuits:
        names = [*each.inputs, *each.weights]
        free = text(", ".join(names[:8]) + (f", … {len(names)} in all" if len(names) > 8 else "")) if names else "none"
        yield text(each.name), f"{each.bytes:,}", f"{each.qubits}", free, f"{each.max_difference:.2g}"


def _compared(found: CompressionSection) -> Iterable[str]:
    yield "## Beside pruning and quantisation"
    yield bullets(found.verdicts)
    header = ("", "Test accuracy", "Student minus this, points", "Bytes", "ms p50 / p95", "Multiply-adds", "Fits")
    for title, rows in (("bytes", found.at_equal_bytes), ("latency", found.at_equal_latency)):
        yield f"At equal {title}, the best of each kind by the validation rows; mean over {found.seeds} seed(s):"
        yield table(header, _rivals(found, rows))
    files = [f"{each.words}: {each.file}" for each in found.candidates if each.file is not None]
    if files:
        yield "Published are those that nothing beats in bytes and on the validation rows, of the first seed:"
        yield bullets(files)
    yield bullets(found.notes)


def _rivals(found: CompressionSection, rows: Sequence[CompressedRival]) -> Iterable[Sequence[str]]:
    named = {each.name: each for each in found.candidates}
    for row in rows:
        one, difference = named[row.name], row.student_minus_this
        change = "" if difference is None else f"{difference.points:+.2f}"
        if difference is not None and difference.low is not None and difference.high is not None:
            change += f" ({difference.low:+.2f} to {difference.high:+.2f})"
        accuracy = f"{one.accuracy.mean:.1%}" + ("" if one.accuracy.sd is None else f" ± {one.accuracy.sd:.1%}")
        fits = "yes" if row.fits else f"no: {row.times:.3g} times"
        costs = f"{one.bytes:,}", milliseconds(one.latency), f"{one.multiply_adds:,}"
        yield text(one.words), accuracy, change, *costs, fits


def _changes(report: DistillationReport) -> Iterable[Sequence[str]]:
    most = sorted(report.per_class, key=lambda row: -abs(row.change_in_points or 0))[:CHANGES_SHOWN]
    for row in most:
        change = "" if row.change_in_points is None else f"{row.change_in_points:+.1f}"
        yield text(row.name[:100]), *map(_percent, (row.teacher, row.student, row.baseline)), change


def _columns(columns: Sequence[Column]) -> Iterable[Sequence[str]]:
    for each in columns[:COLUMNS_SHOWN]:
        given = each.inputs or []
        shown = ", ".join(given[:4]) + (f", … {len(given)} in all" if len(given) > 4 else "")
        taken = each.kind if each.said is None else f"{each.kind}: {each.said}"
        yield text(each.name[:100]), text(taken), text(shown or "nothing"), text(each.fills or ""), f"{each.gaps:,}"
    if len(columns) > COLUMNS_SHOWN:
        yield f"… {len(columns)} in all", "", "", "", ""


def _labels(report: DistillationReport) -> Iterable[Sequence[str]]:
    for each in report.labels or []:
        found = [_of_label(getattr(each, role)) for role in ("teacher", "student", "baseline")]
        yield text(each.name[:100]), f"{each.share:.1%}", *found


def _of_label(found: LabelMeasures | None) -> str:
    if found is None:
        return ""
    precision = found.average_precision
    return f"{found.f1:.1%}" + ("" if precision is None else f", {precision:.3f}")


def _targets(report: DistillationReport) -> Iterable[Sequence[str]]:
    for each in report.targets or []:
        yield text(each.name[:100]), f"{each.std:.4g}", *map(_errors, (each.teacher, each.student, each.baseline))


def _errors(errors: TargetErrors | None) -> str:
    if errors is None:
        return ""
    return f"{errors.rmse:.4g}" + ("" if errors.r2 is None else f" ({errors.r2:.3f})")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
