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


def test_a_childs_folder_is_emptied_after_an_attempt_and_gone_with_the_child() -> None:
    child = Child(Engine.DISTILLATION, threads=1)
    try:
        folder = child.scratch
        assert folder.stat().st_mode & 0o077 == 0  # nobody else's
        (folder / "state").write_text("of an attempt")
        (folder / "below").mkdir()
        (folder / "below" / "more").write_text("of an attempt")
        (folder / "link").symlink_to(folder / "below")
        child.tidy()
        assert list(folder.iterdir()) == []
        assert child.scratch == folder
    finally:
        child.kill()
    assert not folder.exists()
