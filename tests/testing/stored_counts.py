"""Stored counts for tests, and those that Hypothesis draws."""

from typing import Any

from hypothesis import strategies as st

from app.circuits.stored_circuit import StoredCircuit
from qstill.contract.circuits.results.answers import ComparisonView
from qstill.contract.circuits.results.document import CircuitResults

JOB = f"job_{'0' * 32}"


@st.composite
def histograms(draw: st.DrawFn, width: int | None = None) -> dict[str, int]:
    """Counts by little-endian keys of one width."""
    width = draw(st.integers(1, 8)) if width is None else width
    keys = st.text("01", min_size=width, max_size=width)
    return draw(st.dictionaries(keys, st.integers(1, 10_000), min_size=1, max_size=80))


def results(counts: dict[str, int], **more: Any) -> CircuitResults:
    """What a circuit with these counts leaves behind."""
    clbits = len(next(iter(counts)))
    left: Any = {
        "shots": sum(counts.values()),
        "seed": 7,
        "clbits": clbits,
        "registers": [{"name": "meas", "clbits": list(range(clbits))}],
        "method": "statevector",
        "counts": counts,
    }
    found: CircuitResults = left | more
    return found


def store(counts: dict[str, int], *, name: str | None = None, **more: Any) -> StoredCircuit:
    return StoredCircuit(job_id=JOB, index=0, name=name, results=results(counts, **more))


def shorn(comparison: ComparisonView) -> ComparisonView:
    """The comparison without its outcomes."""
    return comparison.model_copy(update={"outcomes": [], "other": None})
