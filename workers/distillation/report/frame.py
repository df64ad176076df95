"""What the results and reports of every domain share."""

import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Generic, TypeVar

from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.results import ShortResult
from workers.distillation.artifacts.clock import Latency
from workers.distillation.quality import Comparison, Size, mean_sd, verdict
from workers.distillation.quantum.cost import CircuitCost
from workers.distillation.training.keeper import Curve
from workers.memory import peak_memory
from workers.run import Run

ALSO_IN_RESULT = ("measure", "gain", "verdict", "checkpoints", "student_sha256", "seconds")

Short = TypeVar("Short", bound=ShortResult)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One network on the test rows. epoch, validation_score: of the weights chosen; None where none were.

    quality: a dataclass of what was measured of its answers alone.
    """

    seed: int | None
    epoch: int | None
    validation_score: float | None
    quality: Any


Measured = TypeVar("Measured", bound=Subject)


@dataclass(frozen=True)
class Cost:
    """What a network takes in size, None where unknown, and time. timed: what was timed, where it is no network.

    circuit: of a network that is one.
    """

    size: Size | None
    latency: Latency
    timed: str | None = None
    circuit: CircuitCost | None = None


@dataclass(frozen=True, kw_only=True)
class Measurements(ABC, Generic[Measured]):
    """All that was measured. teacher_cost: None where the teacher's network is not in this process.

    soft_gradient: None where the teacher is not heard by a loss. curves: of every stage that was trained, by its name.
    """

    teacher: Measured
    students: list[Measured]
    baselines: list[Measured]
    teacher_cost: Cost | None
    student_cost: Cost
    soft_gradient: float | None
    teacher_digest: str
    curves: dict[str, Curve]

    @property
    @abstractmethod
    def measure(self) -> Measure:
        """What the verdict rests on."""

    @property
    @abstractmethod
    def summarised(self) -> tuple[str, ...]:
        """The measures of a summary, that of the verdict first."""

    @property
    @abstractmethod
    def gain(self) -> Comparison | None:
        """Student minus baseline in points of the measure, or None without a baseline."""

    @abstractmethod
    def besides(self, subject: Measured) -> dict[str, Any]:
        """What a report says of a network beside its quality: how it stands to the teacher."""

    def worth(self, subjects: Iterable[Measured]) -> list[float]:
        """The measure of each, in its own unit."""
        return [float(getattr(one.quality, self.summarised[0])) for one in subjects]


def result(
    of: type[Short], measured: Measurements[Any], *, checkpoints: int, student_sha256: str, seconds: float
) -> Short:
    """The few numbers for the job's row: what all are worth on the test rows, and what the teacher added."""
    gain, baselines = measured.gain, measured.worth(measured.baselines)
    return of.model_validate(
        {
            "measure": measured.measure.name,
            "teacher": mean_sd(measured.worth([measured.teacher])),
            "student": mean_sd(measured.worth(measured.students)),
            "baseline": mean_sd(baselines) if baselines else None,
            "gain": gain and {"points": gain.mean, "low": gain.low, "high": gain.high},
            "verdict": verdict(gain),
            "checkpoints": checkpoints,
            "student_sha256": student_sha256,
            "seconds": round(seconds, 3),
        }
    )


def framed(
    measured: Measurements[Any], short: ShortResult, exports: list[dict[str, Any]], job: Mapping[str, Any]
) -> dict[str, Any]:
    """What a report has in every domain. exports: what is known of each file that was exported. job: as it was asked
    for, with its defaults.
    """
    score = f"validation_{measured.measure.validation}"
    return {
        **{name: getattr(short, name) for name in ALSO_IN_RESULT},
        "teacher": _arm([measured.teacher], measured.teacher_cost, measured),
        "student": _arm(measured.students, measured.student_cost, measured),
        "baseline": _arm(measured.baselines, measured.student_cost, measured) if measured.baselines else None,
        "curves": {
            name: [{"epoch": each.epoch, "loss": each.loss, score: each.validation_score} for each in curve]
            for name, curve in measured.curves.items()
        },
        "exports": exports,
        "soft_gradient_norm": measured.soft_gradient,
        "peak_memory_bytes": peak_memory(),
        "seed": job["training"]["seed"],
        "job": job,
    }


def _arm(subjects: list[Measured], cost: Cost | None, measured: Measurements[Measured]) -> dict[str, Any]:
    """Each seed's measures, their spread, and the cost that all share."""
    runs = [
        {
            "seed": one.seed,
            "epoch": one.epoch,
            f"validation_{measured.measure.validation}": one.validation_score,
            **asdict(one.quality),
            **measured.besides(one),
        }
        for one in subjects
    ]
    flat = [run | run.get("measures", {}) for run in runs]
    summary = {name: mean_sd([run[name] for run in flat]) for name in measured.summarised}
    return {"summary": summary, "runs": runs, "cost": asdict(cost) if cost else None}


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
