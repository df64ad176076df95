"""A circuit on its way through the engine room, and what an engine is asked and answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Qubit

from qstill.contract.circuits.noise.model import CustomNoise
from workers.circuits.examine.shape import Shape
from workers.circuits.observables import Measured

Integers = NDArray[np.int64]
Bits = NDArray[np.uint8]
Reals = NDArray[np.float64]
Prepare = Callable[[CircuitInstruction], CircuitInstruction]  # a gate in a simulator's own


@dataclass(frozen=True, slots=True)
class Program:
    """A measured circuit, its gates those of its device and noise, and what of it has to be simulated.

    rules: the noise, by the circuit's qubits. noise: makes the same as Aer's model over the active qubits, in their
    order; None where nothing is noisy.
    observables: over the active qubits, too.
    readout: (2, 2) of each qubit that is misread, row i column j the probability that a qubit in i reads j.
    """

    circuit: QuantumCircuit
    shape: Shape
    rules: CustomNoise | None = None
    noise: Callable[[], Any] | None = None
    readout: Mapping[Qubit, Reals] = field(default_factory=dict)
    observables: Sequence[Measured] = ()

    @property
    def aer_noise(self) -> Any:
        """Aer's noise model, or None."""
        return None if self.noise is None else self.noise()

    def final(self, prepare: Prepare = lambda instruction: instruction) -> QuantumCircuit:
        """What leads to the final state of a circuit that is not dynamic: its gates on its active qubits alone."""
        without_effect = {"measure", "barrier", "reset", "delay"}  # where nothing follows a measurement
        active = set(self.shape.active)
        final = QuantumCircuit(self.shape.active, global_phase=self.circuit.global_phase)
        for instruction in self.circuit.data:
            if instruction.operation.name not in without_effect and active.issuperset(instruction.qubits):
                final._append(prepare(instruction))
        return final

    @property
    def mixed(self) -> bool:
        """Whether noise, or a channel of the circuit's own, turns the state into a mixed one."""
        return self.noise is not None or self.shape.channels > 0

    @property
    def measured(self) -> list[Qubit]:
        """The active qubits that some classical bit reads at the end."""
        sources = set(self.shape.source.values())
        return [qubit for qubit in self.shape.active if qubit in sources]

    def places(self, layout: Sequence[int] | None = None) -> dict[int, int]:
        """Where each submitted qubit stands among the active ones, as far as it is active.

        layout: the circuit's qubit that each submitted one ended on, where a device moved them.
        """
        active = {qubit: index for index, qubit in enumerate(self.shape.active)}
        numbers = range(self.circuit.num_qubits) if layout is None else layout
        qubits = self.circuit.qubits
        return {
            own: active[qubits[place]] for own, place in enumerate(numbers) if place >= 0 and qubits[place] in active
        }

    def columns(self, measured: Sequence[Qubit]) -> list[int]:
        """For each clbit its place among the qubits measured, -1 for one that reads 0."""
        place = {qubit: index for index, qubit in enumerate(measured)}
        source = self.shape.source
        return [place.get(source[clbit], -1) if clbit in source else -1 for clbit in self.circuit.clbits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How a program is to be run. between: called every few seconds at most; it may raise."""

    shots: int
    seed: int
    threads: int = 1
    between: Callable[[], None] = lambda: None
    probabilities: bool = False
    max_bond_dimension: int | None = None
    truncation_threshold: float = 1e-16


@dataclass(frozen=True, slots=True)
class Mean:
    """An expectation value. standard_error: of the mean over trajectories. variance: ⟨O²⟩ - ⟨O⟩², None if unknown."""

    value: float
    standard_error: float = 0.0
    variance: float | None = None

    def shot_noise(self, shots: int) -> float | None:
        """The standard error that measuring the observable so many times would leave; None if unknown."""
        return None if self.variance is None else (self.variance / shots) ** 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What an engine found. counts, probabilities: by little-endian keys over all classical bits.

    fidelity: at least that of the state sampled from with the exact one; None where nothing was cut or rounded.
    remark: what else there is to say about how.
    """

    counts: dict[str, int]
    kind: Literal["exact", "sampled", "truncated"] = "sampled"
    probabilities: dict[str, float] | None = None
    expectations: list[Mean] = field(default_factory=list)
    fidelity: float | None = None
    remark: str = ""


def seeds(seed: int, count: int) -> list[int]:
    """Seeds of their own, 48 bits each, for the circuits of one job or the batches of one circuit."""
    return [int(word) >> 16 for word in np.random.SeedSequence(seed).generate_state(count, np.uint64)]


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))
