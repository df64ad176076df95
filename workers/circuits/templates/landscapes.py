"""The templates that search for angles, before they search: their circuit, what they minimise, where they begin.

    landscape(MaxCut(name="maxcut", layers=1)).circuit.parameters   # beta0, gamma0

The angles are those of the template's answer: QAOA's in its `beta` and `gamma`, VQE's in the order of its `angles`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

from qstill.contract.circuits.templates import Template
from qstill.contract.circuits.templates.angles import angles_of
from qstill.contract.circuits.templates.chemistry import Vqe
from qstill.contract.circuits.templates.finance import Portfolio
from qstill.contract.circuits.templates.optimisation import MaxCut
from workers.circuits.templates.chemistry import EQUILIBRIUM
from workers.circuits.templates.finance import portfolio_problem
from workers.circuits.templates.integrals import integrals
from workers.circuits.templates.molecules import excitations, hamiltonian
from workers.circuits.templates.optimisation import cut_problem
from workers.circuits.templates.qaoa import Problem, schedule

LEAST = 1e-10  # of a coefficient


@dataclass(frozen=True, slots=True)
class Landscape:
    """cost: its mean is what the template minimises. start: in the order of the circuit's parameters.

    frequencies: the highest of every angle, of unit 1, where the gates one by one would say too many; None: ask them.
    """

    circuit: QuantumCircuit
    cost: SparsePauliOp
    start: NDArray[np.float64]
    frequencies: int | None


def landscape(template: Template) -> Landscape | None:
    """None of a template that searches for no angles."""
    match template:
        case MaxCut():
            return _qaoa(template, cut_problem(template), template.layers)
        case Portfolio():
            return _qaoa(template, portfolio_problem(template), template.layers)
        case Vqe():
            return _coupled_cluster(template)
        case _:
            return None


def _qaoa(template: Template, problem: Problem, layers: int) -> Landscape:
    own = problem.operator()
    constant = float(problem.costs[0] - own.coeffs.real.sum())  # all of its strings are 1 on |0…0⟩
    cost = own + SparsePauliOp("I" * problem.qubits, constant)
    names = [Parameter(name) for name in angles_of(template)]
    return Landscape(problem.ansatz(layers).assign_parameters(names), _tidy(cost), schedule(layers), None)


def _coupled_cluster(template: Vqe) -> Landscape:
    """An excitation turns three levels, -1, 0 and 1: its frequencies are 1 and 2, whatever gates make it."""
    wanted = EQUILIBRIUM[template.molecule] if template.bond_length is None else template.bond_length
    molecule = next(each for each in integrals(template.molecule) if each.bond_length == wanted)
    orbitals = len(molecule.one)
    circuit = QuantumCircuit(2 * orbitals)
    circuit.x((0, orbitals))
    pool = excitations(orbitals)
    for excitation, name in zip(pool, angles_of(template), strict=True):
        circuit.append(PauliEvolutionGate(excitation.hermitian(), time=Parameter(name)), circuit.qubits)
    return Landscape(circuit, _tidy(SparsePauliOp.from_operator(hamiltonian(molecule))), np.zeros(len(pool)), 2)


def _tidy(operator: SparsePauliOp) -> SparsePauliOp:
    return operator.simplify(atol=LEAST)
