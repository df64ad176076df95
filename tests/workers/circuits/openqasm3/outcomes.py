"""Running OpenQASM 3 as a job, and judging its counts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from scipy.stats import binomtest

from tests.testing.circuits.exact import LEVEL
from tests.testing.circuits.house import run_job

SHOTS = 4_000


def require_outcomes(source: str, expected: Mapping[str, float], *, shots: int = SHOTS, **job: Any) -> None:
    """Run a program and refuse counts that its distribution would not give in one of 10^9 runs.

    expected: probabilities of what registers hold, as in {"c=01 d=1": 0.5}. Registers that it does not name
    are ignored, and what it leaves out never happens. A register is written with its bit 0 at the right.
    """
    assert abs(sum(expected.values()) - 1) < 1e-9
    names = [part.partition("=")[0] for part in next(iter(expected)).split()]
    found = _counts(source, names, shots=shots, **job)
    for outcome, probability in expected.items():
        if probability in (0, 1):
            assert found[outcome] == shots * probability, found
        else:
            assert binomtest(found[outcome], shots, probability).pvalue > LEVEL, found
    assert set(found) <= set(expected), found


def _counts(source: str, names: list[str], *, shots: int, **job: Any) -> Counter[str]:
    (entry,), _ = run_job({"format": "openqasm3", "source": source}, shots=shots, **job)
    places = {register["name"]: register["clbits"] for register in entry["registers"]}
    found: Counter[str] = Counter()
    for key, count in entry["counts"].items():
        bits = key[::-1]
        found[" ".join(f"{name}=" + "".join(bits[clbit] for clbit in reversed(places[name])) for name in names)] += (
            count
        )
    return found
