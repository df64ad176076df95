"""A template made ready: the circuit to run, and how its counts are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qiskit import QuantumCircuit

from qstill.contract.circuits.templates.answer import Answer

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """circuit: measured, ready to run. interpret: from little-endian counts and their shots to the answer."""

    circuit: QuantumCircuit
    interpret: Callable[[Counts, int], Answer]
