"""The profile of a circuit whose operations come one by one, as the front door reads them.

The workers count again on the parsed circuit (`workers/circuits/examine/profile.py`); what is refused here,
they would refuse. Depth is not counted: no choice depends on it.
"""

from collections.abc import Collection
from math import isclose, remainder

from qstill.contract.circuits.cost.bond_dimension import BondDimension
from qstill.contract.circuits.profile import Profile

CERTAIN = 1e-6  # off a Clifford angle; nearer than that the worker decides


class ProfileCounter:
    """Gates, measurements and resets so far."""

    def __init__(self) -> None:
        self.not_clifford: str | None = None
        self.measured: set[int] = set()
        self._touched: set[int] = set()
        self._operations = self._two_qubit = self._branchings = self._pending = 0
        self._dynamic = False
        self._bond = BondDimension()

    def gate(self, qubits: Collection[int], *, operations: int = 1, bits: int = 1) -> None:
        """2 to the power of `bits` bounds the operator Schmidt rank of a gate on two qubits."""
        self._dynamic = self._dynamic or not self.measured.isdisjoint(qubits)
        self._touched.update(qubits)
        self._branchings += self._pending
        self._pending = 0
        self._operations += operations
        if len(qubits) > 1:
            self._two_qubit += 1
            self._bond.add(qubits, max(bits, len(qubits) - 1))

    def measure(self, qubits: Collection[int]) -> None:
        self.measured.update(qubits)
        self._pending += len(qubits)

    def reset(self, qubits: Collection[int]) -> None:
        self._dynamic = self._dynamic or not self._touched.isdisjoint(qubits)
        self._pending += len(qubits)

    def profile(self, *, clbits: int) -> Profile:
        return Profile(
            qubits=len(self._touched),
            clbits=clbits,
            operations=self._operations,
            two_qubit=self._two_qubit,
            not_clifford=self.not_clifford,
            dynamic=self._dynamic,
            branchings=self._branchings,
            bond_bits=self._bond.bits(),
        )


def is_multiple(value: float, unit: float) -> bool:
    return isclose(remainder(value, unit), 0.0, abs_tol=CERTAIN)
