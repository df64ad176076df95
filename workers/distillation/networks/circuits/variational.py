"""Variational circuits of layers as networks."""

import math

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from torch import Tensor

from qstill.contract.distillations.architectures.quantum import (
    MAX_TRAINED_QUBITS,
    AmplitudeEncoding,
    AngleEncoding,
    Quantum,
)
from qstill.contract.errors import Problem
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.family import Ends, Family
from workers.quantum.ansatz import hardware_efficient
from workers.quantum.dense import DENSE
from workers.quantum.observables import sums_of

INPUT = "x"  # of parameters of the circuit that are numbers of a row


class QuantumNetwork(CircuitNetwork):
    """Rows that are encoded once are the states that the layers begin with."""

    definition: Quantum

    def __init__(self, definition: Quantum, ends: Ends) -> None:
        """Raises Problem architecture_mismatch."""
        features = math.prod(ends.input_shape)
        refuse_unfit(definition, features, ends.pointer)
        qubits, layers = definition.qubits, definition.layers
        inputs = names_of_inputs(features) if uploads_again(definition) else []
        trained = hardware_efficient(qubits, layers, definition.entanglement, inputs=inputs)
        sums = sums_of(definition.observables, qubits)
        super().__init__(definition, ends, trained, sums, inputs=inputs, shape=(layers, 2, qubits))

    def whole(self) -> tuple[QuantumCircuit, list[str]]:
        if isinstance(self.definition.encoding, AmplitudeEncoding) or self.inputs:
            return super().whole()
        inputs, whole = names_of_inputs(self.features), QuantumCircuit(self.qubits)
        for qubit, name in enumerate(inputs):
            whole.ry(Parameter(name), qubit)
        return whole.compose(self.trained), inputs

    def real_states(self, numbers: Tensor) -> Tensor:
        if isinstance(self.definition.encoding, AmplitudeEncoding):
            return super().real_states(numbers)
        cos, sin = (numbers.mT / 2).cos(), (numbers.mT / 2).sin()
        state = torch.ones_like(cos[..., :1, :])  # and not of a number of rows, which an exporter would take for fixed
        for qubit in range(self.qubits):  # each is the next higher bit
            one = slice(qubit, qubit + 1)
            turned = qubit < numbers.shape[-1]
            parts = [state * cos[..., one, :], state * sin[..., one, :]] if turned else [state, 0 * state]
            state = torch.cat(parts, -2)
        return state


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


QUANTUM = Family(
    definition=Quantum,
    build=QuantumNetwork,
    scaled_as_they_come=None,
    stacks=lambda quantum: quantum.qubits <= DENSE,
)
