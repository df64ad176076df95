"""`qstill submit`."""

from pathlib import Path

import click
from rich.console import Console

from app.cli.bodies import circuit_in
from app.cli.commands.jobs import followed
from app.cli.commands.talking import Talk, talking
from app.cli.show import show
from qstill.contract.status import FINAL, Status

FAILING_SECONDS = 2  # a job that a worker cannot read or hold has failed by then


@click.command("submit")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--watch", is_flag=True, help="Follow it to its end, through restarts of the server.")
@talking
def submit(talk: Talk, file: Path, watch: bool) -> int:
    """Submit the circuit, distillation or sweep in FILE: JSON, a program in OpenQASM, or - for standard input.

    Ends with 1 where the job failed: at its end with --watch, otherwise within two seconds.
    """
    console = Console(stderr=True)
    job = talk.client.submit(circuit_in(file), wait=0 if watch else FAILING_SECONDS)
    if watch:
        console.print(f"{job['id']} is {job['status']}; {talk.client.server}/jobs/{job['id']}")
        return followed(talk, job)
    talk.tell(job, job["id"], lambda out: out.print(job["id"]))
    if job["status"] in FINAL and job["status"] != Status.SUCCEEDED:
        show(talk.client, job, console)
        return 1
    return 0
