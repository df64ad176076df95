"""Circuits with known answers: what a client may ask for, one model a template."""

from typing import Annotated

from pydantic import Field

from app.circuits.templates.algorithms import Grover, PhaseEstimation, Qft, QuantumVolume, RandomClifford, Shor15
from app.circuits.templates.chemistry import Vqe
from app.circuits.templates.finance import EuropeanCall, Portfolio, ValueAtRisk
from app.circuits.templates.optimisation import MaxCut, QuantumKernel
from app.circuits.templates.textbook import Bell, BernsteinVazirani, DeutschJozsa, Ghz, Superposition, Teleportation

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
