"""Distillation with the teacher's answers kept, against torchdistill from PyPI on the same work.

`python -m benchmarks.distillation.torchdistill`

It runs in an environment of its own, which the first run makes below ~/.cache/qstill: its torchvision imports beside
the registry's full build of torch only (5 GB, which also runs on a CPU), not beside the CPU build that the service
uses. It is given the same rows, the same teacher, the same untrained student and as many steps, and drives them by its
own box, data loader and loss; only the training is timed, on one thread, in CPU seconds.
"""

import json
import os
import subprocess
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
from benchmarks.report import Line, report
from workers.distillation.networks.costs import parameters

GOALS = ((CNN, 8), (MLP, 4))  # times as many samples a second, as against the plain loop
EPOCHS = 60
ROUNDS = 3
PACKAGES = ("torchdistill==1.1.5", "torch==2.13.0", "torchvision==0.28.0")
PEER = Path(__file__).with_name("torchdistill_peer.py")


def environment() -> Path:
    """The Python that torchdistill is installed for; minutes the first time."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "qstill" / "torchdistill"
    python = folder / "bin" / "python"
    ready = folder / "installed"
    if not (ready.exists() and ready.read_text() == repr(PACKAGES)):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        # Free of this machine's choices for pip: a folder of wheels or a constraint may hold the CPU build.
        free = {name: value for name, value in os.environ.items() if name not in ("PIP_FIND_LINKS", "PIP_CONSTRAINT")}
        free["PIP_CONFIG_FILE"] = os.devnull
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--only-binary", ":all:"]
        subprocess.run([*command, *PACKAGES], check=True, env=free)
        ready.write_text(repr(PACKAGES))
    return python


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
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    command = [str(python), "-P", str(PEER), str(path)]  # -P: this file has the package's name
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | one_thread).stdout
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
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
    try:
        python = environment()
    except subprocess.CalledProcessError as fault:
        print(f"left out, as torchdistill cannot be installed here: {fault}", file=sys.stderr)
        return []
    return [against(python, teacher, goal) for teacher, goal in GOALS]


if __name__ == "__main__":
    sys.exit(report(measure()))
