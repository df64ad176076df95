"""From Qiskit's `QuantumCircuit` back to what people and other programs read. Exact up to a global phase."""

from workers.circuits.export.cirq import to_cirq
from workers.circuits.export.json import to_json
from workers.circuits.export.native import to_native
from workers.circuits.export.openqasm2 import to_openqasm2
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.circuits.export.text import to_text

__all__ = ["to_cirq", "to_json", "to_native", "to_openqasm2", "to_openqasm3", "to_text"]
