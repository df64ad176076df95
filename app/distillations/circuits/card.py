"""The card of a circuit made shorter, in Markdown: what was kept, what it costs, what is left of it under the noise."""

from collections.abc import Iterable, Sequence

from app.distillations.markdown import bullets, settings, table, text
from qstill.contract.distillations.circuits.report import CircuitCost, ShorteningReport

KEPT = {
    "state": "what it makes of |0…0⟩",
    "unitary": "what it makes of every state",
    "observables": "expectation values in what it makes of |0…0⟩",
}
MEASURES = {
    "state_fidelity": "state fidelity",
    "process_fidelity": "process fidelity",
    "observable_agreement": "agreement of observables",
}
RUNNING = """```sh
curl -s "$QSTILL/v1/distillations/$JOB/exports/certificate.json" > certificate.json
curl -s "$QSTILL/v1/circuits" -H "content-type: application/json" -H "prefer: wait=30" -d @certificate.json
```"""


def shortening_card(report: ShorteningReport) -> str:
    """The whole card."""
    name, (kind, _, why) = report.job.get("name"), report.verdict.partition(": ")
    parts = [
        f"# Card: {text(name)}" if name else "# Card of a circuit made shorter",
        f"**{kind.upper()}**: {text(why)}.",
        "## What it is",
        table(("", ""), _description(report)),
        "## What it is worth",
        table(
            ("", "Two-qubit gates", "before compiling", "Depth", "Swaps", "Without noise", "Under the noise"),
            _worth(report),
        ),
    ]
    if report.break_even is not None:
        parts.append(f"Break-even: {text(report.break_even.said)}.")
    if report.noise_curve:
        parts.append("![Fidelity over the strength of the noise](plots/noise.svg)")
    parts += [
        "## What was tried",
        table(("Layers", "Start", "Two-qubit gates", "Without noise", "Under the noise"), _tried(report)),
        "![How each depth was fitted](plots/curves.svg)",
    ]
    if report.observables:
        header = ("Observable", "Given", "Short", "Given, noisy", "Short, noisy")
        parts += ["## Observables", table(header, _observables(report))]
    expected = report.certificate_of.expected
    told = text(report.certificate_of.compares) + ("" if expected is None else f". Expected: {expected:.6f}")
    parts += ["## Limits", bullets(report.notes), "## How to check it"]
    parts.append(f"`{text(report.certificate)}` is a circuit job, and `certificate.json` its request; {told}.")
    return "\n\n".join([*parts, RUNNING]) + "\n"


def _description(report: ShorteningReport) -> Iterable[Sequence[str]]:
    job = report.job
    keep, evaluation = job["dataset"]["keep"], job["evaluation"]
    yield "Kept", text(KEPT[keep])
    yield "Measured by", MEASURES[report.measure]
    yield "Qubits", str(report.qubits)
    yield "Short circuit", text(settings({**job["student"]["architecture"], "layers": report.chosen_layers}))
    yield "Angles", str(report.chosen.parameters)
    for field in ("noise", "device"):
        given = evaluation[field]
        known = {} if given is None else {key: value for key, value in given.items() if value is not None}
        yield field.capitalize(), text(settings(known)[:300]) if known else "none"
    yield "Fitted by", text(settings(job["training"]))
    yield "Digests", ", ".join(f"{name} `{digest}`" for name, digest in report.digests.items())
    yield "Made with", text(", ".join(f"{name} {number}" for name, number in report.versions.items()))


def _worth(report: ShorteningReport) -> Iterable[Sequence[str]]:
    yield "given", *_cost(report.given), "1", _fidelity(report.given.fidelity_noisy)
    yield "level 3", *_cost(report.transpiled), "1", _fidelity(report.transpiled.fidelity_noisy)
    short = report.chosen
    yield "**short**", *_cost(short), _fidelity(short.fidelity_ideal), _fidelity(short.fidelity_noisy)


def _cost(of: CircuitCost) -> Sequence[str]:
    return f"{of.cx:,}", f"{of.cx_before:,}", f"{of.depth:,}", f"{of.swaps:,}"


def _tried(report: ShorteningReport) -> Iterable[Sequence[str]]:
    for each in report.students:
        same = (each.layers, each.restart) == (report.chosen.layers, report.chosen.restart)
        mark = "**" if same else ""
        numbers = _fidelity(each.fidelity_ideal), _fidelity(each.fidelity_noisy)
        yield f"{mark}{each.layers}{mark}", str(each.restart), f"{each.cx:,}", *numbers


def _observables(report: ShorteningReport) -> Iterable[Sequence[str]]:
    for number, each in enumerate(report.observables):
        noisy = ("" if value is None else f"{value:+.4f}" for value in (each.given_noisy, each.short_noisy))
        yield text(each.name or str(number)), f"{each.given:+.4f}", f"{each.short:+.4f}", *noisy


def _fidelity(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
