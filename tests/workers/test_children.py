"""What a child process is given, read from the operating system."""

import psutil
import pytest

from qstill.contract.kinds import Engine
from workers.children import Child


def test_a_child_has_its_threads_fixed_workspaces_on_a_gpu_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSTILL_DATABASE_URL", "postgresql://name:password@host/db")
    child = Child(Engine.DISTILLATION, threads=3)
    try:
        given = psutil.Process(child.pid).environ()
    finally:
        child.kill()
    assert given["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert given["OMP_NUM_THREADS"] == given["MKL_NUM_THREADS"] == "3"
    assert not [name for name in given if name.startswith("QSTILL_")]
