"""What who waits sees: phases and counts, whatever a job is called."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from qstill.client.progress import Nobody, watching
from qstill.contract.answers.jobs import JobView

NAME = "a [/name] <b>"


def job(status: str, done: float | None = None) -> JobView:
    counted = {"phase": "student seed 1/3", "done": done, "total": 40, "unit": "epochs", "metrics": {}}
    about: dict[str, Any] = dict.fromkeys(["started_at", "finished_at", "headline", "result", "error"])
    about |= {"id": "job_1", "kind": "distillation", "name": NAME, "labels": {}, "priority": 0, "attempts": 1}
    about |= {"created_at": "2026-03-14T09:26:53Z", "last_event": 1, "links": {}, "status": status}
    return JobView.model_validate({**about, "progress": None if done is None else counted})


def test_nobody_looks_at_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    for wanted in (None, False):
        with watching(wanted) as watcher:
            assert isinstance(watcher, Nobody)


def test_a_terminal_shows_the_phase_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with watching(True) as watcher:
        for each in (job("queued"), job("running", 10), job("succeeded", 40)):
            watcher.show(each)
    assert NAME in capsys.readouterr().err


def test_a_notebook_shows_it_as_html(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    class ZMQInteractiveShell:
        pass

    display = SimpleNamespace(
        HTML=str, display=lambda first, display_id: SimpleNamespace(update=lambda text: shown.append(text))
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=ZMQInteractiveShell, display=display))
    with watching(None) as watcher:
        for each in (job("queued"), job("running", 10), job("succeeded", 40)):
            watcher.show(each)
    first, second, last = shown
    assert first.startswith("<progress></progress>")
    assert '<progress value="10.0" max="40.0"></progress>' in second
    assert "a [/name] &lt;b&gt;: student seed 1/3 10 of 40 epochs" in second
    assert "<progress" not in last
