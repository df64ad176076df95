"""Images that are many times the memory of a job, trained from their file, against the same rows held in memory.

`python -m benchmarks.distillation.more_than_memory`                          # 200 MB, as CI holds it
`python -m benchmarks.distillation.more_than_memory --bytes 4e9 --limit 1.5`  # in full: 4 GB under 1.5 GiB

Two processes train the same student on the same batches in turns, so that whatever else the machine does meets both.
One reads its rows from the archive, under the limit. The other has no limit and holds rows as data that fits is held,
raw and standardised in single precision: so many of them as are held at all (`HELD_VALUES`), from which its batches are
drawn. Both begin by reading, splitting and standardising what they train on.

The limit is RLIMIT_DATA: private memory, of which mapped files are no part. What libraries have reserved when they are
loaded, and never touch, is added to it: more than a gigabyte. RLIMIT_AS would count the whole map. A control group
counts the kernel's cache of the file, too, and takes it back: `--cgroup /sys/fs/cgroup/memory` makes one there, where
that may be written, and rows are then read from the disk again and again.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from statistics import median

import numpy as np
from torch import Tensor

from benchmarks.report import Line, report
from qstill.contract.distillations.datasets import UploadedData
from qstill.contract.distillations.job import DistillationJob
from workers.distillation.data.dataset import load
from workers.distillation.stored.shelf import HELD_VALUES, Shelf
from workers.distillation.training.learner import Learner
from workers.distillation.training.plan import baseline_lesson, student_stages
from workers.distillation.training.reproducible import reproducible
from workers.memory import occupied, watched

GOAL = 0.9  # times the speed
IMAGE = (3, 64, 64)  # 12 kB
CLASSES = 10
ROUNDS, STEPS = 9, 8  # of both sides in turns, and batches of each
STUDENT = {"kind": "cnn", "channels": [16, 32]}
FILE = "file_0195f3a0-7c1e-7d9a-b3c8-5d4e3f2a1b0c"


def write(path: Path, rows: int) -> None:
    """An archive that is not compressed, as `numpy.savez` writes one, a thousand images at a time."""
    draw = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            described = {"descr": "|u1", "fortran_order": False, "shape": (rows, *IMAGE)}
            np.lib.format.write_array_header_1_0(member, described)
            for first in range(0, rows, 1000):
                member.write(draw.bytes(min(1000, rows - first) * int(np.prod(IMAGE))))
        with archive.open("y.npy", "w") as member:
            np.lib.format.write_array(member, np.arange(rows) % CLASSES)


def batches(learner: Learner) -> Iterator[Tensor]:
    """Epoch after epoch."""
    while True:
        yield from learner.batches()
        learner.epoch, learner.batch = learner.epoch + 1, 0


def reserved() -> int:
    """Bytes of private memory that this process has and does not use."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData")) - occupied()


def side(path: Path, held: int, limit: float) -> None:
    """One of both processes: for each line on standard input it learns some batches and prints how long they took."""
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit * (1 << 30)) + reserved(),) * 2)
    body = {
        "dataset": {"source": "file", "file": FILE, "standardise": "channel", "validation": 0.05, "test": 0.05},
        "teacher": {"source": "train", "architecture": STUDENT},
        "student": {"architecture": STUDENT},
        "objective": {"kind": "kd", "temperature": 4.0, "alpha": 0.9},
        "training": {"epochs": 1000, "batch_size": 64},
    }
    job = DistillationJob.model_validate(body)
    assert isinstance(job.dataset, UploadedData)
    with watched() as peak, reproducible(1):
        data = load(job.dataset, {FILE: path}, Shelf(path.parent, held=held))
        learner = Learner(student_stages(job)[0][1], baseline_lesson(data), data)
        drawn = batches(learner)
        for _ in sys.stdin:
            began = time.perf_counter()
            for positions in islice(drawn, STEPS):
                learner.learn(positions)
            seconds = time.perf_counter() - began
            peak.look()
            print(json.dumps({"seconds": seconds, "peak": peak.bytes}), flush=True)


class Side:
    """A process of its own. limit: GiB; 0: none. cgroup: a folder of control groups, in which one is made."""

    def __init__(self, path: Path, *, held: int, limit: float = 0.0, cgroup: Path | None = None) -> None:
        asked = [str(path), str(held), str(0.0 if cgroup else limit)]
        self.group = None if cgroup is None else _group(cgroup, int(limit * (1 << 30)))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.distillation.more_than_memory", "--side", *asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
        )
        if self.group is not None:
            (self.group / "cgroup.procs").write_text(str(self.process.pid), encoding="ascii")
        self.seconds: list[float] = []
        self.peak = 0

    def learn(self) -> None:
        """One round."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print("go", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a side ended with exit status {self.process.wait()}")
        said = json.loads(line)
        self.seconds.append(said["seconds"] / STEPS)
        self.peak = said["peak"]

    def end(self) -> None:
        self.process.communicate()
        if self.group is not None:
            self.group.rmdir()


def _group(parent: Path, limit: int) -> Path:
    """A control group of either version, of so many bytes."""
    group = parent / f"more-than-memory-{os.getpid()}"
    group.mkdir()
    versions = (group / "memory.max", group / "memory.limit_in_bytes")
    next(each for each in versions if each.exists()).write_text(str(limit), encoding="ascii")
    return group


def measure(size: float = 2e8, limit: float = 0.75, cgroup: Path | None = None) -> list[Line]:
    """size: bytes of the images. limit: GiB."""
    rows = int(size / np.prod(IMAGE))
    held = min(rows, int(HELD_VALUES / np.prod(IMAGE)))
    with tempfile.TemporaryDirectory() as folder:
        for name, count in (("all.npz", rows), ("held.npz", held)):
            write(Path(folder) / name, count)
        sides = [
            Side(Path(folder) / "all.npz", held=0, limit=limit, cgroup=cgroup),
            Side(Path(folder) / "held.npz", held=HELD_VALUES),
        ]
        for each in chain(*([sides, sides[::-1]] * (ROUNDS // 2 + 1))):
            each.learn()
        for each in sides:
            each.end()
    ours, theirs = (64 / median(each.seconds[1:]) for each in sides)
    told = f"{rows:,} images of {size / 1e9:.1f} GB under {limit} GiB (peak {sides[0].peak / (1 << 30):.2f})"
    return [Line(claim=told, ours=ours, plain=theirs, unit="rows/s", goal=GOAL * theirs, better="more")]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bytes", type=float, default=2e8)
    parser.add_argument("--limit", type=float, default=0.75, help="GiB")
    parser.add_argument("--cgroup", type=Path)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side is not None:
        path, held, limit = asked.side
        side(Path(path), int(held), float(limit))
        return 0
    return report(measure(asked.bytes, asked.limit, asked.cgroup))


if __name__ == "__main__":
    sys.exit(main())
