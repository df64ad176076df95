"""What a preflight finds of a job that nothing speaks against, as far as all domains have it."""

from typing import Any

Json = dict[str, Any]

SECONDS = {"expected": 10.0, "low": 5.0, "high": 20.0}
CAPACITY: Json = {
    "student_parameters": 100,
    "teacher_parameters": 1000,
    "ratio": 10.0,
    "student_multiply_adds": 90,
    "teacher_multiply_adds": 900,
}
TIME: Json = {
    "steps_measured": 30,
    **dict.fromkeys(["teacher_training", "teacher_answers", "students", "baselines", "controls"], SECONDS),
    **dict.fromkeys(["exports", "compression", "engine", "rest", "total"], SECONDS),
    "limit": 3600.0,
}
MEMORY: Json = {
    "process": 400,
    "weights": 10,
    "optimizer": 20,
    "activations": 30,
    "answers": 40,
    "engine": 0,
    "peak": 500,
    "limit": 10_000,
    "available": 10_000,
    "cache": 100,
    "cache_limit": 10_000,
    "disk_free": 10_000,
}
