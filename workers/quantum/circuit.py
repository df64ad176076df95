"""A parametrised circuit as a module of torch: rows and weights in, expectation values out.

module = DifferentiableCircuit(circuit, inputs=["x0", "x1"], sums=[{"ZI": 1.0}])
module(weights, rows)            # (S, P) and (B, I): (S, B, 1)
"""

from collections.abc import Sequence
from functools import partial

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from torch import Tensor

from workers.quantum.angles import Angles
from workers.quantum.dense import DENSE, layers_of, run_dense
from workers.quantum.lower import lower
from workers.quantum.observables import PauliSum, Readout, before, observables
from workers.quantum.overlaps import Overlaps
from workers.quantum.state import final, plan, run

ROWS_AT_ONCE = 1 << 20  # amplitudes of one pass: 8 MB in single precision, and as much for each layer


class DifferentiableCircuit:
    """weights: the names of the circuit's free parameters that are not inputs, in Qiskit's order."""

    def __init__(
        self,
        circuit: QuantumCircuit,
        *,
        inputs: Sequence[str] = (),
        sums: Sequence[PauliSum] = (),
        targets: Tensor | None = None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        """sums: the observables. Raises Problem untrainable_gate.

        targets: (2^n, B): instead of expectation values, the overlaps of each row's final state with its own target,
        real and imaginary part (`overlaps.py`).
        """
        lowered = lower(circuit, inputs)
        self.qubits = lowered.qubits
        self.inputs = list(inputs)
        self.weights = [each.name for each in circuit.parameters if each.name not in set(inputs)]
        self.precision = precision
        by_row = [number for number, angle in enumerate(lowered.angles) if _depends(angle, set(inputs))]
        shared = [angle if number not in set(by_row) else 0.0 for number, angle in enumerate(lowered.angles)] + [0.0]
        self._shared = Angles(shared, self.weights, precision)
        self._by_row = Angles([lowered.angles[number] for number in by_row], [*self.weights, *inputs], precision)
        self._own = bool(by_row)
        self.steps = len(lowered.steps)
        self._readout: Readout
        if targets is None:
            self._readout, read = before(observables(sums, lowered.qubits, precision), lowered.steps)
        else:
            self._readout, read = Overlaps(targets.to(self._kind)), len(lowered.steps)
        planned = partial(plan, lowered.qubits, nothing=len(lowered.angles), by_row=by_row, precision=precision)
        self._plan, self._unread = planned(lowered.steps[:read]), planned(lowered.steps[read:])
        few = lowered.qubits <= DENSE and not by_row
        self._layers = layers_of(self._plan) if few else None

    @property
    def _kind(self) -> torch.dtype:
        return torch.complex64 if self.precision == torch.float32 else torch.complex128

    def zero(self, rows: int) -> Tensor:
        """|0…0⟩ for each row, (2^n, B)."""
        states = torch.zeros(1 << self.qubits, rows, dtype=self._kind)
        states[0] = 1
        return states

    def __call__(self, weights: Tensor, rows: Tensor | None = None, states: Tensor | None = None) -> Tensor:
        """Expectation values (S, B, O).

        weights: (S, P). rows: (B, I) inputs, radians or whatever the circuit makes of them. states: (2^n, B), what each
        row begins with; None: |0…0⟩. Both may differ between sets: (S, B, I), (S, 2^n, B). In pieces, so that a wide
        circuit keeps few rows in memory.
        """
        count = rows.shape[-2] if rows is not None else states.shape[-1] if states is not None else 1
        piece = max(1, ROWS_AT_ONCE // (len(weights) << self.qubits))
        found = []
        for start in range(0, count, piece):
            part = slice(start, min(start + piece, count))
            begin = self.zero(part.stop - part.start) if states is None else states[..., part]
            readout = self._readout.of(part)
            if self._layers is not None:
                found.append(run_dense(self._layers, self._shared(weights), begin, readout))
                continue
            own = self._rows(weights, None if rows is None else rows[..., part, :])
            found.append(run(self._plan, self._shared(weights), begin, readout, own))
        return found[0] if len(found) == 1 else torch.cat(found, 1)

    def states(self, weights: Tensor, rows: Tensor | None = None, states: Tensor | None = None) -> Tensor:
        """The states after the circuit (S, 2^n, B), without a gradient."""
        count = rows.shape[-2] if rows is not None else 1
        begin = self.zero(count) if states is None else states
        angles, own = self._shared(weights), self._rows(weights, rows)
        return final(self._unread, angles, final(self._plan, angles, begin, own), own)

    def _rows(self, weights: Tensor, rows: Tensor | None) -> Tensor | None:
        if rows is None or not self._own:
            return None
        sets, count = len(weights), rows.shape[-2]
        wide = weights[:, None].expand(sets, count, -1)
        return self._by_row(torch.cat([wide, rows.to(self.precision).expand(sets, count, -1)], -1))


def _depends(angle: float | ParameterExpression, inputs: set[str]) -> bool:
    return isinstance(angle, ParameterExpression) and any(each.name in inputs for each in angle.parameters)
