"""Variational circuits as networks: encoded rows, trained layers, a linear head on expectation values."""

import math

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.quantum import (
    MAX_TRAINED_QUBITS,
    AmplitudeEncoding,
    AngleEncoding,
    Quantum,
)
from qstill.contract.errors import Problem
from workers.distillation.networks.family import Ends, Family
from workers.distillation.networks.network import Features, Network
from workers.distillation.networks.quantum_matrix import AsMatrix
from workers.distillation.rows import Rows
from workers.quantum.ansatz import hardware_efficient
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.observables import sums_of

AMPLITUDES_AT_ONCE = 1 << 22  # of one pass: 32 MB, and as much for each layer
INPUT = "x"  # of parameters of the circuit that are numbers of a row


class QuantumNetwork(Network):
    """Inputs (batch, ...) are flattened; logits (batch, classes)."""

    mean: Tensor
    std: Tensor

    def __init__(self, definition: Quantum, ends: Ends) -> None:
        """Angles are drawn evenly from the whole circle. Raises Problem architecture_mismatch."""
        super().__init__()
        features = math.prod(ends.input_shape)
        refuse_unfit(definition, features, ends.pointer)
        self.definition = definition
        qubits, layers = definition.qubits, definition.layers
        self.angles = nn.Parameter((2 * torch.rand(layers, 2, qubits) - 1) * math.pi, not definition.frozen)
        if isinstance(definition.encoding, AngleEncoding):
            self.gain = nn.Parameter(torch.ones(features))
        own = ends.standardisation
        self.register_buffer("mean", torch.zeros(ends.input_shape) if own is None else spread(own.mean, ends))
        self.register_buffer("std", torch.ones(ends.input_shape) if own is None else spread(own.std, ends))
        self.sums = sums_of(definition.observables, qubits)
        self.head = nn.Linear(len(self.sums), ends.classes)
        self.inputs = names_of_inputs(features) if uploads_again(definition) else []
        trained = hardware_efficient(qubits, layers, definition.entanglement, inputs=self.inputs)
        self.circuit = DifferentiableCircuit(trained, inputs=self.inputs, sums=self.sums)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        at_once = max(1, AMPLITUDES_AT_ONCE >> self.definition.qubits)
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
        encoding = self.definition.encoding
        rows = (x * self.std + self.mean if encoding.inputs == "raw" else x).flatten(1)
        if isinstance(encoding, AmplitudeEncoding):
            lengths: Tensor = rows.norm(dim=1, keepdim=True)
            return rows / lengths
        return self.gain * (rows.arctan() if encoding.turn == "arctan" else rows)

    def states(self, numbers: Tensor) -> Tensor:
        """(2^n, batch): the states that the layers begin with, of a circuit that encodes once."""
        return self.real_states(numbers).to(torch.complex64)

    def real_states(self, numbers: Tensor) -> Tensor:
        """The same, of whose amplitudes none is complex."""
        if isinstance(self.definition.encoding, AmplitudeEncoding):
            missing = (1 << self.definition.qubits) - numbers.shape[1]
            return nn.functional.pad(numbers, (0, missing)).T
        cos, sin = (numbers / 2).cos(), (numbers / 2).sin()
        state = torch.ones(1, len(numbers))
        for qubit in range(self.definition.qubits):  # each is the next higher bit
            turned = qubit < numbers.shape[1]
            state = torch.cat([state * cos[:, qubit], state * sin[:, qubit]] if turned else [state, 0 * state])
        return state

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
        gates = self.angles.numel() + (self.gain.numel() if hasattr(self, "gain") else 0)
        return 8 * gates * (1 << self.definition.qubits) + len(self.sums) * (1 << self.definition.qubits)


def spread(values: Tensor, ends: Ends) -> Tensor:
    """For each number of a row, float32."""
    return values.float().expand(ends.input_shape).contiguous()


def uploads_again(definition: Quantum) -> bool:
    """Whether rows enter before every layer, so that no one state of a row comes before the weights."""
    return isinstance(definition.encoding, AngleEncoding) and definition.encoding.upload_again


def names_of_inputs(features: int) -> list[str]:
    digits = len(str(features - 1))
    return [f"{INPUT}_{number:0{digits}}" for number in range(features)]


def refuse_unfit(definition: Quantum, features: int, pointer: str) -> None:
    """Raise the Problem of a row that does not fit the qubits."""
    amplitudes = isinstance(definition.encoding, AmplitudeEncoding)
    if features <= (1 << definition.qubits if amplitudes else definition.qubits):
        return
    enough = math.ceil(math.log2(features))
    said = f"{features} numbers of a row do not fit {definition.qubits} qubits as {definition.encoding.kind}s"
    ways = [("amplitude", enough), ("angle", features)]
    fitting = [{"encoding": {"kind": kind}, "qubits": need} for kind, need in ways if need <= MAX_TRAINED_QUBITS]
    raise Problem("architecture_mismatch", f"{said}.", pointer=f"{pointer}/qubits", ways_out=fitting)


QUANTUM = Family(definition=Quantum, build=QuantumNetwork, scaled_as_they_come=None)
