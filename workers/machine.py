"""What a job's process took and what it ran on: peak memory and versions."""

import platform
import resource
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("qstill", "qiskit", "qiskit-aer", "stim", "qsimcirq", "numpy")


@lru_cache(1)
def versions() -> dict[str, str]:
    """Of Python and of the packages that compute, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # qsim is optional
            continue
    return found


def forget_peak_memory() -> None:
    """Start the kernel's high-water mark anew; a warm process would report an earlier job's."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # not Linux, or not allowed: the mark stays that of the whole process


def peak_memory() -> int:
    """Bytes of resident memory at the highest, since it was last forgotten."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
