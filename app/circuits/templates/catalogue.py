"""What every template is, for people: in the order of a course."""

from functools import lru_cache
from typing import get_args

from pydantic import BaseModel, JsonValue

from qstill.contract.answers.templates import TemplateView
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

NIELSEN_CHUANG = "Nielsen and Chuang, Quantum Computation and Quantum Information"


@lru_cache(1)
def catalogue() -> list[TemplateView]:
    """All templates."""
    return [*_textbook(), *_algorithms(), *_applications()]


def _view(
    model: type[BaseModel],
    *,
    title: str,
    explanation: str,
    reference: str,
    known_answer: str,
    shots: int = 1000,
    **example: JsonValue,
) -> TemplateView:
    """example: the parameters of the example body, beside the name."""
    (name,) = get_args(model.model_fields["name"].annotation)
    return TemplateView(
        name=name,
        title=title,
        explanation=explanation,
        reference=reference,
        known_answer=known_answer,
        parameters=model.model_json_schema(),
        example={
            "circuit": {"format": "template", "template": {"name": name, **example}},
            "shots": shots,
            "seed": 7,
            "name": name,
        },
    )


def _textbook() -> list[TemplateView]:
    return [
        _view(
            Bell,
            title="Bell pair",
            explanation="Two qubits in a vector of four amplitudes that is no tensor product of two vectors: each "
            "qubit alone reads 0 or 1 like a coin, yet the two readings are always the same, or always different. A "
            "Hadamard makes the coin, a controlled-NOT copies its side. The four Bell states form an orthonormal "
            "basis; which of them it is shows in the signs of the correlations XX, YY and ZZ.",
            reference=f"Bell 1964, Physics 1, 195; {NIELSEN_CHUANG}, section 1.3.6",
            known_answer="The correlation of the two qubits is +1 or -1 exactly, and each allowed outcome has "
            "probability one half.",
            state="phi_plus",
            basis="z",
        ),
        _view(
            Ghz,
            title="Greenberger-Horne-Zeilinger state",
            explanation="The equal sum of the all-zero and the all-one basis vector. A Hadamard makes a coin of the "
            "first qubit, a chain of controlled-NOTs copies it along. Any one qubit lost leaves no entanglement at "
            "all, which makes the state a hard test of a machine: every error anywhere shows.",
            reference="Greenberger, Horne, Zeilinger 1989, arXiv:0712.0921",
            known_answer="All zeros and all ones, one half each, and nothing else.",
            qubits=5,
        ),
        _view(
            Superposition,
            title="Uniform superposition",
            explanation="The vector with the same amplitude 1/√M on the first M basis states. For a power of two that "
            "is one Hadamard on each qubit; for any other M, rotations split off one binary digit of M after the "
            "other.",
            reference="Shukla and Vedula 2024, arXiv:2306.11747",
            known_answer="Each of the M states with probability 1/M, and no other state.",
            states=6,
        ),
        _view(
            Teleportation,
            title="Quantum teleportation",
            explanation="An unknown vector of two amplitudes moves to another qubit without a gate between the two. "
            "Sender and receiver share a Bell pair; the sender measures her two qubits in the Bell basis, and the two "
            "bits she reads say which of I, X, Z, ZX the receiver has to undo. The circuit measures in the middle and "
            "acts on what it read. At the end the prepared rotation is undone, so that a faithful copy reads 0.",
            reference="Bennett and others 1993, Phys. Rev. Lett. 70, 1895; doi:10.1103/PhysRevLett.70.1895",
            known_answer="The state arrives in every shot, and all four pairs of bits are equally probable.",
            theta=1.0,
            phi=0.5,
        ),
        _view(
            DeutschJozsa,
            title="Deutsch and Jozsa's algorithm",
            explanation="A function of n bits is promised to be constant or to be 1 for exactly half of all inputs. "
            "The function's signs (-1)^f(x) multiply a uniform superposition; the Hadamard transform then puts their "
            "sum, divided by 2^n, on the basis state 0: ±1 if constant, 0 if balanced. One query decides what takes "
            "2^(n-1) + 1 queries classically in the worst case.",
            reference="Deutsch and Jozsa 1992, doi:10.1098/rspa.1992.0167; " + NIELSEN_CHUANG + ", section 1.4.4",
            known_answer="0 in every shot if constant, in none if balanced; the other outcomes follow the function's "
            "Walsh-Hadamard transform.",
            qubits=4,
            function="balanced",
        ),
        _view(
            BernsteinVazirani,
            title="Bernstein and Vazirani's algorithm",
            explanation="The function f(x) = s·x mod 2 hides the bits s. Its signs (-1)^(s·x) are a row of the "
            "Hadamard matrix, and the Hadamard transform turns that row into the basis state s: one query shows all "
            "bits, where n queries are needed classically.",
            reference="Bernstein and Vazirani 1997, doi:10.1137/S0097539796300921",
            known_answer="The hidden string, in every shot.",
            secret="1011",  # noqa: S106  # no password
        ),
    ]


