"""What docs/client.md shows runs as it stands, from its first line to its last, in one session."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.testing.service import Service

pytestmark = [
    pytest.mark.service,
    pytest.mark.timeout(600),  # trainings, and workers that start PyTorch
    pytest.mark.xdist_group("ionq"),
    pytest.mark.filterwarnings("ignore"),
]

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


def test_every_snippet_runs(ionq: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("QSTILL_SERVER", ionq.address)
    monkeypatch.delenv("QSTILL_KEY", raising=False)
    names: dict[str, Any] = {}
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) > 8
    for snippet in snippets:
        exec(compile(snippet, str(PAGE), "exec"), names)  # noqa: S102  # our own page
    printed = capsys.readouterr().out
    assert "/circuit/operations/0/target" in printed
