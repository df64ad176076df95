"""What the choice of a method has to know about a template's circuit, without building it: the front door's view.

Qubits and bits are exact. A gate is said not to be Clifford only where one certainly is among them. Gates are taken to
be one for each qubit: nothing is refused for how many there are. The workers count on the circuit itself.
"""

from math import ceil, log2

from qstill.contract.circuits.noise.model import CustomNoise, not_pauli
from qstill.contract.circuits.profile import Profile
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

_WORK_QUBITS = 4  # of Shor's algorithm for 15
_MOLECULE_QUBITS = {"h2": 4, "lih": 6}


def profile_of(template: Template, *, rules: CustomNoise | None = None) -> Profile:
    """rules: the noise."""
    qubits, clbits = size_of(template)
    feedback = isinstance(template, Teleportation)
    return Profile(
        qubits=qubits,
        clbits=clbits,
        operations=qubits,
        two_qubit=0,
        not_clifford=f"a gate of the template {template.name}" if _is_certainly_not_clifford(template) else None,
        dynamic=feedback,
        conditional=feedback,
        branchings=2 if feedback else 0,
        bond_bits=1 if isinstance(template, Ghz) else qubits,
        locations=qubits if rules is not None and (rules.gates or rules.readout) else 0,
        not_pauli=None if rules is None else not_pauli(rules),
    )


def size_of(template: Template) -> tuple[int, int]:
    """Qubits and classical bits."""
    match template:
        case Bell():
            return 2, 2
        case Superposition():
            return (wide := ceil(log2(template.states))), wide
        case Teleportation():
            return 3, 3
        case BernsteinVazirani():
            return len(template.secret) + 1, len(template.secret)
        case PhaseEstimation():
            return template.qubits + 1, template.qubits
        case Grover():
            return (wide := len(template.marked[0])), wide
        case Shor15():
            return template.counting_qubits + _WORK_QUBITS, template.counting_qubits
        case Vqe():
            return (wide := _MOLECULE_QUBITS[template.molecule]), wide
        case Portfolio():
            return (wide := len(template.expected_returns)), wide
        case ValueAtRisk() | EuropeanCall():
            return template.qubits + 1, template.qubits + 1  # the last one says good
        case MaxCut():
            return (wide := 1 + max(node for edge in template.edges for node in edge.nodes)), wide
        case QuantumKernel():
            return template.features, template.features
        case Ghz() | DeutschJozsa() | Qft() | QuantumVolume() | RandomClifford():
            return template.qubits, template.qubits


def _is_certainly_not_clifford(template: Template) -> bool:
    match template:
        case Qft() | PhaseEstimation():
            return template.qubits >= 3  # the transform then turns a phase by an eighth
        case Shor15() | QuantumVolume() | ValueAtRisk() | EuropeanCall():
            return True
        case _:
            return False
