"""Stored counts for tests, and those that Hypothesis draws."""

from typing import Any

from hypothesis import strategies as st

from app.circuits.counts import StoredCounts
from qstill.contract.circuits.results.views import ComparisonView, Register

JOB = f"job_{'0' * 32}"


@st.composite
def histograms(draw: st.DrawFn, width: int | None = None) -> dict[str, int]:
    """Counts by little-endian keys of one width."""
    width = draw(st.integers(1, 8)) if width is None else width
    keys = st.text("01", min_size=width, max_size=width)
    return draw(st.dictionaries(keys, st.integers(1, 10_000), min_size=1, max_size=80))


def store(counts: dict[str, int], **more: Any) -> StoredCounts:
    clbits = len(next(iter(counts)))
    about = {
        "job_id": JOB,
        "index": 0,
        "name": None,
        "shots": sum(counts.values()),
        "clbits": clbits,
        "registers": [Register(name="c", clbits=list(range(clbits)))],
        "counts": counts,
    }
    return StoredCounts(**about | more)


def shorn(comparison: ComparisonView) -> ComparisonView:
    """The comparison without its outcomes."""
    return comparison.model_copy(update={"outcomes": [], "other": None})
