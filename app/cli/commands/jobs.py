"""`qstill jobs`, `show`, `watch`, `cancel`, `pause`, `resume`, `delete`, `logs`, `report`, `download` and `open`."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
from rich.console import Console

from app.cli.client import Job
from app.cli.commands.talking import Talk, talking
from app.cli.show import show as show_outcome
from app.cli.show import show_histogram
from app.cli.watch import watch as follow
from qstill.contract.kinds import CIRCUIT, DISTILLATION
from qstill.contract.status import Status

INTERRUPTED = 130  # as a shell says it of SIGINT

ID = click.argument("job_id", metavar="ID")


@click.command("jobs")
@click.option("--kind", type=str, help="circuit, distillation or sweep.")
@click.option("--status", type=click.Choice([each.value for each in Status]), multiple=True, help="May be repeated.")
@click.option("--label", multiple=True, help="KEY=VALUE; may be repeated, all must match.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@talking
def list_jobs(talk: Talk, kind: str | None, status: tuple[str, ...], label: tuple[str, ...], limit: int) -> None:
    """List your jobs, newest first."""
    asked = [("limit", str(limit)), *(("status", each) for each in status), *(("label", each) for each in label)]
    if kind is not None:
        asked.append(("kind", kind))
    page = talk.client.get(f"/v1/jobs?{urlencode(asked)}")

    def words(console: Console) -> None:
        if not page["data"]:
            console.print("no job matches" if kind or status or label else "no job yet; `qstill submit FILE` makes one")
            return
        for job in page["data"]:
            console.print(f"{job['id']}  {job['status']:<10} {job['kind']:<12}  {job['name'] or ''}", markup=False)
            if said := _standing(job):
                console.print(f"    {said}", markup=False, style="dim")

    talk.tell(page, "\n".join(job["id"] for job in page["data"]), words)


@click.command("show")
@ID
@talking
def show(talk: Talk, job_id: str) -> int:
    """Show a job: how it stands, and what came of it. Ends with 1 where it failed."""
    job = _job(talk, job_id)

    def words(console: Console) -> None:
        console.print(f"{job['id']} {job['kind']} {job['status']}", markup=False)
        if job["name"]:
            console.print(job["name"], markup=False)
        if job["headline"]:
            console.print(job["headline"], markup=False)
        elif _standing(job):
            console.print(_standing(job), markup=False)
        if job["status"] == Status.SUCCEEDED:
            show_outcome(talk.client, job, console)

    talk.tell(job, job["status"], words)
    return int(job["status"] == Status.FAILED)


@click.command("watch")
@ID
@talking
def watch(talk: Talk, job_id: str) -> int:
    """Follow a job to its end, through restarts of the server. Ctrl-C leaves it running."""
    return followed(talk, _job(talk, job_id))


def followed(talk: Talk, job: Job) -> int:
    """Bars until a job is final, then what came of it; the exit status."""
    console = Console(stderr=True)
    try:
        job = follow(talk.client, job, console)
    except KeyboardInterrupt:
        click.echo(f"\nthe job goes on; `qstill watch {job['id']}` takes it up again", err=True)
        return INTERRUPTED
    talk.tell(job, job["status"], lambda out: show_outcome(talk.client, job, out))
    return 0 if job["status"] == Status.SUCCEEDED else 1


def _act(action: str) -> click.Command:
    @click.command(action)
    @ID
    @talking
    def act(talk: Talk, job_id: str) -> None:
        job = talk.client.ask(_job(talk, job_id), action)
        talk.tell(job, job["status"], lambda console: console.print(f"{job['id']} is {job['status']}"))

    act.help = {
        "cancel": "End a job.",
        "pause": "Stop working on a job for now; what it has learned is kept.",
        "resume": "Go on with a paused job, from where it stopped.",
    }[action]
    return act


cancel, pause, resume = _act("cancel"), _act("pause"), _act("resume")


@click.command("delete")
@ID
@talking
def delete(talk: Talk, job_id: str) -> None:
    """Delete a finished job with its events, checkpoints and results."""
    talk.client.delete(job_id)
    talk.tell({"deleted": job_id}, job_id, lambda console: console.print(f"{job_id} is deleted"))


@click.command("logs")
@ID
@click.option("--after", type=click.IntRange(0), default=0, help="Only events after this number.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@talking
def logs(talk: Talk, job_id: str, after: int, limit: int) -> None:
    """Show what happened to a job, oldest first."""
    page = talk.client.get(f"/v1/jobs/{job_id}/events?after={after}&limit={limit}")

    def words(console: Console) -> None:
        for event in page["data"]:
            moment = datetime.fromisoformat(event["created_at"])
            said = ", ".join(f"{name} {_figure(value)}" for name, value in event["data"].items() if _is_plain(value))
            console.print(f"{event['seq']:>5}  {moment:%H:%M:%S}  {event['kind']:<12} {said}", markup=False)
        if page["has_more"]:
            console.print(f"… `qstill logs {job_id} --after {page['last_id']}` goes on", markup=False)

    talk.tell(page, "\n".join(event["kind"] for event in page["data"]), words)


@click.command("report")
@ID
@talking
def report(talk: Talk, job_id: str) -> None:
    """Show the report of a distillation, as a model card in Markdown; with --json the whole report."""
    links = _job(talk, job_id, DISTILLATION.name)["links"]
    if talk.form == "json":
        click.echo(json.dumps(talk.client.get(links["report"]), indent=2, ensure_ascii=False))
    else:
        click.echo(talk.client.text(links["card"]))


@click.command("histogram")
@ID
@click.option("--index", type=click.IntRange(0), default=0, help="Which circuit of the job.")
@click.option("--top", type=click.IntRange(1, 100), default=16, show_default=True, help="Outcomes at most.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="As a picture: FILE.svg or FILE.png.")
@talking
def histogram(talk: Talk, job_id: str, index: int, top: int, save: Path | None) -> None:
    """Show a circuit's outcomes with their 95% intervals."""
    links = _job(talk, job_id, CIRCUIT.name)["links"]
    if save is not None:
        if save.suffix not in (".svg", ".png"):
            raise click.BadParameter("a picture ends in .svg or .png", param_hint="--save")
        place = talk.client.download(f"{links['histogram']}{save.suffix}?index={index}&top={top}", save)
        talk.tell({"file": str(place)}, str(place), lambda console: console.print(str(place)))
        return
    found = talk.client.get(f"{links['histogram']}?index={index}&top={top}")
    brief = "\n".join(f"{each['key']} {each['count']}" for each in found["outcomes"])
    talk.tell(found, brief, lambda console: show_histogram(found, console))


