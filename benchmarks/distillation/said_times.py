"""How long a preflight says that a job takes, beside how long it took. `python -m benchmarks.distillation.said_times`

Digits with files in both formats and compression, on the whole service. The counterpart is a guess from nothing but the
student's number of steps, at a microsecond for each weight of a step.
"""

import sys
from typing import Any

from benchmarks.client import Client, finished
from benchmarks.report import Line, report
from benchmarks.servers import qstill_up

GOAL = 3.0  # times too long or too short
EPOCHS, BATCH, LABELLED, SEEDS = 20, 64, 200, 3
WEIGHTS = 64 * 16 + 16 + 16 * 10 + 10  # of the student
JOB: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "digits", "labelled": LABELLED},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [64]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
    "training": {"epochs": EPOCHS, "batch_size": BATCH, "seed": 0},
    "evaluation": {"seeds": SEEDS},
    "export": ["onnx", "onnx_int8"],
    "compression": {"seeds": 1},
}


def measure() -> list[Line]:
    with qstill_up() as server:
        client = Client(server.port)
        said = client.post("/v1/distillations/preflight", JOB)["time"]["total"]["expected"]
        job = client.post("/v1/distillations", JOB)
        took = client.poll(job["id"], finished, every=0.5, patience=600)["result"]["seconds"]
    guess = SEEDS * EPOCHS * -(-LABELLED // BATCH) * WEIGHTS * 1e-6
    return [
        Line(
            claim="a preflight's seconds, times too long or too short",
            ours=max(said / took, took / said),
            plain=max(guess / took, took / guess),
            unit="×",
            goal=GOAL,
            better="less",
        )
    ]


if __name__ == "__main__":
    sys.exit(report(measure()))
