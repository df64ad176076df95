"""What a program may hold. The defaults are what the code was tried with."""

from dataclasses import dataclass

from qstill.contract.circuits.gates import MAX_CLBITS, MAX_QUBITS
from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS, MAX_LOOP_ITERATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """operations: all written out; iterations of loops, calls and elements of arrays count as one each."""

    qubits: int = MAX_QUBITS
    bits: int = MAX_CLBITS
    operations: int = MAX_EXPANDED_OPERATIONS
    iterations: int = MAX_LOOP_ITERATIONS
