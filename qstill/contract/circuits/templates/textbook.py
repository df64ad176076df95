"""The circuits of a first course: entanglement, teleportation, and the two oldest oracles."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from qstill.contract.schemas import Strict

MAX_CLIFFORD_QUBITS = 100  # of circuits that a stabilizer simulator runs; the statevector's memory says no much earlier
MAX_STATES = 4_096  # outcomes of equal probability that a histogram still shows
MAX_ORACLE_QUBITS = 8  # an oracle drawn at random has one phase for each of its 2^n inputs

Radians = Annotated[float, Field(ge=-10, le=10)]


class Bell(Strict):
    """One of the four Bell states, both qubits measured in the same basis."""

    name: Literal["bell"] = Field(description="A Bell pair.", examples=["bell"])
    state: Literal["phi_plus", "phi_minus", "psi_plus", "psi_minus"] = Field(
        "phi_plus", description="Φ± = (|00⟩ ± |11⟩)/√2, Ψ± = (|01⟩ ± |10⟩)/√2.", examples=["psi_minus"]
    )
    basis: Literal["x", "y", "z"] = Field("z", description="The basis both qubits are measured in.", examples=["x"])


class Ghz(Strict):
    """The Greenberger-Horne-Zeilinger state (|0…0⟩ + |1…1⟩)/√2."""

    name: Literal["ghz"] = Field(description="A GHZ state.", examples=["ghz"])
    qubits: int = Field(3, ge=2, le=MAX_CLIFFORD_QUBITS, description="How many qubits.", examples=[5])


class Superposition(Strict):
    """The uniform superposition of the basis states 0, 1, …, states - 1."""

    name: Literal["superposition"] = Field(description="A uniform superposition.", examples=["superposition"])
    states: int = Field(
        6, ge=2, le=MAX_STATES, description="How many basis states; not only powers of two.", examples=[6]
    )


class Teleportation(Strict):
    """The state cos(θ/2)|0⟩ + e^iφ sin(θ/2)|1⟩ moved from the first qubit to the third by two classical bits."""

    name: Literal["teleportation"] = Field(description="Teleport one qubit.", examples=["teleportation"])
    theta: Radians = Field(1.0, description="θ: the state's polar angle, radians.", examples=[1.0])
    phi: Radians = Field(0.5, description="φ: the state's azimuth, radians.", examples=[0.5])


class DeutschJozsa(Strict):
    """Tell a constant function from a balanced one with a single query."""

    name: Literal["deutsch_jozsa"] = Field(description="Constant or balanced?", examples=["deutsch_jozsa"])
    qubits: int = Field(4, ge=1, le=MAX_ORACLE_QUBITS, description="Bits that the function reads.", examples=[4])
    function: Literal["constant", "balanced"] = Field(
        "balanced", description="Which kind; the seed draws the function itself.", examples=["balanced"]
    )


class BernsteinVazirani(Strict):
    """Find the bits s of f(x) = s·x mod 2 with a single query."""

    name: Literal["bernstein_vazirani"] = Field(description="Find a hidden string.", examples=["bernstein_vazirani"])
    secret: Annotated[str, StringConstraints(pattern=r"^[01]+$", max_length=MAX_CLIFFORD_QUBITS - 1)] = Field(
        "1011", description="s, as the counts' keys will show it: bit 0 is the rightmost.", examples=["1011"]
    )
