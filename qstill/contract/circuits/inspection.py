"""What a worker is asked about circuits that it does not run: to estimate them, or to write one of them in a format.

A parser may not run in the API (a hostile text kills its process), so an inspection is a small job of the
questions' queue: waited for by the request that asked, and gone once it is answered.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from qstill.contract.circuits.job import CircuitJob, spec_of

Target = Literal["openqasm3", "openqasm2", "json", "svg", "text"]
NativeTarget = Literal["native_ms", "native_zz"]  # IonQ's native gates, by the one on two qubits


class Conversion(BaseModel):
    """index: which circuit of a batch, or which set of parameters of a sweep; None: the first, parameters left free.

    compiled: what the job's device makes of the circuit, instead of the circuit as submitted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: Target | NativeTarget
    index: int | None = None
    compiled: bool = False


class Inspection(BaseModel):
    """conversion: None for an estimate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job: CircuitJob
    conversion: Conversion | None = None

    def spec(self) -> dict[str, Any]:
        """As JSON for the ledger. What an estimate leaves to chance is seed 0's."""
        return {
            "job": {"seed": 0} | spec_of(self.job),
            "conversion": self.conversion and self.conversion.model_dump(mode="json"),
        }
