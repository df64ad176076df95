"""Memory that a process has for itself, told from the files that it has mapped."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workers.memory import occupied, peak_memory, watched

SIZE = 64 << 20
NEAR = 16 << 20  # what a test process takes and gives back meanwhile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells both apart")


def test_mapped_files_are_no_memory_of_a_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(SIZE))
    before = occupied()
    mapped = np.memmap(tmp_path / "file", np.uint8, mode="r")
    assert int(mapped.sum()) == 0
    assert occupied() - before < NEAR
    held = np.ones(SIZE, np.uint8)
    assert occupied() - before > SIZE - NEAR
    assert len(held) == SIZE


def test_the_peak_is_kept_after_it_has_passed() -> None:
    with watched() as peak:
        before = peak_memory()
        held = np.ones(SIZE, np.uint8)
        during = peak_memory()
        del held
        assert peak_memory() >= during > before + SIZE - NEAR
    assert peak.bytes >= during


def test_a_process_that_is_gone_occupies_nothing() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert occupied(child.pid) == 0
