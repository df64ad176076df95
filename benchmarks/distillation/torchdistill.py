"""Distillation with the teacher's answers kept, against torchdistill from PyPI on the same work.

`python -m benchmarks.distillation.torchdistill`

It runs in an environment of its own, which the first run makes below ~/.cache/qstill: its torchvision imports beside
the registry's full build of torch only (5 GB, which also runs on a CPU), not beside the CPU build that the service
uses. It is given the same rows, the same teacher, the same untrained student and as many steps, and drives them by its
own box, data loader and loss; only the training is timed, on one thread, in CPU seconds.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.distillation.work import (
    ALPHA,
    BATCH,
    CNN,
    LEARNING_RATE,
    MLP,
    TEMPERATURE,
    Work,
    check_alike,
    compare,
    cpu_seconds,
    distilled,
    work,
)
from benchmarks.peers import asked, environment
from benchmarks.report import Line, report
from workers.distillation.networks.costs import parameters

GOALS = ((CNN, 8), (MLP, 4))  # times as many samples a second, as against the plain loop
EPOCHS = 60
ROUNDS = 3
PACKAGES = ("torchdistill==1.1.5", "torch==2.13.0", "torchvision==0.28.0")
PEER = Path(__file__).with_name("torchdistill_peer.py")


def written(given: Work, path: Path) -> None:
    """Rows, weights and settings, as plain arrays; weights in the order of their layers."""
    layers = {
        f"{side}.{number}": tensor.numpy()
        for side, network in (("teacher", given.network), ("student", given.student()))
        for number, tensor in enumerate(network.state_dict().values())
    }
    data = given.data
    settings = {"epochs": given.epochs, "batch": BATCH, "lr": LEARNING_RATE, "temperature": TEMPERATURE, "alpha": ALPHA}
    splits = {
        f"{name}.{part}": array.numpy()
        for name in ("train", "test")
        for part, array in vars(getattr(data, name)).items()
        if array is not None
    }
    np.savez(path, settings=json.dumps(settings), **layers, **splits)


def torchdistill(python: Path, path: Path, accuracies: list[float], steps: int) -> float:
    """CPU seconds of its training."""
    found = asked(python, PEER, str(path))
    assert found["steps"] == steps
    accuracies.append(found["accuracy"])
    return float(found["seconds"])


def against(python: Path, teacher: dict[str, Any], goal: float) -> Line:
    given = work(teacher, epochs=EPOCHS)
    ours: list[float] = []
    theirs: list[float] = []
    steps = EPOCHS * -(-len(given.data.learned) // BATCH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.npz"
        written(given, path)
        mine, plain = compare(
            lambda: cpu_seconds(given, lambda: distilled(given), ours),
            lambda: torchdistill(python, path, theirs, steps),
            rounds=ROUNDS,
        )
    check_alike(ours, theirs)
    return Line(
        claim=f"{teacher['kind']} teacher of {parameters(given.network):,} weights: samples/s",
        ours=given.samples / mine,
        plain=given.samples / plain,
        unit="",
        goal=goal * given.samples / plain,
        better="more",
    )


def measure() -> list[Line]:
    python = environment("torchdistill", PACKAGES)
    if python is None:
        return []
    return [against(python, teacher, goal) for teacher, goal in GOALS]


if __name__ == "__main__":
    sys.exit(report(measure()))
