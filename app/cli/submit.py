"""`qstill submit`, and `qstill preflight` before it."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.cli.client import Client
from app.cli.show import show
from app.cli.watch import watch
from qstill.contract.status import FINAL

FAILING_SECONDS = 2  # a job that a worker cannot read or hold has failed by then


def submit(file: Path, *, follow: bool, server: str, key: str | None) -> int:
    """Submit the body in a file; returns the exit status: 1 when it failed or was cancelled.

    A job that is not followed is only waited for as long as failing at once takes.
    """
    console = Console(stderr=True)
    with Client(server, key) as client:
        job = client.submit(_read(file), wait=0 if follow else FAILING_SECONDS)
        if not follow:
            click.echo(job["id"])
            if job["status"] not in FINAL or job["status"] == "succeeded":
                return 0
            show(client, job, console)
            return 1
        console.print(f"{job['id']} is {job['status']}; {client.server}{job['links']['self']}")
        job = watch(client, job, console)
        show(client, job, console)
    click.echo(json.dumps(job["result"] or job["error"]))
    return 0 if job["status"] == "succeeded" else 1


def preflight(file: Path, *, server: str, key: str | None) -> int:
    """Say what would become of a distillation; returns the exit status: 1 when something is in its way."""
    with Client(server, key) as client:
        said = client.preflight(_read(file))
    click.echo(json.dumps(said, indent=2))
    console, time = Console(stderr=True, soft_wrap=True), said["time"]["total"]
    console.print(f"about {time['expected']:.0f} s, between {time['low']:.0f} and {time['high']:.0f}")
    for advice in said["advice"]:
        console.print(f"{advice['severity']}: {advice['detail']}", markup=False)
        if suggestion := advice["suggestion"]:
            console.print(f"  try {suggestion['pointer']}: {json.dumps(suggestion['value'])}", markup=False)
    return int(any(advice["severity"] == "problem" for advice in said["advice"]))


def _read(file: Path) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        body = json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except ValueError as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from None
    except RecursionError:
        raise click.ClickException(f"{file} is not read: its brackets lie too deep in each other") from None
    if not isinstance(body, dict):
        raise click.ClickException(f"{file} holds no JSON object")
    return body


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError for a member that stands there twice: only the last would have been sent."""
    found, names = dict(pairs), [name for name, _ in pairs]
    if len(found) < len(names):
        raise ValueError(f"an object has the member {max(names, key=names.count)!r} twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
