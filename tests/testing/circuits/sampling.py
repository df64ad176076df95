"""Running one circuit of a job without a worker."""

from typing import Any

from qstill.contract.circuits.job import CircuitJob
from workers.circuits.planning import PlannedCircuit, plan_circuits
from workers.circuits.program import Ask, Sample
from workers.circuits.route import simulate


def read(circuit: dict[str, Any], **job: Any) -> PlannedCircuit:
    (planned,) = plan_circuits(CircuitJob.model_validate({"circuit": circuit, "seed": 7} | job))
    return planned


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
