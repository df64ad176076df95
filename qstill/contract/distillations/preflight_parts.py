"""What every preflight says alike, whatever the domain: sizes, time, memory, advice."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from qstill.contract.schemas import FieldPath, View

Severity = Literal["problem", "warning", "note"]


class Capacity(View):
    """How large the networks are."""

    student_parameters: int = Field(description="Weights and biases of the student.", examples=[1210])
    teacher_parameters: int | None = Field(
        description="Of the teacher, of all members together; null where nobody knows.", examples=[85002]
    )
    ratio: float | None = Field(description="Teacher's parameters for each of the student's.", examples=[70.2])
    student_multiply_adds: int = Field(description="For one row.", examples=[1184])
    teacher_multiply_adds: int | None = Field(
        description="For one row; null where a member's network is not known.", examples=[84480]
    )


class Seconds(View):
    """A time that is predicted from measured steps."""

    expected: float = Field(description="The median step, times their number.", examples=[3.2])
    low: float = Field(description="If all steps are like the fastest one, and training stops early.", examples=[2.5])
    high: float = Field(description="If all steps are like the slowest one, on a busier machine.", examples=[5.9])


class Time(View):
    """How long the job will compute, on this worker's machine."""

    steps_measured: int = Field(description="How many steps were taken for it.", examples=[36])
    teacher_training: Seconds = Field(description="Of teachers that the job trains; 0 for others.")
    teacher_answers: Seconds = Field(
        description="Asking the teacher about all rows. Nothing, where an earlier job's answers are still kept."
    )
    search: Seconds = Field(
        default_factory=lambda: Seconds(expected=0.0, low=0.0, high=0.0),
        description="Training the candidates of a budget, most of which are given up early; 0 without one.",
    )
    students: Seconds = Field(description="Of all seeds.")
    baselines: Seconds = Field(description="Of all seeds; 0 without them.")
    controls: Seconds = Field(description="Of all seeds of a quantum student's controls; 0 of other students.")
    engine: Seconds = Field(
        description="Running quantum networks on the circuit engine, as `evaluation.quantum` asks; 0 without it. A few "
        "rows of each were run for it."
    )
    exports: Seconds = Field(description="Writing and running the files of `export`; 0 without them.")
    compression: Seconds = Field(
        description="Pruning, fine-tuning, quantising, running and timing all of `compression`; 0 without it. Which "
        "sparsities will be looked for is not known yet, and their networks are taken for those that are named."
    )
    rest: Seconds = Field(description="Reading the data, measuring and reporting.")
    total: Seconds = Field(description="The whole job, from when a worker begins it.")
    limit: float = Field(description="What one attempt may take.", examples=[86400.0])


class Memory(View):
    """Bytes at the job's peak. On a GPU, weights, optimizer and activations are in its memory."""

    process: int = Field(
        description="The worker's child, libraries and data loaded; not the part of the data that stays in files.",
        examples=[412000000],
    )
    weights: int = Field(
        description="Of the largest network in training, and of the teacher beside it.", examples=[349000]
    )
    optimizer: int = Field(
        description="Gradients, the optimizer's state, and the copies kept of the best epoch and of an average.",
        examples=[1360000],
    )
    activations: int = Field(
        description="What one batch keeps for its gradients, states of a circuit too, or one block of rows in "
        "evaluation.",
        examples=[2100000],
    )
    answers: int = Field(description="The teacher's answers and features that are held.", examples=[43080])
    engine: int = Field(
        description="What the circuit engine's rows would count, which is kept until the report, and the states that "
        "are simulated together; 0 without `evaluation.quantum`.",
        examples=[0],
    )
    peak: int = Field(description="All of these together.", examples=[416000000])
    limit: int = Field(description="What one job may take.", examples=[8000000000])
    available: int = Field(description="What is free on the worker's machine now.", examples=[12000000000])
    cache: int = Field(description="What the kept answers take on the disk.", examples=[43200])
    cache_limit: int = Field(description="What all kept answers may take; 0: none are kept.", examples=[4294967296])
    disk_free: int = Field(description="Free on the cache's disk.", examples=[52000000000])


class Suggestion(View):
    """A change to the job."""

    pointer: str = Field(description="The field, from the root of the body.", examples=["/objective/temperature"])
    value: object = Field(description="What to write there.", examples=[4.0])


class Advice(View):
    """Something to know before the job is submitted."""

    code: str = Field(description="Stable; programs match on it.", examples=["teacher_saturated"])
    severity: Severity = Field(
        description="problem: the job will fail, or its result will mean nothing. warning: likely worse than it could "
        "be. note: good to know.",
        examples=["warning"],
    )
    detail: str = Field(
        description="What was found and why it matters, with the paper where there is one.",
        examples=["Half of the teacher's answers are surer than 0.999 at T = 1; soften them."],
    )
    pointer: str | None = Field(description="The field that it is about.", examples=["/objective/temperature"])
    suggestion: Suggestion | None = Field(description="What would help, where one change does.")


Rule = Iterator[Advice]


def advice(
    code: str,
    severity: Severity,
    detail: str,
    pointer: str | None = None,
    value: object = None,
    *,
    at: str | None = None,
) -> Advice:
    """value: what to write at `at`, or at the pointer; None suggests nothing."""
    place = at or pointer
    suggestion = None if value is None or place is None else Suggestion(pointer=place, value=value)
    return Advice(code=code, severity=severity, detail=detail, pointer=pointer, suggestion=suggestion)


def at(place: FieldPath, field: str) -> str:
    return "".join(f"/{step}" for step in (*place, field))
