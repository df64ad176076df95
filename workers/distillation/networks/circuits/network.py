"""What networks of circuits share: encoded rows, a trained circuit, a linear head on expectation values."""

import math
from collections.abc import Mapping, Sequence

import torch
from qiskit import QuantumCircuit
from torch import Tensor, nn

from qstill.contract.distillations.architectures.circuit import OwnCircuit
from qstill.contract.distillations.architectures.quantum import AmplitudeEncoding, Quantum
from qstill.contract.errors import Problem
from workers.distillation.networks.circuits.matrix import AsMatrix
from workers.distillation.networks.family import Ends
from workers.distillation.networks.network import Doubt, Features, Network
from workers.distillation.rows import Rows
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.dense import DENSE
from workers.quantum.effect import without_effect
from workers.quantum.observables import PauliSum

AMPLITUDE_BYTES = 8  # in single precision
AMPLITUDES_AT_ONCE = 1 << 22  # of one pass: 32 MB, and as much for each layer
ROWS_TRIED = 3  # for what has no effect
NAMED = 20  # of weights in a sentence
PERMUTATIONS = frozenset({"x", "cx", "ccx", "mcx", "swap", "cswap", "id", "barrier"})  # gates without arithmetic


class CircuitNetwork(Network):
    """Inputs (batch, ...) are flattened; logits (batch, classes)."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        definition: Quantum | OwnCircuit,
        ends: Ends,
        trained: QuantumCircuit,
        sums: list[PauliSum],
        *,
        inputs: Sequence[str],
        shape: tuple[int, ...],
    ) -> None:
        """trained: its parameters are inputs, numbers of a row, and weights, drawn evenly from the whole circle.

        inputs: none where rows are the states that it begins with. sums: what the head reads. shape: of the weights.
        """
        super().__init__()
        self.definition = definition
        self.features = math.prod(ends.input_shape)
        self.angles = nn.Parameter((2 * torch.rand(shape) - 1) * math.pi, not definition.frozen)
        if getattr(definition.encoding, "turn", "plain") != "plain":
            self.gain = nn.Parameter(torch.ones(self.features))
        own = ends.standardisation
        self.register_buffer("mean", torch.zeros(ends.input_shape) if own is None else spread(own.mean, ends))
        self.register_buffer("std", torch.ones(ends.input_shape) if own is None else spread(own.std, ends))
        self.sums, self.trained, self.inputs = sums, trained, list(inputs)
        self.head = nn.Linear(len(sums), ends.classes)
        self.circuit = DifferentiableCircuit(trained, inputs=self.inputs, sums=sums)

    @property
    def qubits(self) -> int:
        return self.circuit.qubits

    def whole(self) -> tuple[QuantumCircuit, list[str]]:
        """The circuit with the gates that encode numbers of a row as angles, and the names of these, in their order."""
        return self.trained, self.inputs

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        at_once = max(1, AMPLITUDES_AT_ONCE >> self.qubits)
        means = torch.cat([self.means(x[first : first + at_once]) for first in range(0, len(x), at_once)])
        if seen is not None:
            seen["observables"] = means
        return self.head(means)  # type: ignore[no-any-return]

    def means(self, x: Tensor) -> Tensor:
        """Expectation values (batch, observables) of inputs (batch, ...)."""
        weights, rows = self.angles.flatten()[None], self.numbers(x)
        if self.inputs:
            return self.circuit(weights, rows=rows)[0]
        return self.circuit(weights, states=self.states(rows))[0]

    def numbers(self, x: Tensor) -> Tensor:
        """What is encoded (batch, features): amplitudes of length 1, or angles in radians."""
        rows = (x * self.std + self.mean if self.definition.encoding.inputs == "raw" else x).flatten(1)
        return self._encoded(rows, getattr(self, "gain", None))

    def _encoded(self, rows: Tensor, gain: Tensor | None) -> Tensor:
        """The same of rows as they are read. gain: None where there is none."""
        encoding = self.definition.encoding
        if isinstance(encoding, AmplitudeEncoding):
            lengths: Tensor = rows.norm(dim=-1, keepdim=True)
            return rows / lengths
        turned = rows.arctan() if encoding.turn == "arctan" else rows
        return turned if gain is None else gain * turned

    def stacked(self, state: Mapping[str, Tensor], x: Tensor) -> Tensor:
        of_rows = {name: state[name].flatten(1)[:, None] for name in ("mean", "std", "gain") if name in state}
        read = x * of_rows["std"] + of_rows["mean"] if self.definition.encoding.inputs == "raw" else x
        rows = self._encoded(read, of_rows.get("gain"))
        given = {"rows": rows} if self.inputs else {"states": self.states(rows)}
        means = self.circuit(state["angles"].flatten(1), **given)
        return torch.baddbmm(state["head.bias"][:, :, None], state["head.weight"], means.mT)

    def kept(self, rows: int) -> int:
        return 2 * self.circuit.steps * (rows + (1 << self.qubits)) << self.qubits

    def states_kept(self, rows: int) -> int:
        columns = rows  # of each step: its state
        if self.inputs:
            columns = 2 * rows  # where rows turn on the way, their factors are as large as states
        elif self.qubits <= DENSE:
            columns = rows + (2 << self.qubits)  # and its matrix, before and after its phases
        return AMPLITUDE_BYTES * self.circuit.steps * columns << self.qubits

    def states(self, numbers: Tensor) -> Tensor:
        """(2^n, batch): the states that a circuit without inputs begins with."""
        return self.real_states(numbers).to(torch.complex64)

    def real_states(self, numbers: Tensor) -> Tensor:
        """The same, of whose amplitudes none is complex."""
        return nn.functional.pad(numbers, (0, (1 << self.qubits) - numbers.shape[-1])).mT

    def refuse_rows(self, rows: Rows, pointer: str) -> None:
        """Raise Problem zero_amplitudes."""
        encoding = self.definition.encoding
        if not isinstance(encoding, AmplitudeEncoding):
            return
        lengths = (rows.raw if encoding.inputs == "raw" else rows.x).flatten(1).norm(dim=1)
        if not lengths.all():
            number = int(rows.index[lengths == 0][0])
            title = f"Row {number} of the data is 0 in every number: there is no state with these amplitudes."
            ways_out = [{"encoding": {"kind": "angle"}}]
            raise Problem("zero_amplitudes", title, pointer=f"{pointer}/encoding", ways_out=ways_out)

    def portable(self) -> nn.Module:
        """As products with one matrix."""
        angles = self.angles.detach().flatten()
        return AsMatrix(lambda x: self.real_states(self.numbers(x)), self.circuit, angles, self.sums, self.head)

    def multiply_adds(self, given: tuple[Tensor, ...], answer: Tensor) -> int:
        """Of simulating it gate by gate: a gate on one qubit is four complex products for every two amplitudes."""
        gates: int = sum(count for name, count in self.whole()[0].count_ops().items() if name not in PERMUTATIONS)
        return 8 * gates * (1 << self.qubits) + len(self.sums) * (1 << self.qubits)

    def without_effect(self) -> set[str]:
        """Names of inputs and weights on which no logit depends, whatever the row and the weights are."""
        exact = DifferentiableCircuit(self.trained, inputs=self.inputs, sums=self.sums, precision=torch.float64)
        if self.inputs:
            return without_effect(exact)
        draw = torch.Generator().manual_seed(0)
        numbers = torch.randn(ROWS_TRIED, self.features, generator=draw, dtype=torch.float64)
        if isinstance(self.definition.encoding, AmplitudeEncoding):
            numbers = numbers / numbers.norm(dim=1, keepdim=True)
        return without_effect(exact, states=self.real_states(numbers).to(torch.complex128))

    def doubts(self) -> list[Doubt]:
        """Weights that are trained for nothing."""
        dead = [] if self.definition.frozen else sorted(self.without_effect() & set(self.circuit.weights))
        if not dead:
            return []
        names = ", ".join(dead[:NAMED]) + (", …" if len(dead) > NAMED else "")
        said = (
            f"Of the student's {len(self.circuit.weights)} angles, {len(dead)} change nothing that is read "
            f"(dead_parameters): {names}. Their gradient is zero for any row."
        )
        return [Doubt("dead_parameters", said)]


def spread(values: Tensor, ends: Ends) -> Tensor:
    """For each number of a row, float32."""
    return values.float().expand(ends.input_shape).contiguous()
