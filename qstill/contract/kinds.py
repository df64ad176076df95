"""The kinds of jobs, one record each: where one waits, what computes it, what limits it, and what it leaves behind.

A new kind is a record here, its computation in `workers/child.py`, and its endpoints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Queue(StrEnum):
    """What workers drain; each worker drains one."""

    CIRCUITS = "circuits"
    DISTILLATION = "distillation"
    QUESTIONS = "questions"  # those that a client waits for: no training is ever before one


class Engine(StrEnum):
    """What a process that computes has imported. Memory is limited by engine."""

    CIRCUITS = "circuit"
    DISTILLATION = "distillation"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """attempts: before a job whose worker dies is given up; None: as many as the operator allows.

    path: of its endpoints; empty for a question, which has none and is gone once it is answered.
    told_by: fields of a body, any of which says that it is of this kind. leaves: links to what a job leaves behind,
    below its own path. reads_files: whether it may name files, models or checkpoints.
    """

    name: str
    queue: Queue
    engine: Engine
    attempts: int | None = None
    path: str = ""
    told_by: frozenset[str] = frozenset()
    leaves: Mapping[str, str] = field(default_factory=dict)
    reads_files: bool = True

    @property
    def is_question(self) -> bool:
        return self.queue == Queue.QUESTIONS

    def links(self, job_id: str) -> dict[str, str]:
        job = f"/v1/jobs/{job_id}"
        own = {name: f"{self.path}/{job_id}/{below}" for name, below in self.leaves.items()}
        return {"self": job, "events": f"{job}/events", "request": f"{job}/request"} | own


CIRCUIT = Kind(
    name="circuit",
    queue=Queue.CIRCUITS,
    engine=Engine.CIRCUITS,
    attempts=2,  # a circuit that ends its process twice is at fault itself
    path="/v1/circuits",
    told_by=frozenset({"circuit", "circuits"}),
    leaves={
        "results": "results",
        "histogram": "histogram",
        "histogram_svg": "histogram.svg",
        "histogram_png": "histogram.png",
        "diagram": "diagram.svg",
    },
    reads_files=False,
)

SWEEP = Kind(
    name="sweep",
    queue=Queue.DISTILLATION,
    engine=Engine.DISTILLATION,
    path="/v1/sweeps",
    told_by=frozenset({"base", "space"}),
    leaves={"trials": "trials", "checkpoints": "checkpoints", "pareto": "pareto", "pareto_svg": "pareto.svg"},
)

DISTILLATION = Kind(
    name="distillation",
    queue=Queue.DISTILLATION,
    engine=Engine.DISTILLATION,
    path="/v1/distillations",
    told_by=frozenset({"teacher", "student"}),
    leaves={
        "checkpoints": "checkpoints",
        "exports": "exports",
        "report": "report",
        "card": "report.md",
        "plots": "plots",
        "split": "split",
    },
)

CIRCUIT_QUESTION = Kind(
    name="circuit_question", queue=Queue.QUESTIONS, engine=Engine.CIRCUITS, attempts=1, reads_files=False
)
DISTILLATION_QUESTION = Kind(
    name="distillation_question", queue=Queue.QUESTIONS, engine=Engine.DISTILLATION, attempts=1
)

KINDS = (CIRCUIT, DISTILLATION, SWEEP, CIRCUIT_QUESTION, DISTILLATION_QUESTION)
NAMED = {kind.name: kind for kind in KINDS}
JOBS = tuple(kind for kind in KINDS if not kind.is_question)  # those that a client sees
JOB_NAME = f"^({'|'.join(kind.name for kind in JOBS)})$"
IN_WORDS = f"{', '.join(kind.name for kind in JOBS[:-1])} or {JOBS[-1].name}"


def kind_of(body: Mapping[str, object]) -> Kind:
    """What a body asks for, told by its fields."""
    others = (kind for kind in JOBS if kind is not DISTILLATION)
    return next((kind for kind in others if not kind.told_by.isdisjoint(body)), DISTILLATION)
