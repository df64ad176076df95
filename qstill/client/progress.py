"""A job's progress while it is waited for: a bar in a terminal or a notebook, nothing where nobody looks."""

import contextlib
import sys
from collections.abc import Iterator
from html import escape
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from qstill.contract.answers.jobs import JobView
from qstill.contract.status import FINAL


class Watcher(Protocol):
    """Is shown a job whenever it was asked for."""

    def show(self, job: JobView) -> None: ...


class Nobody:
    def show(self, job: JobView) -> None: ...


class Terminal:
    """One line that changes, and is gone at the end."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def show(self, job: JobView) -> None:
        phase, done, total, _ = _said(job)
        text = f"{phase} · {job.name or job.kind}"
        if self._task is None:
            self._task = self._bars.add_task(text, total=total)
        self._bars.update(self._task, description=text, completed=done, total=total)


class Notebook:
    """The same as HTML, in one cell's output."""

    def __init__(self, handle: Any, html: Any) -> None:
        self._handle, self._html = handle, html

    def show(self, job: JobView) -> None:
        phase, done, total, unit = _said(job)
        bar = "<progress></progress>" if total is None else f'<progress value="{done}" max="{total}"></progress>'
        counted = "" if total is None else f" {done:g} of {total:g} {escape(unit)}"
        over = job.status in FINAL
        text = f"{escape(job.name or job.kind)}: {escape(phase)}"
        self._handle.update(self._html(f"<span>{text}</span>" if over else f"{bar} {text}{counted}"))


@contextlib.contextmanager
def watching(wanted: bool | None) -> Iterator[Watcher]:
    """wanted: None where there is somebody to look."""
    if wanted is False:
        yield Nobody()
    elif (shell := _notebook()) is not None:
        html, display = shell
        yield Notebook(display(html(""), display_id=True), html)
    elif wanted or sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=2)),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bars:
            yield Terminal(bars)
    else:
        yield Nobody()


def _said(job: JobView) -> tuple[str, float, float | None, str]:
    """(phase, done, total, unit)."""
    progress = job.progress
    if progress is None or job.status != "running":
        return str(job.status), 0.0, None, ""
    return progress.phase, progress.done, progress.total, progress.unit


def _notebook() -> tuple[Any, Any] | None:
    """(HTML, display) of IPython in a notebook; None elsewhere."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython import display  # type: ignore[import-not-found,unused-ignore]

    return display.HTML, display.display
