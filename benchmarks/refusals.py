"""Which problems the tests provoke: a move of modules must not lose one.

`pytest -p benchmarks.refusals` adds what it saw in this process to a folder, one file a process, and
`python -m benchmarks.refusals` compares the union with refusals.json beside this file (`--record` writes it anew).
"""

import json
import os
import sys
from functools import wraps
from pathlib import Path
from typing import Any

from qstill.contract.errors import Problem

RECORD = Path(__file__).with_suffix(".json")
SEEN = Path(".pytest_cache/refusals")

_seen: set[str] = set()


def pytest_configure() -> None:
    made = Problem.__init__

    @wraps(made)
    def noted(problem: Problem, code: str, *args: Any, **others: Any) -> None:
        made(problem, code, *args, **others)
        _seen.add(f"{problem.status} {code}")

    Problem.__init__ = noted  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    SEEN.mkdir(parents=True, exist_ok=True)
    (SEEN / f"{os.getpid()}.json").write_text(json.dumps(sorted(_seen)), encoding="utf-8")


def main(arguments: list[str]) -> int:
    if arguments != ["--record"] and not RECORD.exists():
        sys.exit(f"There is no {RECORD.name} to compare with: run this with --record before the change.")
    seen = sorted({each for path in SEEN.glob("*.json") for each in json.loads(path.read_text(encoding="utf-8"))})
    if arguments == ["--record"]:
        RECORD.write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
        return 0
    before = json.loads(RECORD.read_text(encoding="utf-8"))
    lost, new = sorted({*before} - {*seen}), sorted({*seen} - {*before})
    print(f"{len(seen)} codes; lost: {', '.join(lost) or 'none'}; new: {', '.join(new) or 'none'}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
