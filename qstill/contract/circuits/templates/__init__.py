"""Circuits with known answers: what a client may ask for, one model a template."""

from typing import Annotated

from pydantic import Field

from qstill.contract.circuits.templates.algorithms import (
    Grover,
    PhaseEstimation,
    Qft,
    QuantumVolume,
    RandomClifford,
    Shor15,
)
from qstill.contract.circuits.templates.chemistry import Vqe
from qstill.contract.circuits.templates.finance import EuropeanCall, Portfolio, ValueAtRisk
from qstill.contract.circuits.templates.optimisation import MaxCut, QuantumKernel
from qstill.contract.circuits.templates.textbook import (
    Bell,
    BernsteinVazirani,
    DeutschJozsa,
    Ghz,
    Superposition,
    Teleportation,
)

Template = Annotated[
    Bell
    | Ghz
    | Superposition
    | Teleportation
    | DeutschJozsa
    | BernsteinVazirani
    | Qft
    | PhaseEstimation
    | Grover
    | Shor15
    | QuantumVolume
    | RandomClifford
    | Vqe
    | Portfolio
    | ValueAtRisk
    | EuropeanCall
    | MaxCut
    | QuantumKernel,
    Field(discriminator="name"),
]