def _algorithms() -> list[TemplateView]:
    return [
        _view(
            Qft,
            title="Quantum Fourier transform",
            explanation="The unitary discrete Fourier transform of 2^n amplitudes, in about n²/2 gates instead of the "
            "n·2^n steps of the fast Fourier transform; but only samples of the result can be read. Here it acts on a "
            "state that repeats with a period. Where the state starts moves phases only, so the peaks stand at "
            "multiples of 2^n/period wherever that is.",
            reference=f"Coppersmith 1994, arXiv:quant-ph/0201067; {NIELSEN_CHUANG}, section 5.1",
            known_answer="The squared moduli of the classical Fourier transform of the same vector.",
            qubits=5,
            period=5,
            offset=3,
        ),
        _view(
            PhaseEstimation,
            title="Phase estimation",
            explanation="A unitary has an eigenvector with eigenvalue e^2πiφ. Its powers 1, 2, 4, …, each controlled "
            "by a qubit of a register, write the phases e^2πiφk onto the register's basis states k; the inverse "
            "Fourier transform of that wave peaks at k = 2^m φ.",
            reference=f"Kitaev 1995, arXiv:quant-ph/9511026; {NIELSEN_CHUANG}, section 5.2",
            known_answer="φ itself where it has m binary digits; otherwise outcomes k with the Fejér kernel's "
            "probability |Σ_j e^2πij(φ - k/2^m)|²/4^m.",
            phase=0.3,
            qubits=5,
        ),
        _view(
            Grover,
            title="Grover's search",
            explanation="An oracle flips the sign of marked basis states. That is a reflection; a second reflection "
            "about the uniform vector makes a rotation by 2θ in the plane of the marked and the unmarked states, "
            "sin²θ being the marked share. About π/4·√(N/M) rotations turn the uniform vector into the marked one, "
            "where a classical search asks N/M times. Rotating on leads away again.",
            reference="Grover 1996, arXiv:quant-ph/9605043; Boyer and others 1996, arXiv:quant-ph/9605034",
            known_answer="A marked string with probability sin²((2k+1)θ) after k iterations.",
            marked=["10110"],
        ),
        _view(
            Shor15,
            title="Shor's algorithm for 15",
            explanation="Multiplication by a modulo 15 permutes basis states; its eigenvalues are e^2πis/r, where r is "
            "the order of a, the smallest power with a^r = 1. Phase estimation reads s/r for a random s, continued "
            "fractions find r, and if r is even and a^(r/2) is not -1, gcd(a^(r/2) ± 1, 15) are factors. The "
            "permutations are written for 15 by hand: rotations of four bits, and their complement.",
            reference="Shor 1994, arXiv:quant-ph/9508027; Vandersypen and others 2001, arXiv:quant-ph/0112176",
            known_answer="The order that arithmetic gives (2 or 4), and 3 × 5; for a = 14, no factors: it is -1.",
            a=7,
            counting_qubits=8,
        ),
        _view(
            QuantumVolume,
            title="Quantum volume",
            explanation="A square circuit of random two-qubit unitaries between randomly paired qubits. Its outcome "
            "probabilities are spread like an exponential distribution; the half above the median, the heavy outputs, "
            "has together about (1 + ln 2)/2 ≈ 0.85, while noise alone gives one half. A machine has quantum volume "
            "2^n if it exceeds two thirds with confidence; that needs a hundred circuits or more, this is one.",
            reference="Cross and others 2019, arXiv:1811.12926; Aaronson and Chen 2017, arXiv:1612.05903",
            known_answer="The exact probability of this circuit's heavy outputs.",
            qubits=5,
        ),
        _view(
            RandomClifford,
            title="Random Clifford circuit, mirrored",
            explanation="Clifford circuits map Pauli matrices to Pauli matrices, so that a table of 2n rows describes "
            "them. A random Clifford C, a random Pauli P and C backwards amount to one Pauli C†PC: the table says "
            "which bits it flips, however long the circuit is. Errors anywhere end in another string.",
            reference="Bravyi and Maslov 2020, arXiv:2003.09412; Proctor and others 2022, arXiv:2008.11294",
            known_answer="One string, in every shot: the bits that C†PC flips.",
            qubits=5,
        ),
    ]


