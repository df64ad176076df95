"""Circuits with known answers: from a template's parameters to the circuit to run and the answer its counts hold."""

from collections.abc import Callable

from qstill.contract.circuits.templates import Template
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
from workers.circuits.templates import algorithms, chemistry, finance, optimisation, textbook
from workers.circuits.templates.prepared import Prepared


def prepare(template: Template, *, seed: int, between: Callable[[], None]) -> Prepared:
    """Build the circuit, after any optimisation that it needs. The same seed gives the same circuit.

    between: called at every step of an optimisation; it may raise.
    """
    match template:
        case Bell():
            return textbook.bell(template)
        case Ghz():
            return textbook.ghz(template)
        case Superposition():
            return textbook.superposition(template)
        case Teleportation():
            return textbook.teleportation(template)
        case DeutschJozsa():
            return textbook.deutsch_jozsa(template, seed=seed)
        case BernsteinVazirani():
            return textbook.bernstein_vazirani(template)
        case Qft():
            return algorithms.qft(template)
        case PhaseEstimation():
            return algorithms.estimate_phase(template)
        case Grover():
            return algorithms.grover(template)
        case Shor15():
            return algorithms.shor_15(template)
        case QuantumVolume():
            return algorithms.volume(template, seed=seed)
        case RandomClifford():
            return algorithms.clifford(template, seed=seed)
        case Vqe():
            return chemistry.vqe(template, between=between)
        case Portfolio():
            return finance.portfolio(template, seed=seed, between=between)
        case ValueAtRisk():
            return finance.value_at_risk(template, seed=seed, between=between)
        case EuropeanCall():
            return finance.european_call(template, seed=seed, between=between)
        case MaxCut():
            return optimisation.maxcut(template, seed=seed, between=between)
        case QuantumKernel():
            return optimisation.kernel(template, seed=seed, between=between)
