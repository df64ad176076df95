"""Jobs on data that stays in files: the same students to the bit, and no more memory than a job may take."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.testing.refusals import problem_of
from tests.workers.distillation.flowers import flowers, packed
from workers.distillation.jobs import distil_job
from workers.distillation.stored import rows as stored_rows
from workers.distillation.stored import shelf as shelves

pytestmark = pytest.mark.training

Make = Callable[..., Any]
FILE = "file_0195f3a0-7c1e-7d9a-b3c8-5d4e3f2a1b0c"
TIMES = {"latency", "timed", "seconds", "peak_memory_bytes"}
CNN = {"kind": "cnn", "channels": [4, 4]}


def archive(path: Path, *, compressed: bool = False) -> Path:
    draw = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = (draw.integers(0, 128, (90, 1, 8, 8)) + 40 * y[:, None, None, None]).astype(np.uint8)
    (np.savez_compressed if compressed else np.savez)(path, x=x, y=y)
    return path


def table(path: Path) -> Path:
    draw = np.random.default_rng(0)
    lines = ["a,b,kind", *(f"{draw.normal():.4f},{draw.normal() + i % 2:.4f},{'xy'[i % 2]}" for i in range(90))]
    path.write_text("\n".join(lines))
    return path


def timeless(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: timeless(value) for name, value in document.items() if name not in TIMES}
    return [timeless(each) for each in document] if isinstance(document, list) else document


@pytest.mark.parametrize("kind", ["npz", "compressed", "zip", "csv"])
def test_a_student_of_rows_in_files_is_that_of_rows_in_memory(
    tmp_path: Path, job: Make, house: Make, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = {
        "npz": lambda: archive(tmp_path / "data.npz"),
        "compressed": lambda: archive(tmp_path / "data.npz", compressed=True),
        "zip": lambda: packed(tmp_path, flowers(12)),
        "csv": lambda: table(tmp_path / "data.csv"),
    }[kind]()
    architecture = {"kind": "mlp", "hidden": [4]} if kind == "csv" else CNN
    augmented = {} if kind == "csv" else {"augmentation": {"flip": True, "crop": 1}}
    spec = job(
        dataset={"source": "file", "file": FILE, "standardise": "feature" if kind == "csv" else "channel"},
        teacher={"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}},
        student={"architecture": architecture},
        training={"epochs": 2, "batch_size": 16, **augmented},
        evaluation={"seeds": 1},
    )
    told = []
    for held in (shelves.HELD_VALUES, 0):
        monkeypatch.setattr(shelves, "HELD_VALUES", held)
        told.append(house(files={FILE: path}, cache=tmp_path / f"cache-{held}"))
        distil_job(spec, told[-1])
    held, stored = told
    names = [name for name in held.published if not name.endswith(".json")]
    assert names
    for name in names:
        assert held.published[name] == stored.published[name], name
    assert timeless(json.loads(held.published["report.json"])) == timeless(json.loads(stored.published["report.json"]))


def test_augmenting_more_than_is_held_at_once_is_refused_before_anything_is_trained(
    tmp_path: Path, job: Make, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "HELD_VALUES", 0)
    monkeypatch.setattr(stored_rows, "MOST_AT_ONCE", 1000)
    told = house(files={FILE: archive(tmp_path / "data.npz")})
    spec = job(
        dataset={"source": "file", "file": FILE, "standardise": "channel"},
        student={"architecture": CNN},
        training={"epochs": 1, "augmentation": {"flip": True}},
    )
    found = problem_of(distil_job, spec, told)
    assert (found.code, found.pointer) == ("out_of_memory", "/training/augmentation")
    assert not told.published


LIMITED = """
import resource, sys
from pathlib import Path
from qstill.contract.distillations.job import DistillationJob
from tests.workers.distillation.conftest import FakeRun
from workers.distillation.jobs import distil_job
from workers.distillation.stored import shelf

spec, file, scratch, held, more = sys.argv[1:]
shelf.HELD_VALUES = int(held)
status = Path("/proc/self/status").read_text().splitlines()
now = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (now + int(more),) * 2)  # private memory; mapped files are none
job = DistillationJob.model_validate_json(spec)
try:
    distil_job(job, FakeRun(Path(scratch), files={job.dataset.file: Path(file)}))
except (MemoryError, RuntimeError) as error:
    sys.exit("memory" if "memory" in str(error) or isinstance(error, MemoryError) else repr(error))
print("done")
"""


@pytest.mark.timeout(500)  # two processes that load everything: seconds, on a machine that has nothing else to do
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_data_that_is_more_than_the_memory_is_learned_where_holding_it_would_fail(tmp_path: Path, job: Make) -> None:
    more, rows = 320 << 20, 19_000  # as numbers 233 MB, and as many standardised
    y = np.arange(rows) % 2
    x = np.random.default_rng(0).integers(0, 200, (1000, 3, 32, 32), dtype=np.uint8)
    np.savez(
        tmp_path / "data.npz",
        x=np.tile(x, (rows // 1000, 1, 1, 1)) + (y[:, None, None, None] * 40).astype(np.uint8),
        y=y,
    )
    spec = job(
        dataset={"source": "file", "file": FILE, "standardise": "channel"},
        teacher={"source": "train", "architecture": {"kind": "mlp", "hidden": [4]}},
        training={"epochs": 1, "batch_size": 512},
        evaluation={"seeds": 1, "baseline": False},
    )

    def ended(held: int) -> str:
        given = [spec.model_dump_json(), str(tmp_path / "data.npz"), str(tmp_path / str(held)), str(held), str(more)]
        command = [sys.executable, "-c", LIMITED, *given]
        single = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        found = subprocess.run(command, capture_output=True, text=True, env=single, timeout=250, check=False)
        return found.stdout.strip() or found.stderr.strip().splitlines()[-1]

    assert ended(0) == "done"
    assert ended(shelves.HELD_VALUES) == "memory"
