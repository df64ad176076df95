"""Starting the API: a process that imports neither torch nor qiskit nor numpy, against the same one that does.

From exec to the first 200 of /livez, on a migrated folder. `python -m benchmarks.startup`
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks.client import Client
from benchmarks.report import Line, report
from benchmarks.servers import ROOT, migrated_folder, serve_api

GOAL_SECONDS = 1.5  # wall
GOAL_CPU_SECONDS = 1.5  # what it costs where cores are shared
GOAL_MEGABYTES = 150  # resident memory at its highest
GOAL_MODULES = 0

ROUNDS = 5
HEAVY = ("torch", "qiskit", "numpy")
MODULES = {"ours": "app.cli.main", "plain": "benchmarks.plain.heavy"}


@dataclass(frozen=True, kw_only=True)
class Start:
    seconds: float
    cpu_seconds: float
    megabytes: float


def measure() -> list[Line]:
    found: dict[str, list[Start]] = {side: [] for side in MODULES}
    with migrated_folder() as folder:
        for module in MODULES.values():
            _start(folder, module)  # its files come from the disk this time
        for _ in range(ROUNDS):
            for side, module in MODULES.items():
                found[side].append(_start(folder, module))
    imported = {
        "ours": _heavy_modules("from app.main import create_app; create_app()"),
        "plain": _heavy_modules("import benchmarks.plain.heavy; from app.main import create_app; create_app()"),
    }
    figures = (
        ("API start, exec to the first answer", "seconds", "s", GOAL_SECONDS),
        ("API start, CPU", "cpu_seconds", "s", GOAL_CPU_SECONDS),
        ("API start, peak memory", "megabytes", "MB", GOAL_MEGABYTES),
    )
    lines = []
    for claim, figure, unit, goal in figures:
        ours, plain = (median(getattr(start, figure) for start in found[side]) for side in MODULES)
        lines.append(Line(claim=claim, ours=ours, plain=plain, unit=unit, goal=goal, better="less"))
    loaded = Line(
        claim=f"API imports of {', '.join(HEAVY)}",
        ours=len(imported["ours"]),
        plain=len(imported["plain"]),
        unit="of 3",
        goal=GOAL_MODULES,
        better="less",
    )
    return [*lines, loaded]


def _start(folder: Path, module: str) -> Start:
    start = time.perf_counter()
    with serve_api(folder, module) as server:
        seconds = time.perf_counter() - start
        process = psutil.Process(server.process.pid)
        times = process.cpu_times()
        assert Client(server.port).get("/readyz")["status"] == "ok"
        return Start(seconds=seconds, cpu_seconds=times.user + times.system, megabytes=_peak_memory(process.pid) / 1e6)


def _peak_memory(pid: int) -> int:
    """Bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def _heavy_modules(statements: str) -> list[str]:
    """Which of the heavy modules a process has imported after the statements."""
    program = f"{statements}; import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.split()


if __name__ == "__main__":
    sys.exit(report(measure()))
