"""All benchmarks, one after another, and one table. The exit status is 1 when a goal is missed.

python -m benchmarks                    # all: half an hour
python -m benchmarks circuits           # those of circuits; also service, or the name of one
"""

import sys
import time
from types import ModuleType

from benchmarks import accept, bell, burst, claims, door, read, start, startup
from benchmarks.circuits import (
    batch,
    bell_shots,
    dynamic,
    fourier,
    ghz,
    ionq,
    ising,
    layered,
    noisy,
    openqasm3,
    predictions,
    single,
    sweep,
    teleports,
    throughput,
    translation,
    uniform,
)
from benchmarks.distillation import (
    cache_bytes,
    cached_cost,
    more_than_memory,
    said_times,
    sentence_transformers,
    stacked,
    textbook,
    torchdistill,
)
from benchmarks.quantum import minimum, rivals, shorten, step, surrogate
from benchmarks.report import report

GROUPS: dict[str, tuple[ModuleType, ...]] = {
    "service": (startup, accept, read, door, start, bell, ionq, throughput, claims, burst),
    "distillation": (
        stacked,
        textbook,
        cached_cost,
        cache_bytes,
        more_than_memory,
        said_times,
        torchdistill,
        sentence_transformers,
    ),
    "quantum": (step, rivals, surrogate, minimum, shorten),
    "circuits": (
        translation,
        openqasm3,
        bell_shots,
        uniform,
        ghz,
        batch,
        noisy,
        dynamic,
        teleports,
        sweep,
        ising,
        fourier,
        layered,
        single,
        predictions,
    ),
}


def main(names: list[str]) -> int:
    lines = []
    for benchmark in _named(names or list(GROUPS)):
        began = time.monotonic()
        lines += benchmark.measure()
        print(f"{benchmark.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return report(lines)


def _named(names: list[str]) -> list[ModuleType]:
    by_name = {benchmark.__name__.rpartition(".")[2]: benchmark for group in GROUPS.values() for benchmark in group}
    unknown = [name for name in names if name not in GROUPS and name not in by_name]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}. There are: {', '.join((*GROUPS, *by_name))}.")
    return [benchmark for name in names for benchmark in GROUPS.get(name, (by_name.get(name),)) if benchmark]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
