"""All benchmarks, one after another, and one table. The exit status is 1 when a goal is missed."""

import sys
import time

from benchmarks import accept, bell, read, start, startup
from benchmarks.circuits import ionq
from benchmarks.report import report

BENCHMARKS = (startup, accept, read, start, bell, ionq)


def main() -> int:
    lines = []
    for benchmark in BENCHMARKS:
        began = time.monotonic()
        lines += benchmark.measure()
        print(f"{benchmark.__name__}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return report(lines)


if __name__ == "__main__":
    sys.exit(main())
