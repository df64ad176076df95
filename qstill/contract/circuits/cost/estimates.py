"""What can be said of a circuit job without running it."""

from typing import Literal

from pydantic import Field

from qstill.contract.circuits.job import CompiledView
from qstill.contract.schemas import View


class MethodEstimate(View):
    """One way to simulate a circuit, and what it would take."""

    method: str = Field(description="The method, as `method` of a job names it.", examples=["statevector"])
    can: bool = Field(description="Whether it can run this circuit here.", examples=[True])
    why: str | None = Field(description="What it would do; null if it cannot.", examples=["2 active qubits"])
    why_not: str | None = Field(description="Why it cannot; null if it can.", examples=[None])
    memory_bytes: int | None = Field(description="Memory for states; null: more than 2^63 bytes.", examples=[64])
    predicted_seconds: float = Field(description="Seconds of one core, for all runs of the circuit.", examples=[0.003])


class CircuitEstimate(View):
    """One circuit of a job."""

    runs: int = Field(description="1, or how many sets of parameters a sweep has.", examples=[1])
    qubits: int = Field(description="Qubits of the circuit, idle ones included.", examples=[2])
    active_qubits: int = Field(description="Qubits that a gate touches: only these cost anything.", examples=[2])
    clbits: int = Field(description="Characters of a key.", examples=[2])
    operations: int = Field(
        description="Gates with loops, broadcasts and definitions written out, after compiling for a device.",
        examples=[2],
    )
    two_qubit_gates: int = Field(description="Those of them on two qubits or more.", examples=[1])
    depth: int = Field(description="Layers of the circuit as submitted.", examples=[3])
    gate_counts: dict[str, int] = Field(
        description="Operations by name, as Qiskit names them; of a sweep whose circuits differ, the first one's.",
        examples=[{"h": 1, "cx": 1, "measure": 2}],
    )
    dynamic: bool = Field(description="Whether a measurement or a reset decides what happens next.", examples=[False])
    noisy_locations: int = Field(description="Places where noise can act.", examples=[0])
    compiled: CompiledView | None = Field(description="What compiling changes; null without a `device`.")
    method: str = Field(description="The method that would be taken.", examples=["stabilizer"])
    why: str = Field(description="Why this method.", examples=["2 active qubits, all gates Clifford"])
    memory_bytes: int | None = Field(description="Memory that its states take.", examples=[6])
    predicted_seconds: float = Field(description="Seconds of one core that it would take.", examples=[0.003])
    methods: list[MethodEstimate] = Field(description="All methods, those that cannot with the reason.")


class Calibration(View):
    """How well the predictions for past jobs of this service held."""

    jobs: int = Field(description="How many of the last jobs were looked at.", examples=[300])
    median_ratio: float | None = Field(
        description="The median of measured by predicted seconds; null if there were too few jobs.", examples=[0.9]
    )
    low: float = Field(description="The ratio that 5% of the jobs stayed below.", examples=[0.5])
    high: float = Field(description="The ratio that 5% of the jobs exceeded.", examples=[2.1])
    basis: Literal["history", "default"] = Field(
        description="`default`: with fewer than 20 jobs, a factor of 3 to both sides is assumed.", examples=["history"]
    )


class Findings(View):
    """What a worker says of a job's circuits."""

    circuits: list[CircuitEstimate] = Field(description="In the job's order; a sweep has one circuit.")
    predicted_seconds: float = Field(
        description="Simulating all of it, on one core; waiting and parsing not included.", examples=[0.003]
    )


class Estimate(Findings):
    """What a job would take."""

    object: Literal["estimate"] = Field("estimate", description="What this is.")
    low_seconds: float = Field(description="The lower end of the 90% interval, from `calibration`.", examples=[0.0015])
    high_seconds: float = Field(description="The upper end of the 90% interval.", examples=[0.0063])
    calibration: Calibration = Field(description="What the interval rests on.")
