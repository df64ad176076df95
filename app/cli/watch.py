"""Following a job on a terminal: a bar for each phase with its rate and what remains."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from app.cli.client import Client, Job
from qstill.contract.status import FINAL

TOLD_STATES = {"paused", "queued", "cancelled"}  # states worth a line; the others show in the bars


class RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f} {task.fields['unit']}/s", style="progress.data.speed")


def watch(client: Client, job: Job, console: Console) -> Job:
    """Show a job's progress until it is final; returns it then."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=8),
        MofNCompleteColumn(),
        RateColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[figures]}", style="dim", table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=console) as progress:
        bars: dict[str, Any] = {}
        for kind, event in client.events(job):
            if kind == "progress":
                _show(progress, bars, event)
            elif kind == "warning":
                progress.console.print(f"warning: {event['data']['detail']}", style="yellow", markup=False)
            elif kind in TOLD_STATES and event["seq"] > 1:
                progress.console.print(f"{job['id']} is {kind}", style="yellow")
            if kind in FINAL:
                break
        for bar in bars.values():
            progress.update(bar, completed=progress.tasks[bar].total)
    finished: Job = client.get(job["links"]["self"])
    return finished


def _show(progress: Progress, bars: dict[str, Any], report: dict[str, Any]) -> None:
    phase = report["phase"]
    if phase not in bars:
        for bar in bars.values():  # a phase that is followed by another is done
            progress.update(bar, completed=progress.tasks[bar].total)
        bars[phase] = progress.add_task(phase, total=report["total"], unit=report["unit"], figures="")
    figures = "  ".join(f"{name} {value:.2g}" for name, value in report["metrics"].items())
    progress.update(bars[phase], completed=report["done"], total=report["total"], figures=figures)
