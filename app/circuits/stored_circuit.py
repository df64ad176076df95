"""One circuit of a finished job, as everything that reads its counts gets it."""

from dataclasses import dataclass

from qstill.contract.circuits.results.document import CircuitResults


@dataclass(frozen=True, kw_only=True)
class StoredCircuit:
    """What a circuit left behind, and which one of which job it is. name: the job's."""

    job_id: str
    index: int
    name: str | None
    results: CircuitResults
