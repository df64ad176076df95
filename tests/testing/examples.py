"""How many examples a law is tried with: a quarter of what it names, and all of them in `make test-slow`."""

import os

ALL = "QSTILL_ALL_EXAMPLES"
LEAST = 5


def examples(count: int) -> int:
    return count if os.environ.get(ALL) else max(LEAST, count // 4)
