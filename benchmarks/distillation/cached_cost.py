"""What a teacher costs once its answers are kept: a step of distillation beside a step with labels alone.

`python -m benchmarks.distillation.cached_cost`

The same student, rows and number of steps by the same trainer. The teacher's one pass is not counted here; `textbook`
counts it.
"""

import sys
from typing import Any

from benchmarks.distillation.work import (
    MLP,
    SMALL_STUDENT,
    Work,
    by_lesson,
    check_alike,
    compare,
    cpu_seconds,
    labels_alone,
    lesson,
    work,
)
from benchmarks.report import Line, report
from workers.distillation.networks.costs import parameters

GOAL = 1.5  # times the cost
STUDENTS: tuple[dict[str, Any], ...] = (SMALL_STUDENT, {"kind": "cnn", "channels": [8, 16]})
EPOCHS = 60
ROUNDS = 5


def of_student(student: dict[str, Any]) -> Line:
    given: Work = work(MLP, epochs=EPOCHS, student=student)
    ours: list[float] = []
    theirs: list[float] = []
    heard = lesson(given)
    mine, plain = compare(
        lambda: cpu_seconds(given, lambda: by_lesson(given, heard), ours),
        lambda: cpu_seconds(given, lambda: labels_alone(given), theirs),
        rounds=ROUNDS,
    )
    check_alike(ours, theirs)
    steps = EPOCHS * -(-len(given.data.learned) // given.job.training.batch_size)
    return Line(
        claim=f"{student['kind']} student of {parameters(given.student()):,} weights: a step of distillation",
        ours=1e6 * mine / steps,
        plain=1e6 * plain / steps,
        unit="µs",
        goal=GOAL * 1e6 * plain / steps,
        better="less",
    )


def measure() -> list[Line]:
    return [of_student(student) for student in STUDENTS]


if __name__ == "__main__":
    sys.exit(report(measure()))
