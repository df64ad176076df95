"""`qstill templates`, `estimate`, `convert`, `preflight`, `predict`, `upload`, `files` and `models`."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.cli.bodies import circuit_in, read_body
from app.cli.commands.talking import Talk, talking

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))


@click.command("templates")
@click.argument("name", required=False)
@talking
def templates(talk: Talk, name: str | None) -> None:
    """List the circuit templates; with NAME show one, with the body that submits it."""
    if name is not None:
        found = talk.client.get(f"/v1/circuits/templates/{name}")

        def words(console: Console) -> None:
            for said in (found["title"], found["explanation"], found["known_answer"], found["reference"]):
                console.print(said, markup=False)
            console.print(json.dumps(found["example"], indent=2), markup=False)

        talk.tell(found, json.dumps(found["example"]), words)
        return
    page = talk.client.get("/v1/circuits/templates")
    rows = [(each["name"], each["title"]) for each in page["data"]]
    talk.tell(page, "\n".join(key for key, _ in rows), lambda console: console.print(_table(rows)))


@click.command("estimate")
@FILE
@talking
def estimate(talk: Talk, file: Path) -> None:
    """Say what the circuit in FILE would take: every method, its memory and seconds. Runs nothing."""
    found = talk.client.post("/v1/circuits/estimate", circuit_in(file))

    def words(console: Console) -> None:
        for each in found["circuits"]:
            console.print(
                f"{each['qubits']} qubits, {each['operations']} operations, depth {each['depth']}: "
                f"{each['method']} ({each['why']})",
                markup=False,
            )
        console.print(
            f"about {found['predicted_seconds']:.3g} s, between {found['low_seconds']:.3g} "
            f"and {found['high_seconds']:.3g}"
        )

    talk.tell(found, f"{found['predicted_seconds']:.6g}", words)


@click.command("convert")
@FILE
@click.option("--to", default="openqasm3", show_default=True, help="openqasm3, openqasm2, json, svg, text, native_ms …")
@talking
def convert(talk: Talk, file: Path, to: str) -> None:
    """Write the circuit in FILE in another format, or as a diagram."""
    click.echo(talk.client.text(f"/v1/circuits/convert?to={to}", circuit_in(file)))


@click.command("preflight")
@FILE
@talking
def preflight(talk: Talk, file: Path) -> int:
    """Say what would become of the distillation in FILE, and what to change before it is submitted.

    Ends with 1 where something is in its way.
    """
    said = talk.client.post("/v1/distillations/preflight", read_body(file))

    def words(console: Console) -> None:
        time = said["time"]["total"]
        console.print(f"about {time['expected']:.0f} s, between {time['low']:.0f} and {time['high']:.0f}")
        if sizes := [each["parameters"] for each in said.get("candidates", ())]:
            span = f"of {min(sizes):,} to {max(sizes):,} parameters"
            console.print(f"{len(sizes)} candidates fit into the budget, {span}")
        for advice in said["advice"]:
            console.print(f"{advice['severity']}: {advice['detail']}", markup=False)
            if suggestion := advice["suggestion"]:
                console.print(f"  try {suggestion['pointer']}: {json.dumps(suggestion['value'])}", markup=False)

    problems = [advice for advice in said["advice"] if advice["severity"] == "problem"]
    talk.tell(said, "\n".join(advice["code"] for advice in said["advice"]), words)
    return int(bool(problems))


@click.command("predict")
@click.argument("model", metavar="MODEL_ID")
@FILE
@talking
def predict(talk: Talk, model: str, file: Path) -> None:
    """Ask a model the question in FILE (JSON, as `POST /v1/models/{id}/predict` takes it)."""
    said = talk.client.post(f"/v1/models/{model}/predict", read_body(file))
    text = json.dumps(said, indent=2, ensure_ascii=False)
    talk.tell(said, json.dumps(said, ensure_ascii=False), lambda console: console.print(text, markup=False))


@click.command("upload")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--purpose",
    type=click.Choice(["dataset", "teacher", "soft_labels", "circuit", "secret"]),
    default="dataset",
    show_default=True,
)
@talking
def upload(talk: Talk, file: Path, purpose: str) -> None:
    """Upload FILE, in parts where it is large; says what was understood of a table."""
    found = talk.client.upload(file, purpose)

    def words(console: Console) -> None:
        console.print(f"{found['id']} {found['name']}, {found['bytes']:,} bytes", markup=False)
        if found.get("columns"):
            rows = [(each["name"], each["kind"]) for each in found["columns"]]
            console.print(_table(rows))

    talk.tell(found, found["id"], words)


@click.command("files")
@talking
def files(talk: Talk) -> None:
    """List your uploads, newest first."""
    _listed(talk, "/v1/files", "purpose")


@click.command("models")
@talking
def models(talk: Talk) -> None:
    """List your models, newest first."""
    _listed(talk, "/v1/models", "format")


def _listed(talk: Talk, path: str, what: str) -> None:
    """what: the field that says what each is."""
    page = talk.client.get(f"{path}?limit=100")
    rows = [(each["id"], each[what], f"{each['bytes']:,}", each["name"]) for each in page["data"]]
    talk.tell(page, "\n".join(row[0] for row in rows), lambda console: console.print(_table(rows)))


def _table(rows: Sequence[Sequence[str]]) -> Table | str:
    if not rows:
        return "none yet"
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table


ALL = (templates, estimate, convert, preflight, predict, upload, files, models)
