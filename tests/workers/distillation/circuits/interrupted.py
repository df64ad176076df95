"""Jobs on circuits that are given up again and again, and go on."""

import json
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from qstill.contract.distillations.domains import AnyJob
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.jobs import distil_job
from workers.run import Stopped


def told(run: FakeRun) -> Mapping[str, Any]:
    """All that is published, less the time that it took."""
    files = {name: content for name, content in run.published.items() if name != "report.json"}
    return files | {"report.json": json.loads(run.published["report.json"]) | {"seconds": 0, "peak_memory_bytes": 0}}


def interrupted(house: Callable[..., FakeRun], wanted: AnyJob, folder: Path, *, looks: int) -> tuple[FakeRun, int]:
    """Given up each time that it has looked so often whether it shall: (the last run, how often it was saved)."""
    saved: list[Path] = []
    while True:
        asked = count(1)
        run = house(resume=saved[-1] if saved else None, stop=lambda asked=asked: next(asked) >= looks)
        try:
            distil_job(wanted, run)
        except Stopped:
            if run.saved is not None:
                saved.append(folder / f"state-{len(saved)}.pt")
                saved[-1].write_bytes(run.saved.read_bytes())
        else:
            return run, len(saved)
