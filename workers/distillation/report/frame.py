"""What the results and reports of every domain share."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from workers.distillation.quality import Comparison, mean_sd, verdict
from workers.run import Run


def in_short(
    teacher: list[float], students: list[float], baselines: list[float], gain: Comparison | None, *, seconds: float
) -> dict[str, Any]:
    """The numbers of a job's row: what all are worth on the test rows, and what the teacher added."""
    return {
        "teacher": mean_sd(teacher),
        "student": mean_sd(students),
        "baseline": mean_sd(baselines) if baselines else None,
        "gain": gain and {"points": gain.mean, "low": gain.low, "high": gain.high},
        "verdict": verdict(gain),
        "seconds": round(seconds, 3),
    }


def versions(*packages: str) -> dict[str, str]:
    """Of Python and of what computed the numbers."""
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def publish_documents(documents: Mapping[str, str], run: Run) -> None:
    """JSON by the names of its files. It is the last that a job does."""
    for name, content in documents.items():
        path = run.scratch / name
        path.write_text(content)
        run.publish(path, kind="report", name=name, media_type="application/json")
    run.progress(phase="evaluation", done=1, total=1, unit="reports")
