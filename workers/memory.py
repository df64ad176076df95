"""The memory that a process occupies: what it has for itself, without the pages of files that it has mapped.

Mapped pages are in the kernel's cache, which takes them back when memory is short; a job may map more than it may take.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

LOOK_SECONDS = 0.05  # between two looks at a process, each of some microseconds
OWN = ("RssAnon:", "RssShmem:")  # proc(5): not RssFile


def occupied(pid: int | None = None) -> int:
    """Bytes that a process occupies now, this one by default; 0 once it is gone. Where the system does not tell files
    apart they are counted.
    """
    try:
        status = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="utf-8", errors="replace")
        return sum(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(OWN))
    except OSError:
        pass
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


class Peak:
    """bytes: the most that this process was seen to occupy while it was watched."""

    def __init__(self) -> None:
        self.bytes = occupied()

    def look(self) -> None:
        """Look now."""
        self.bytes = max(self.bytes, occupied())


@contextlib.contextmanager
def watched() -> Iterator[Peak]:
    """Look at this process again and again, from a thread of its own."""
    peak, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            peak.look()

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    _running.append(peak)
    try:
        yield peak
    finally:
        _running.remove(peak)
        ended.set()
        thread.join()
        peak.look()


def peak_memory() -> int:
    """The most that this process has occupied since it is watched; what it occupies now where it is not."""
    peak = _running[-1] if _running else Peak()
    peak.look()
    return peak.bytes


_running: list[Peak] = []
