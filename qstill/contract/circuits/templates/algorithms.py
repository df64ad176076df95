"""The algorithms that made the field, and two circuits drawn at random that test a machine."""

from math import log2
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from qstill.contract.circuits.templates.textbook import MAX_CLIFFORD_QUBITS
from qstill.contract.schemas import Strict, refuse

MAX_REGISTER = 10  # qubits; theory is computed for each of the 2^n outcomes
MAX_VOLUME_QUBITS = 12  # as above, and the depth is as large
MAX_MARKED = 16
MAX_GROVER_ITERATIONS = 100  # four times the best number for one state of 2^10

BitString = Annotated[str, StringConstraints(pattern=r"^[01]+$", min_length=2, max_length=MAX_REGISTER)]


class Qft(Strict):
    """The quantum Fourier transform of a periodic state: Σ_j |offset + j·period⟩."""

    name: Literal["qft"] = Field(description="The quantum Fourier transform.", examples=["qft"])
    qubits: int = Field(4, ge=2, le=MAX_REGISTER, description="How many qubits; the period lies in 2^n.", examples=[4])
    period: int = Field(
        4, ge=1, le=2 ** (MAX_REGISTER - 1), description="Distance of neighbours, at most 2^qubits / 2.", examples=[4]
    )
    offset: int = Field(
        0,
        ge=0,
        lt=2 ** (MAX_REGISTER - 1),
        description="The first basis state, below the period. It changes phases only.",
        examples=[1],
    )

    @model_validator(mode="after")
    def _repeats(self) -> Self:
        if 2 * self.period > 1 << self.qubits:
            largest = (1 << self.qubits) // 2
            refuse(("period",), "too_long", f"With {self.qubits} qubits a period is at most {largest}.", self.period)
        if self.offset >= self.period:
            refuse(("offset",), "too_large", f"The offset must be below the period, {self.period}.", self.offset)
        return self


class PhaseEstimation(Strict):
    """Read the phase φ of an eigenvalue e^2πiφ into a register."""

    name: Literal["phase_estimation"] = Field(description="Estimate a phase.", examples=["phase_estimation"])
    phase: float = Field(0.3, ge=0, lt=1, description="φ, in turns; the gate is diag(1, e^2πiφ).", examples=[0.3])
    qubits: int = Field(
        5, ge=2, le=MAX_REGISTER, description="Qubits of the register: the resolution is 2^-qubits.", examples=[5]
    )


class Grover(Strict):
    """Search for marked bit strings."""

    name: Literal["grover"] = Field(description="Grover's search.", examples=["grover"])
    marked: list[BitString] = Field(
        ["10110"],
        min_length=1,
        max_length=MAX_MARKED,
        description="The strings to be found, as the counts' keys will show them: of one length, and at most a quarter "
        "of all strings of that length.",
        examples=[["10110"]],
    )
    iterations: int | None = Field(
        None,
        ge=0,
        le=MAX_GROVER_ITERATIONS,
        description="Grover iterations; null: the number that is most likely to find one. More is worse again.",
        examples=[4],
    )

    @model_validator(mode="after")
    def _a_search(self) -> Self:
        length = len(self.marked[0])
        for index, string in enumerate(self.marked):
            if len(string) != length:
                refuse(("marked", index), "length_differs", f"This string must have {length} bits, too.", string)
            if string in self.marked[:index]:
                refuse(("marked", index), "repeated", "This string is marked twice.", string)
        if 4 * len(self.marked) > 1 << length:
            enough = int(log2(4 * len(self.marked) - 1)) + 1
            reason = f"More than a quarter of all strings is marked; with {enough} bits it would be a search."
            refuse(("marked",), "too_many_marked", reason, len(self.marked))
        return self


class Shor15(Strict):
    """Factor 15 by the order of a modulo 15."""

    name: Literal["shor_15"] = Field(description="Shor's algorithm for 15.", examples=["shor_15"])
    a: Literal[2, 4, 7, 8, 11, 13, 14] = Field(
        7, description="The base, coprime to 15. 14 is the unlucky one: its order is of no use.", examples=[7]
    )
    counting_qubits: int = Field(
        8, ge=3, le=MAX_REGISTER, description="Qubits of the register that the order is read from.", examples=[8]
    )


class QuantumVolume(Strict):
    """One model circuit of the quantum volume test."""

    name: Literal["quantum_volume"] = Field(description="A quantum volume circuit.", examples=["quantum_volume"])
    qubits: int = Field(
        5, ge=2, le=MAX_VOLUME_QUBITS, description="Width and depth of the circuit; the seed draws it.", examples=[5]
    )


class RandomClifford(Strict):
    """A random Clifford circuit, a random Pauli, and the circuit backwards."""

    name: Literal["random_clifford"] = Field(description="A mirrored Clifford circuit.", examples=["random_clifford"])
    qubits: int = Field(
        5, ge=1, le=MAX_CLIFFORD_QUBITS // 2, description="How many qubits; the seed draws the circuit.", examples=[5]
    )