def _applications() -> list[TemplateView]:
    return [
        _view(
            Vqe,
            title="A molecule's ground state by VQE",
            explanation="The lowest eigenvalue of a molecule's Hamiltonian, a sum of Pauli strings after Jordan and "
            "Wigner's transformation, is the minimum of ⟨ψ|H|ψ⟩. Unitary coupled cluster starts from the Hartree-Fock "
            "state and rotates by an angle for every single and double excitation; a classical optimiser turns the "
            "angles. It runs on exact states, for every bond length of the curve. The circuit that is sampled holds "
            "the optimal angles and measures occupations, which give the diagonal part of the energy; the Hamiltonian "
            "is in the figures, to be measured whole. The integrals are numbers computed with PySCF in the minimal "
            "basis STO-3G, far from the energies of nature.",
            reference="Peruzzo and others 2014, arXiv:1304.3061; McArdle and others 2020, arXiv:1808.10402",
            known_answer="The energy of exact diagonalisation with the same orbitals (full configuration interaction), "
            "within chemical accuracy, 1.6 millihartree; Hartree-Fock is above it.",
            shots=4000,
            molecule="h2",
            bond_length=0.735,
        ),
        _view(
            Portfolio,
            title="Portfolio choice by QAOA",
            explanation="Of n assets exactly B are held; the objective weighs their covariance against their expected "
            "return. QAOA alternates phases in proportion to the objective with a mixer that swaps held and unheld "
            "assets, so that it never leaves the portfolios of B assets; it starts from their uniform superposition. "
            "The angles are optimised on exact states. With so few assets all portfolios can be computed, which is "
            "how the answer is known, and why this is no advantage.",
            reference="Farhi and others 2014, arXiv:1411.4028; Hadfield and others 2019, arXiv:1709.03489; Hodson and "
            "others 2019, arXiv:1911.05296",
            known_answer="The portfolio that is best among all, and how probable QAOA makes it.",
            budget=2,
            layers=3,
        ),
        _view(
            ValueAtRisk,
            title="Value at risk by amplitude estimation",
            explanation="A normally distributed loss on a grid is loaded as amplitudes √p; a last qubit is turned to 1 "
            "where the loss is at most x, so that it reads 1 with probability P(loss ≤ x) = sin²θ. After k Grover "
            "iterations that is sin²((2k+1)θ), a magnified θ: the error falls like 1/queries instead of 1/√queries. "
            "Bisection over x finds the value at risk; its rounds are drawn from exact probabilities, and the counts "
            "of the job are the last round.",
            reference="Woerner and Egger 2019, arXiv:1806.06893; Grinko and others 2019, arXiv:1912.05559",
            known_answer="The smallest loss of the grid whose cumulative probability, summed exactly, reaches the "
            "level; the interval covers that probability.",
            level=0.95,
            qubits=4,
        ),
        _view(
            EuropeanCall,
            title="European call by amplitude estimation",
            explanation="The price at maturity is log-normal; on a grid it is loaded as amplitudes √p, and a last "
            "qubit is turned so that it reads 1 with the payoff of each price as a share of the largest payoff. Its "
            "probability is the mean payoff, estimated with Grover iterations as a magnifying glass; discounted, it "
            "is the option's price. Loading is exact and takes a rotation for each point of the grid, which costs "
            "more than it saves. The rounds before the last are drawn from exact probabilities.",
            reference="Stamatopoulos and others 2020, arXiv:1905.02666; Grinko and others 2019, arXiv:1912.05559",
            known_answer="The exact sum over the grid lies in the interval; Black and Scholes' formula differs from it "
            "by the error of the grid.",
            spot=2.0,
            strike=1.9,
            qubits=4,
        ),
        _view(
            MaxCut,
            title="MaxCut by QAOA",
            explanation="Divide the nodes of a graph in two so that the edges between the halves weigh most. A bit "
            "string is a division, and the weight of its cut is a diagonal matrix of ZZ terms. QAOA alternates phases "
            "in proportion to the cut with rotations of every qubit about X; with more layers it approaches the "
            "adiabatic path to the largest cut. The angles are optimised on exact states.",
            reference="Farhi, Goldstone, Gutmann 2014, arXiv:1411.4028",
            known_answer="The largest of all 2^n cuts, and how probable QAOA makes it.",
            edges=[{"nodes": [a, b]} for a, b in ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2))],
            layers=3,
        ),
        _view(
            QuantumKernel,
            title="Quantum kernel",
            explanation="A feature map turns a row of numbers x into a circuit and so into a vector |φ(x)⟩. The "
            "overlap |⟨φ(x)|φ(y)⟩|² is a positive kernel, which a support vector machine can learn with. The job's "
            "circuit measures one overlap: it prepares x and unprepares y, and the share of zeros is the overlap. The "
            "whole kernel is computed from exact vectors, and a classical RBF kernel learns the same rows: on such "
            "data it usually wins.",
            reference="Havlíček and others 2019, arXiv:1804.11326; Shaydulin and Wild 2022, arXiv:2111.05451",
            known_answer="The overlap of the two exact vectors.",
            shots=4000,
            dataset="iris",
            features=2,
        ),
    ]
