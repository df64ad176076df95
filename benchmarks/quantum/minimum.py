"""Where a circuit's cost is lowest: by its surrogate, and by COBYLA and SPSA with as many evaluations.

`python -m benchmarks.quantum.minimum`

Whole jobs. Every search sees answers of so many shots; what stands here is the circuit's own cost where it ended, above
the lowest that is known (BFGS with exact values from both starts), the mean over seeds that draw the shots and, of
graphs, the graph. `from` says where COBYLA and SPSA begin: where the template does, or at random.
"""

import sys
import tempfile
from dataclasses import dataclass
from math import pi
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from benchmarks.quantum.surrogate import Reported
from benchmarks.report import Line, report
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.surrogate import Optimum
from workers.distillation.jobs import distil_job

SEEDS = range(1, 7)
ARMS = ("surrogate", "best_asked", "cobyla", "spsa", "start")
NODES, EDGES = 6, 8  # of a graph that is drawn


@dataclass(frozen=True)
class Case:
    """ranges: of each angle. frequencies: None, those of the circuit; rows: to learn from where they are fewer."""

    name: str
    template: dict[str, Any]
    ranges: list[list[float]]
    shots: int
    random_start: bool = False
    frequencies: Any = None
    rows: int = 50
    noise: Any = None


QAOA = [[-pi / 2, pi / 2], [-pi, pi]]
NOISE = {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}
CASES = [
    Case("MaxCut, 1 layer", {"name": "maxcut", "layers": 1}, QAOA, 64),
    Case("MaxCut, 1 layer", {"name": "maxcut", "layers": 1}, QAOA, 64, random_start=True),
    Case("MaxCut, 1 layer", {"name": "maxcut", "layers": 1}, QAOA, 1_024),
    Case("MaxCut, 1 layer", {"name": "maxcut", "layers": 1}, QAOA, 1_024, random_start=True),
    Case(
        "MaxCut, 2 layers, by rows",
        {"name": "maxcut", "layers": 2},
        [QAOA[0]] * 2 + [QAOA[1]] * 2,
        1_024,
        frequencies=[2, 2, 4, 4],
        rows=500,
    ),
    Case("VQE of H2", {"name": "vqe"}, [[-1.0, 1.0]] * 3, 64),
    Case("VQE of H2", {"name": "vqe"}, [[-1.0, 1.0]] * 3, 1_024),
    Case("VQE of H2", {"name": "vqe"}, [[-1.0, 1.0]] * 3, 1_024, random_start=True),
]


def graph(seed: int) -> list[dict[str, Any]]:
    """A ring with chords, so that no node is alone."""
    draw = np.random.default_rng(seed)
    ring = [(node, (node + 1) % NODES) for node in range(NODES)]
    others = [(i, j) for i in range(NODES) for j in range(i + 2, NODES) if (i, j) != (0, NODES - 1)]
    chords = [others[place] for place in draw.permutation(len(others))[: EDGES - NODES]]
    return [{"nodes": list(pair)} for pair in ring + chords]


def found(case: Case, seed: int) -> Optimum:
    template = dict(case.template)
    if template["name"] == "maxcut":
        template["edges"] = graph(seed)
    start = None
    if case.random_start:
        low, high = np.array(case.ranges).T
        start = np.random.default_rng(seed).uniform(low, high).tolist()
    circuit = {"format": "template", "template": template}
    body = {
        "dataset": {"source": "uniform", "ranges": case.ranges, "rows": case.rows, "split_seed": seed},
        "teacher": {"source": "circuit", "circuit": circuit, "shots": case.shots, "seed": seed, "noise": case.noise},
        "student": {"architecture": {"kind": "fourier", "frequencies": case.frequencies}},
        "objective": {"kind": "logit_mse"},
        "evaluation": {"minimise": {"seed": seed, "start": start}},
    }
    with tempfile.TemporaryDirectory() as folder:
        run = Reported(Path(folder))
        distil_job(DistillationJob.model_validate(body), run)  # type: ignore[arg-type]
    assert run.report.surrogate is not None
    assert run.report.surrogate.optimum is not None
    return run.report.surrogate.optimum


def measure() -> list[Line]:
    torch.set_num_threads(1)
    lines = []
    for case in CASES:
        all_ = [found(case, seed) for seed in SEEDS]
        above: dict[str, float] = {}
        for arm in ARMS:
            each = [one.searches[arm].value - _lowest(one) for one in all_]
            above[arm] = fmean(each)
        evaluations = round(fmean(one.searches["cobyla"].evaluations for one in all_))
        where = "at random" if case.random_start else "as the template"
        said = ", ".join(f"{arm} {above[arm]:.4f}" for arm in ARMS)
        gains = sum(one.gain for one in all_)
        print(f"{case.name}, {case.shots} shots, {evaluations} evaluations, begun {where}: {said}; gain {gains} times")
        direct = min(above["cobyla"], above["spsa"])
        claim = f"{case.name}: cost above the lowest, {evaluations} evaluations of {case.shots:,} shots, begun {where}"
        ours, theirs = above["surrogate"] * 1e3, direct * 1e3
        lines.append(Line(claim=claim, ours=ours, plain=theirs, unit="· 10^-3", goal=theirs, better="less"))
    return lines


def _lowest(one: Optimum) -> float:
    assert one.refined is not None
    return min(one.refined.start, one.refined.surrogate, *(each.value for each in one.searches.values()))


if __name__ == "__main__":
    sys.exit(report(measure()))