@click.command("download")
@ID
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@talking
def download(talk: Talk, job_id: str, folder: Path) -> None:
    """Download what a job made into FOLDER: results or report, pictures, checkpoints and exports."""
    job = _job(talk, job_id)
    folder.mkdir(parents=True, exist_ok=True)
    places = [talk.client.download(path, folder / name) for name, path in _parts(talk, job)]
    told = [str(place) for place in places]
    talk.tell({"files": told}, "\n".join(told), lambda console: console.print("\n".join(told)))


def _parts(talk: Talk, job: Job) -> list[tuple[str, str]]:
    """(name, path) of each file that a finished job has."""
    links = job["links"]
    if job["kind"] == CIRCUIT.name:
        pictures = [("histogram.svg", links["histogram_svg"])] if (job["result"] or {}).get("shots") else []
        return [("results.json", links["results"]), ("diagram.svg", links["diagram"]), *pictures]
    checkpoints = [(each["name"], each["links"]["content"]) for each in talk.client.get(links["checkpoints"])["data"]]
    if job["kind"] != DISTILLATION.name:
        return [("front.svg", links["pareto_svg"]), *checkpoints]
    exports = [(each["name"], each["links"]["content"]) for each in talk.client.get(links["exports"])["data"]]
    plots = [(f"{each['name']}.svg", each["links"]["self"]) for each in talk.client.get(links["plots"])["data"]]
    return [("report.json", links["report"]), ("report.md", links["card"]), *plots, *exports, *checkpoints]


@click.command("open")
@click.argument("job_id", metavar="[ID]", default="")
@talking
def open_page(talk: Talk, job_id: str) -> None:
    """Open the dashboard in a browser, at a job if one is named."""
    address = f"{talk.client.server}/jobs/{job_id}" if job_id else f"{talk.client.server}/"
    if talk.form == "words":
        click.launch(address)
    talk.tell({"address": address}, address, lambda console: console.print(address))


def _job(talk: Talk, job_id: str, kind: str | None = None) -> Job:
    """Raises ClickException where it is of another kind."""
    job: Job = talk.client.get(f"/v1/jobs/{job_id}")
    if kind is not None and job["kind"] != kind:
        raise click.ClickException(f"{job_id} is a {job['kind']}; this is of a {kind}")
    return job


def _standing(job: Job) -> str:
    """What came of a job, or how far it is."""
    progress = job["progress"]
    if job["headline"] or progress is None or job["status"] in (Status.QUEUED, Status.CANCELLED):
        return job["headline"] or ""
    return f"{progress['phase']}: {progress['done']:g} of {progress['total']:g} {progress['unit']}"


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


ALL = (list_jobs, show, watch, cancel, pause, resume, delete, logs, report, histogram, download, open_page)
