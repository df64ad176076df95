"""A trained network as the circuit that a machine would run: a row is prepared by its angles, then the layers act."""

from collections.abc import Mapping

import numpy as np
import torch
from qiskit import QuantumCircuit
from torch import Tensor

from qstill.contract.distillations.architectures.quantum import AmplitudeEncoding
from workers.circuits.program import Reals
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.quantum.measurements import rotated
from workers.quantum.prepare import preparation, preparation_angles


def circuit_of(network: CircuitNetwork) -> QuantumCircuit:
    """Its angles as they were trained; those that depend on the row are parameters. Without measurements."""
    whole, inputs = network.whole()
    weights = [each for each in whole.parameters if each.name not in set(inputs)]
    trained = whole.assign_parameters(dict(zip(weights, network.angles.flatten().tolist(), strict=True)))
    return preparation(network.qubits).compose(trained) if _prepared(network) else trained


def _prepared(network: CircuitNetwork) -> bool:
    return isinstance(network.definition.encoding, AmplitudeEncoding)


def angles_of_rows(network: CircuitNetwork, x: Tensor) -> Reals:
    """(rows, parameters), for its circuit's in their order, of inputs (rows, ...) as the network reads them."""
    with torch.no_grad():
        numbers: Reals = network.numbers(x).double().numpy()
    if _prepared(network):
        return preparation_angles(np.pad(numbers, ((0, 0), (0, (1 << network.qubits) - numbers.shape[1]))))
    inputs = network.whole()[1]
    return numbers[:, np.argsort(inputs)]


def measured(circuit: QuantumCircuit, basis: Mapping[int, str] | None = None) -> QuantumCircuit:
    """Every qubit read, into the classical bit of its number. basis: X, Y or Z by qubit; Z where nothing is said."""
    found = rotated(circuit, basis or {})
    found.measure_all()
    return found
