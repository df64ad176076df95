"""Running one circuit of a job without a worker."""

from typing import Any

from qstill.contract.circuits.job import CircuitJob
from workers.circuits.program import Ask, Sample
from workers.circuits.read import Reading, read_all
from workers.circuits.route import simulate


def read(circuit: dict[str, Any], **job: Any) -> Reading:
    (reading,) = read_all(CircuitJob.model_validate({"circuit": circuit, "seed": 7} | job))
    return reading


def sample(
    circuit: dict[str, Any],
    *,
    shots: int = 1000,
    seed: int = 7,
    threads: int = 1,
    precision: str = "double",
    **job: Any,
) -> Sample:
    ask = Ask(shots=shots, seed=seed, threads=threads, probabilities="probabilities" in job.get("outputs", ()))
    found, _ = simulate(read(circuit, shots=shots, **job).routed, ask, precision=job.get("precision", "double"))
    return found
