"""Which problems the tests' bad input provokes: a move of modules must not lose one.

`python -m benchmarks.refusals` runs the tests that are about refusals, which is a minute or two, and compares the codes
that they saw with refusals.json beside this file; `… --record` writes it anew.
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import wraps
from pathlib import Path
from typing import Any

from benchmarks.servers import ROOT
from qstill.contract.errors import Problem

RECORD = Path(__file__).with_suffix(".json")
TESTS = ("test_*bad_input*.py", "test_*refus*.py", "test_*admission*.py", "qstill/**/test_*.py")
FOLDER = "QSTILL_REFUSALS"  # names the folder in which each process of pytest leaves what it saw

_seen: set[str] = set()


def pytest_configure() -> None:
    made = Problem.__init__

    @wraps(made)
    def noted(problem: Problem, code: str, *args: Any, **others: Any) -> None:
        made(problem, code, *args, **others)
        _seen.add(f"{problem.status} {code}")

    Problem.__init__ = noted  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    path = Path(os.environ[FOLDER]) / f"{os.getpid()}.json"
    path.write_text(json.dumps(sorted(_seen)), encoding="utf-8")


def observed() -> list[str]:
    """Status and code of every problem that was made."""
    files = sorted({str(path) for pattern in TESTS for path in (ROOT / "tests").rglob(pattern)})
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.refusals", "-m", "not slow and not service"]
        subprocess.run([*command, *files], check=True, cwd=ROOT, env=os.environ | {FOLDER: folder})
        return sorted({each for path in Path(folder).glob("*.json") for each in json.loads(path.read_text("utf-8"))})


def main(arguments: list[str]) -> int:
    if arguments != ["--record"] and not RECORD.exists():
        sys.exit(f"There is no {RECORD.name} to compare with: run this with --record before the change.")
    seen = observed()
    if arguments == ["--record"]:
        RECORD.write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
        return 0
    before = json.loads(RECORD.read_text(encoding="utf-8"))
    lost, new = sorted({*before} - {*seen}), sorted({*seen} - {*before})
    print(f"{len(seen)} codes; lost: {', '.join(lost) or 'none'}; new: {', '.join(new) or 'none'}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
