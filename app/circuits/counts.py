"""The counts of one circuit, as everything that reads them gets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qstill.contract.circuits.results.views import Register


@dataclass(frozen=True, kw_only=True)
class StoredCounts:
    """The counts of one circuit of a job, with little-endian keys. Distributions are there where they were asked for.

    binding: of a sweep's circuit, the values of its parameters. probabilities: exact, noise included. ideal: exact,
    without noise. memory: the key of each shot in turn.
    """

    job_id: str
    index: int
    name: str | None
    shots: int
    clbits: int
    registers: Sequence[Register]
    counts: Mapping[str, int]
    binding: Mapping[str, float] | None = None
    probabilities: Mapping[str, float] | None = None
    ideal: Mapping[str, float] | None = None
    memory: Sequence[str] | None = None
