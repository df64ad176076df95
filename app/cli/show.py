"""Results on a terminal: a circuit's histogram as bars; a distillation's or a sweep's accuracies side by side."""

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from app.cli.client import Client, Job
from qstill.contract.distillations.measures.measure import measure_of
from qstill.contract.kinds import CIRCUIT, DISTILLATION, SWEEP

BAR = 40  # characters of a certain outcome
BARS = 16


def show(client: Client, job: Job, console: Console) -> None:
    """What came out of a finished job."""
    if job["status"] != "succeeded":
        error = job["error"] or {"title": job["status"], "code": job["status"]}
        console.print(f"{job['id']} {job['status']}: {error['title']} ({error['code']})", style="red")
        if "pointer" in error:
            console.print(f"  at {error['pointer']}", style="red")
        for way in error.get("try", ()):
            console.print(f"  try {json.dumps(way)}", markup=False)
    else:
        SHOW_RESULT[job["kind"]](client, job, console)


def _circuit(client: Client, job: Job, console: Console) -> None:
    if "circuits" in job["result"]:
        show_batch(job["result"], console)
    else:
        show_histogram(client.get(f"{job['links']['histogram']}?top={BARS}"), console)


def _distillation(client: Client, job: Job, console: Console) -> None:
    if "chosen_layers" in job["result"]:
        show_shortening(job["result"], console)
        return
    if "returned" in job["result"]:
        show_distribution(job["result"], console)
        return
    report = client.get(job["links"]["report"])
    if report.get("budget"):
        console.print(report["budget"]["why"], markup=False)
    show_distillation(job["result"], console)
    for said in report.get("warnings", ()):
        console.print(f"warning: {said}", style="yellow", markup=False)


def _sweep(client: Client, job: Job, console: Console) -> None:
    best = job["result"]["best"]
    setting = ", ".join(f"{path} = {value}" for path, value in best["setting"].items())
    console.print(f"the best of {job['result']['trials']} trials is number {best['number']}: {setting}")
    show_distillation(job["result"], console)


SHOW_RESULT: dict[str, Callable[[Client, Job, Console], None]] = {
    CIRCUIT.name: _circuit,
    DISTILLATION.name: _distillation,
    SWEEP.name: _sweep,
}


def show_histogram(histogram: dict[str, Any], console: Console) -> None:
    """One bar for each outcome, with its 95% interval."""
    table = Table(
        title=f"{histogram['shots']:,} shots, 95% intervals", show_header=False, box=None, title_justify="left"
    )
    for outcome in histogram["outcomes"]:
        table.add_row(*_bar(outcome["key"], outcome))
    if histogram["other"]:
        table.add_row(*_bar(f"{histogram['other']['outcomes']} others", histogram["other"]))
    console.print(table)


def show_batch(result: dict[str, Any], console: Console) -> None:
    """How many circuits each method ran."""
    methods = ", ".join(f"{count:,} by {method}" for method, count in result["methods"].items())
    console.print(
        f"{result['circuits']:,} circuits of {result['shots']:,} shots in {result['seconds']:.2f} s: {methods}"
    )


def _bar(name: str, outcome: dict[str, Any]) -> tuple[str, str, str]:
    figures = f"{outcome['count']:>6}  {outcome['probability']:.3f}  [{outcome['low']:.3f}, {outcome['high']:.3f}]"
    return name, f"[blue]{'█' * max(1, round(outcome['probability'] * BAR))}[/blue]", figures


def show_shortening(result: dict[str, Any], console: Console) -> None:
    """Gates and fidelities of a circuit before and after, and the verdict."""
    table = Table(box=None, title_justify="left")
    for column in ("", "two-qubit gates", "without noise", "under the noise"):
        table.add_column(column, justify="right" if column else "left")
    noisy = result["fidelity_noisy"]
    rows = (
        ("given circuit", result["cx"][0], 1.0, noisy and noisy[0]),
        ("at level 3", result["cx_transpiled"], 1.0, result["fidelity_transpiled"]),
        (f"short, {result['chosen_layers']} layers", result["cx"][1], result["fidelity_ideal"], noisy and noisy[1]),
    )
    for name, gates, ideal, kept in rows:
        table.add_row(name, f"{gates:,}", f"{ideal:.4f}", "" if kept is None else f"{kept:.4f}")
    console.print(table)
    console.print(result["verdict"], markup=False)
    if result["break_even"] is not None:
        console.print(f"break-even: {result['break_even']['said']}", markup=False)


def show_distribution(result: dict[str, Any], console: Console) -> None:
    """Likelihoods and distances of the student and what it has to beat, and which is given back."""
    table = Table(title=f"{result['shots']:,} shots of {result['bits']} bits", box=None, title_justify="left")
    for column in ("", "held-out NLL, nats", "total variation to the exact"):
        table.add_column(column, justify="right" if column else "left")
    distances = result["total_variation"] or {}
    for model, nll in result["nll"].items():
        distance = distances.get(model)
        table.add_row(model, f"{nll:.4f}", "unknown" if distance is None else f"{distance:.4f}")
    console.print(table)
    console.print(f"the {result['returned']} is given back: {result['why']}", markup=False)


def show_distillation(result: dict[str, Any], console: Console) -> None:
    """The measure on the test split, mean ± standard deviation over the seeds, and the verdict."""
    measure = measure_of(result.get("measure", "accuracy"))
    table = Table(title=f"test {measure.said}", box=None, title_justify="left")
    for column in ("", "mean", "± SD"):
        table.add_column(column, justify="right" if column else "left")
    rows = {"teacher": "teacher", "student": "student, distilled", "baseline": "same student, no teacher"}
    for role, name in rows.items():
        if result[role] is not None:
            sd = result[role]["sd"]
            table.add_row(name, measure.formatted(result[role]["mean"]), "" if sd is None else measure.formatted(sd))
    console.print(table)
    gain = result["gain"]
    if gain is not None:
        form = "+.1f" if measure.is_share else "+.4g"
        interval = "" if gain["low"] is None else f", 95% interval [{gain['low']:{form}}, {gain['high']:{form}}]"
        unit = "points" if measure.is_share else measure.gained
        console.print(f"distillation: {result['verdict']} ({gain['points']:{form}} {unit}{interval})")
