"""The errors that noise is made of: channels on one or two qubits, and wrong readings."""

from operator import mul
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, FailFast, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from qstill.contract.schemas import Strict, refuse

TOLERANCE = 1e-6  # by which Kraus operators may miss completeness; numbers written with seven digits do
_SUM_TOLERANCE = 1e-9  # by which probabilities may add up to more than 1: decimals are not binary

Probability = Annotated[float, Field(ge=0, le=1)]
Microseconds = Annotated[float, Field(ge=1e-6, le=1e12)]  # from a picosecond to eleven days
Nanoseconds = Annotated[float, Field(ge=0, le=1e15)]


def _complex(value: Any) -> Any:
    if not isinstance(value, list):
        message = "A number is written [re, im], its real and its imaginary part: 0.5 is [0.5, 0]."
        raise PydanticCustomError("complex_number", "{reason}", {"reason": message})
    return value


Number = Annotated[
    list[Annotated[float, Field(ge=-1.01, le=1.01)]], Field(min_length=2, max_length=2), BeforeValidator(_complex)
]
Row = Annotated[list[Number], FailFast(), Field(min_length=2, max_length=4)]
Operator = Annotated[list[Row], FailFast(), Field(min_length=2, max_length=4)]
PauliLabel = Annotated[str, StringConstraints(pattern=r"^[IXYZ]{1,2}$")]
ReadoutRow = Annotated[list[Probability], Field(min_length=2, max_length=2)]
ReadoutMatrix = Annotated[list[ReadoutRow], Field(min_length=2, max_length=2)]


class Readout(Strict):
    """Wrong readings, the same for all qubits."""

    p01: Probability = Field(description="The probability that a qubit in 0 reads 1.", examples=[0.01])
    p10: Probability = Field(description="The probability that a qubit in 1 reads 0.", examples=[0.03])


class Depolarizing(Strict):
    """ρ → (1-p)ρ + p·I/d on all of the gate's qubits together."""

    kind: Literal["depolarizing"] = Field(
        description="The maximally mixed state of the gate's qubits, with this probability.", examples=["depolarizing"]
    )
    probability: Probability = Field(description="p; 1 leaves nothing of the state.", examples=[0.01])

    @property
    def qubits(self) -> int:
        """At least so many qubits must the gate have."""
        return 1


class PauliError(Strict):
    """One of some Pauli operators, each with its probability."""

    kind: Literal["pauli"] = Field(description="Pauli operators by their probability.", examples=["pauli"])
    terms: Annotated[dict[PauliLabel, Probability], Field(min_length=1, max_length=16)] = Field(
        description="Probability by Pauli string, all of one length; I takes what is left. Of two letters the "
        "rightmost acts on the gate's first qubit.",
        examples=[{"X": 0.01, "Z": 0.02}],
    )

    @property
    def qubits(self) -> int:
        """How many qubits it acts on."""
        return len(next(iter(self.terms)))

    @model_validator(mode="after")
    def _a_distribution(self) -> Self:
        for term in self.terms:
            if len(term) != self.qubits:
                refuse(("terms", term), "term_length", "All Pauli strings of an error have one length.", term)
        total = sum(self.terms.values())
        identity = "I" * self.qubits
        if total > 1 + _SUM_TOLERANCE or (identity in self.terms and total < 1 - _SUM_TOLERANCE):
            bound = "exactly 1, for I is among them" if identity in self.terms else "at most 1"
            message = f"The probabilities add up to {total:.10g}, and may to {bound}."
            refuse(("terms",), "not_a_distribution", message, None)
        return self


class AmplitudeDamping(Strict):
    """Decay of 1 to 0."""

    kind: Literal["amplitude_damping"] = Field(description="1 decays to 0.", examples=["amplitude_damping"])
    gamma: Probability = Field(description="γ: the probability that 1 decays.", examples=[0.05])

    @property
    def qubits(self) -> int:
        """How many qubits it acts on."""
        return 1


class PhaseDamping(Strict):
    """Loss of phase without loss of energy."""

    kind: Literal["phase_damping"] = Field(description="Coherences shrink by √(1-γ).", examples=["phase_damping"])
    gamma: Probability = Field(description="γ; 1 leaves no coherence.", examples=[0.05])

    @property
    def qubits(self) -> int:
        """How many qubits it acts on."""
        return 1


class Thermal(Strict):
    """Relaxation towards equilibrium, and dephasing, for some time."""

    kind: Literal["thermal"] = Field(description="Relaxation and dephasing for some time.", examples=["thermal"])
    t1: Microseconds = Field(description="Relaxation time T1, microseconds.", examples=[50.0])
    t2: Microseconds = Field(description="Dephasing time T2, microseconds; at most twice T1.", examples=[70.0])
    time: Nanoseconds = Field(description="How long it lasts, nanoseconds.", examples=[300.0])
    excited_population: Probability = Field(0.0, description="The share of 1 in equilibrium.", examples=[0.01])

    @property
    def qubits(self) -> int:
        """How many qubits it acts on."""
        return 1

    @model_validator(mode="after")
    def _physical(self) -> Self:
        check_relaxation(self.t1, self.t2)
        return self


class KrausError(Strict):
    """Any channel on one or two qubits: ρ → Σ K ρ K†."""

    kind: Literal["kraus"] = Field(description="Any channel, by its Kraus operators.", examples=["kraus"])
    operators: Annotated[list[Operator], FailFast(), Field(min_length=1, max_length=16)] = Field(
        description="Matrices K, (2, 2) or (4, 4), of numbers [re, im], with ΣK†K = 1 to within 10⁻⁶ (what is missing "
        "is made up). Of two qubits the gate's first is the low bit of an index.",
        examples=[[[[[1, 0], [0, 0]], [[0, 0], [0.8, 0]]], [[[0, 0], [0.6, 0]], [[0, 0], [0, 0]]]]],
    )

    @property
    def qubits(self) -> int:
        """How many qubits it acts on."""
        return len(self.operators[0]).bit_length() - 1

    @property
    def matrices(self) -> list[list[list[complex]]]:
        """The operators as complex numbers."""
        return [[[complex(*number) for number in row] for row in operator] for operator in self.operators]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        size = len(self.operators[0])
        for index, operator in enumerate(self.operators):
            if size == 3 or len(operator) != size or any(len(row) != size for row in operator):
                message = "All operators are matrices of one size, 2 by 2 or 4 by 4."
                refuse(("operators", index), "operator_shape", message, None)
        conjugates: list[list[complex]] = []
        for j in range(size):
            column = [complex(*row[j]) for operator in self.operators for row in operator]
            conjugates.append([number.conjugate() for number in column])
            for i in range(j + 1):  # ΣK†K is Hermitian
                entry = sum(map(mul, conjugates[i], column))
                if not abs(entry - (i == j)) <= TOLERANCE:  # an overflow is not within it either
                    message = f"ΣK†K is not 1: its entry ({i}, {j}) is {entry:.7g}."
                    refuse(("operators",), "not_complete", message, None)
        return self


GateError = Annotated[
    Depolarizing | PauliError | AmplitudeDamping | PhaseDamping | Thermal | KrausError, Field(discriminator="kind")
]


def check_relaxation(t1: float, t2: float) -> None:
    """Refuse a T2 that no channel has. t1, t2: microseconds."""
    if t2 > 2 * t1:
        refuse(("t2",), "unphysical", f"T2 is at most twice T1, here {2 * t1:g} µs.", t2)
