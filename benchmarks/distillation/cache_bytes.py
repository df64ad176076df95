"""What a row of the teacher's answers takes on the disk: one memory map, against a file for each sample.

`python -m benchmarks.distillation.cache_bytes`

A file for each sample is what loops that keep their teacher's answers write, torchdistill's cache among them;
numpy's own format is set beside it. Bytes are those that the disk gives away, in its blocks, as `du` counts them.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.distillation.work import Quiet
from benchmarks.report import Line, report
from qstill.contract.distillations.teachers.storage import Storage
from workers.distillation.data.dataset import Data
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.signals.signals import Signal
from workers.distillation.signals.sparse import SparseSignal
from workers.distillation.tasks.classes import Classes
from workers.distillation.teachers import Teacher, signal_and_use

ROWS = 4000
SLACK = 1.05  # times what the numbers themselves take: the header, and the last block
BLOCK = 512  # bytes, the unit of st_blocks

Case = tuple[str, int, Storage, int]  # claim, classes, storage, bytes of the numbers of one row
CASES: tuple[Case, ...] = (
    ("10 classes, float32", 10, Storage(), 40),
    ("100 classes, float32", 100, Storage(), 400),
    ("100 classes, float16", 100, Storage(precision="float16"), 200),
    ("1,000 classes, top 8, float16", 1000, Storage(precision="float16", top_k=8), 32),
)

Keep = Callable[[Path, tuple[Tensor, ...]], None]  # a sample's tensors, in files of that name


def rows_of(logits: Tensor) -> Data:
    """Data of which only the rows' number and the classes matter."""
    count, classes = logits.shape
    x, y = torch.zeros(count, 1), torch.zeros(count, dtype=torch.int64)
    rows = Rows(x, x, y, torch.arange(count))
    standardisation = Standardisation(torch.zeros(1).double(), torch.ones(1).double())
    task = Classes([str(code) for code in range(classes)])
    return Data(rows, rows, rows, y, y, standardisation, count, "made up", task)


def kept(logits: Tensor, storage: Storage, folder: Path) -> Signal:
    """As a job keeps its teacher's answers, and reads them back."""
    teacher = Teacher(lambda rows: logits.index_select(0, rows.index), digest="made up")
    signal, _ = signal_and_use(teacher, rows_of(logits), storage, Quiet(folder))  # type: ignore[arg-type]
    return signal


def samples_of(signal: Signal) -> list[tuple[Tensor, ...]]:
    """The same numbers, sample by sample."""
    if isinstance(signal, SparseSignal):
        return list(zip(signal.logits, signal.indices, strict=True))
    return [(row,) for row in signal.logits]


def with_torch(path: Path, tensors: tuple[Tensor, ...]) -> None:
    torch.save([tensor.clone() for tensor in tensors], path.with_suffix(".pt"))


def with_numpy(path: Path, tensors: tuple[Tensor, ...]) -> None:
    """The smaller one: a plain array where there is one, an archive where there are two."""
    if len(tensors) == 1:
        np.save(path, tensors[0].numpy())
    else:
        np.savez(path, *(tensor.numpy() for tensor in tensors))


def read_back(folder: Path, number: int) -> tuple[Tensor, ...]:
    """A sample from its .pt file."""
    return tuple(torch.load(folder / f"{number}.pt", weights_only=True))


def on_disk(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_blocks * BLOCK for path in folder.rglob("*") if path.is_file())


def of_case(claim: str, classes: int, storage: Storage, numbers: int) -> list[Line]:
    logits = 4 * torch.randn(ROWS, classes, generator=torch.Generator().manual_seed(0))
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        signal = kept(logits, storage, _made(folder / "ours"))
        ours = on_disk(folder / "ours") / ROWS
        samples = samples_of(signal)
        for name, write in (("pt", with_torch), ("npy", with_numpy)):
            for number, tensors in enumerate(samples):
                write(_made(folder / name) / str(number), tensors)
            line = Line(
                claim=f"{claim}: a row, against a .{name} for each sample",
                ours=ours,
                plain=on_disk(folder / name) / ROWS,
                unit="B",
                goal=SLACK * numbers,
                better="less",
            )
            lines.append(line)
        for number in (0, ROWS - 1):
            assert all(
                torch.equal(*pair) for pair in zip(read_back(folder / "pt", number), samples[number], strict=True)
            )
    if storage.top_k is None and storage.precision == "float32":
        assert torch.equal(signal.logits, logits)
    return lines


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def measure() -> list[Line]:
    return [line for case in CASES for line in of_case(*case)]


if __name__ == "__main__":
    sys.exit(report(measure()))
