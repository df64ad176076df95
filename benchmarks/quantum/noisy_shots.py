"""A deep circuit taught to a shallow one: how many shots a noisy machine needs of each for the same accuracy.

`python -m benchmarks.quantum.noisy_shots`: minutes. Digits 0 to 3 as four principal components, four qubits on a line,
a teacher of seven layers trained on all labels, students of two. Depolarizing noise of 2 % after CX and 0.2 % after
other gates, and 2 % wrong readings. All are calibrated by 32 rows. Six seeds: teacher and student are drawn from each.

The layers are rings of CX, which a line has to route: so the teacher has the gates that make it dear. Where its layers
are lines, as the machine is, seven of them keep most of their signal, and little is to be saved: printed, too. The same
student on labels alone, without a teacher, stands beside both: it is the shallow circuit that saves the shots.
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from benchmarks.distillation.work import Quiet
from benchmarks.report import Line, report
from qstill.contract.distillations.job import DistillationJob
from workers.distillation.jobs import distil_job

SEEDS = range(900, 906)
SHOTS = [4, 16, 64, 256, 1024, 4096]
NOISE = {"model": "depolarizing", "one_qubit": 0.002, "two_qubit": 0.02, "readout": {"p01": 0.02, "p10": 0.02}}
ALMOST = 0.95  # of what the worse of the two reaches with all shots: the accuracy that both have to reach
CLAIMED, PLAIN = "ring", "line"  # entanglement of a layer
ROLES = {"teacher": "teacher", "student": "student", "baseline": "on labels alone"}

Curve = dict[int | None, float]


class Reported(Quiet):
    """Keeps the report."""

    def __init__(self, folder: Path, files: dict[str, Path]) -> None:
        super().__init__(folder)
        self.files, self.report = files, dict[str, Any]()

    def publish(self, path: Path, *, name: str, **_: Any) -> None:
        if name == "report.json":
            self.report = json.loads(path.read_text())


def measure() -> list[Line]:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        table = _digits(Path(folder) / "digits.csv")
        times = {name: _times_fewer(name, table, Path(folder)) for name in (PLAIN, CLAIMED)}
    claim = f"shots for the same accuracy under noise; times fewer of the student (layers of lines: {times[PLAIN]:.1f})"
    return [Line(claim=claim, ours=times[CLAIMED], plain=1, unit="x", goal=4, better="more")]


def _times_fewer(entanglement: str, table: Path, folder: Path) -> float:
    """Shots of the teacher for each of the student's, at the accuracy that both reach."""
    curves = [_curves(seed, entanglement, table, folder) for seed in SEEDS]
    means = {name: _mean(curve[name] for curve in curves) for name in ROLES}
    print(f"Layers of a {entanglement}, on a line:")
    for shots in [*SHOTS, None]:
        said = ", ".join(f"{ROLES[name]} {curve[shots]:.3f}" for name, curve in means.items())
        print(f"{shots or 'all':>5} shots: {said}")
    teacher, student = means["teacher"], means["student"]
    wanted = ALMOST * min(teacher[None], student[None])
    needed = {name: _shots_for(wanted, curve) for name, curve in means.items()}
    print(f"for {wanted:.3f}: {', '.join(f'{ROLES[name]} {shots:.0f}' for name, shots in needed.items())} shots")
    return needed["teacher"] / needed["student"]


def _digits(path: Path) -> Path:
    rows, labels = load_digits(n_class=4, return_X_y=True)
    reduced = PCA(4, random_state=0).fit_transform(rows)
    table = np.column_stack([reduced, labels])
    np.savetxt(path, table, delimiter=",", header="a,b,c,d,digit", comments="", fmt=["%.6f"] * 4 + ["%d"])
    return path


def _curves(seed: int, entanglement: str, table: Path, folder: Path) -> dict[str, Curve]:
    quantum = {"kind": "quantum", "qubits": 4, "encoding": {"kind": "angle"}, "entanglement": entanglement}
    job = DistillationJob.model_validate(
        {
            "dataset": {"source": "file", "file": "file_digits", "label": "digit", "split_seed": seed},
            "teacher": {
                "source": "train",
                "architecture": quantum | {"layers": 7},
                "training": {"epochs": 40, "batch_size": 32, "learning_rate": 0.03, "seed": seed},
            },
            "student": {"architecture": quantum | {"layers": 2}},
            "objective": {"kind": "kd", "temperature": 2, "alpha": 0.5},
            "training": {"epochs": 40, "batch_size": 32, "learning_rate": 0.03, "seed": seed},
            "evaluation": {
                "controls": False,
                "seeds": 1,
                "quantum": {
                    "shots": SHOTS,
                    "rows": 128,
                    "noise": NOISE,
                    "device": {"coupling_map": {"shape": "line", "qubits": 4}},
                },
            },
        }
    )
    run = Reported(folder, {"file_digits": table})
    distil_job(job, run)
    curve = run.report["quantum"]["engine"]["curve"]
    return {
        name: {each["shots"]: each["calibrated"] for each in curve if each["strength"] == 1 and each["network"] == name}
        for name in ROLES
    }


def _mean(curves: Iterable[Curve]) -> Curve:
    every = list(curves)
    return {shots: fmean(curve[shots] for curve in every) for shots in every[0]}


def _shots_for(wanted: float, curve: Curve) -> float:
    """Where the curve first reaches an accuracy, between two numbers of shots by its line over their logarithms."""
    before, reached = 0.0, 0.0
    for shots in SHOTS:
        if curve[shots] >= wanted:
            if not before:
                return float(shots)
            share = (wanted - reached) / (curve[shots] - reached)
            return float(before * (shots / before) ** share)
        before, reached = float(shots), curve[shots]
    return float(SHOTS[-1])


if __name__ == "__main__":
    sys.exit(report(measure()))
