"""Two processors on students: two jobs beside each other, against one job split by torch's DistributedDataParallel.

`python -m benchmarks.distillation.data_parallel`

Both have two processes of one thread and the same global batches; those of the split job see half a batch each and
average their gradients over gloo after every step. One process with two threads is measured beside them. What counts is
samples for a second of a processor: what else the machine does changes it less than the clock's.
docs/adr/0011-one-process-trains-a-network.md draws the conclusion.
"""

import os

os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}  # before numpy counts cores
os.environ["GLOO_SOCKET_IFNAME"] = "lo"  # nobody outside this machine takes part

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import TypeAdapter
from torch import distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from app.distillations.architectures import Architecture
from benchmarks.report import Line, report
from workers.distillation.networks.network import Network
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.terms import Target
from workers.distillation.signals import Signal
from workers.distillation.students import build, parameters

PROCESSES = 2
CLASSES = 10
WARM_STEPS = 3
ROUNDS = 3
LEAST = 0.85  # of the split job's: a network whose steps are long gains nothing from either, and both vary
SAME = 1e-4  # of weights after a few steps: halves of a batch are summed in another order

Way = Literal["beside each other", "split", "threads"]
WAYS: tuple[Way, ...] = ("beside each other", "split", "threads")


@dataclass(frozen=True)
class Work:
    """A student, its inputs, and how many steps are timed."""

    name: str
    architecture: dict[str, Any]
    input_shape: tuple[int, ...]
    batch: int
    steps: int


WORKS = [
    Work("perceptron", {"kind": "mlp", "hidden": [16]}, (1, 8, 8), 64, 100),
    Work("small CNN", {"kind": "cnn", "channels": [73, 128]}, (1, 8, 8), 64, 20),
    Work("ResNet-8 on 32x32", {"kind": "resnet", "depth": 8, "width": 16}, (3, 32, 32), 64, 3),
]


def measure() -> list[Line]:
    """Prints all three ways; the lines hold two jobs against one that is split."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.start_processes(process, (folder,), nprocs=PROCESSES)  # type: ignore[attr-defined, no-untyped-call]
        found: dict[str, dict[Way, float]] = torch.load(Path(folder, "rates"), weights_only=True)
    lines = []
    for name, rates in found.items():
        print(f"{name}: " + ", ".join(f"{way} {rate:,.0f} samples/CPU-s" for way, rate in rates.items()))
        claim = f"{name}: two jobs, against one that is split"
        ours, plain = rates["beside each other"], rates["split"]
        lines.append(Line(claim=claim, ours=ours, plain=plain, unit="samples/CPU-s", goal=LEAST * plain, better="more"))
    return lines


def process(rank: int, folder: str) -> None:
    """One of the two: both go through all works and ways together."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=PROCESSES)
    found: dict[str, dict[Way, float]] = {}
    for work in WORKS:
        best: dict[Way, float] = dict.fromkeys(WAYS, 0.0)  # of the rounds: what else the machine does only takes away
        for _ in range(ROUNDS):
            weights = {}
            for way in WAYS:
                rate, weights[way] = train(rank, work, way)
                best[way] = max(best[way], rate)
            if work is WORKS[0] and rank == 0:
                check(weights["threads"], weights["split"])
        found[f"{work.name}, {parameters(student(work)):,} weights"] = best
    if rank == 0:
        torch.save(found, Path(folder, "rates"))
    distributed.destroy_process_group()


def check(whole: torch.Tensor, split: torch.Tensor) -> None:
    """A split job learns what a whole one does."""
    largest = float((whole - split).abs().max())
    if largest > SAME:
        raise SystemExit(f"the split job is another one: weights differ by {largest:.2g}")


def train(rank: int, work: Work, way: Way) -> tuple[float, torch.Tensor]:
    """Samples for a second of a processor, and this process's weights. Both begin their timed steps together."""
    torch.set_num_threads(PROCESSES if way == "threads" else 1)
    network: nn.Module = student(work)
    part = slice(rank, None, PROCESSES) if way == "split" else slice(None)
    if way == "split":
        network = DistributedDataParallel(network)
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(work.batch, *work.input_shape, generator=draw)[part]
    said = Signal(torch.randn(work.batch, CLASSES, generator=draw)[part], "made up")
    target = Target(torch.randint(CLASSES, (work.batch,), generator=draw)[part])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    seconds = torch.zeros(1, dtype=torch.float64)
    distributed.barrier()
    if way != "threads" or rank == 0:
        for step in range(WARM_STEPS + work.steps):
            if step == WARM_STEPS:
                began = time.process_time()
            optimizer.zero_grad()
            terms = kd(network(inputs), said, target, temperature=4.0, alpha=0.9)
            terms["loss"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        seconds += time.process_time() - began
    distributed.all_reduce(seconds, distributed.ReduceOp.SUM)
    jobs = PROCESSES if way == "beside each other" else 1
    weights = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    return jobs * work.batch * work.steps / float(seconds), weights


def student(work: Work) -> Network:
    architecture = TypeAdapter(Architecture).validate_python(work.architecture)
    return build(architecture, work.input_shape, CLASSES, seed=0, pointer="/student/architecture")


if __name__ == "__main__":
    sys.exit(report(measure()))
