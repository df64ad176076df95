"""A trained network as the circuit that a machine would run: a row is prepared by its angles, then the layers act."""

from collections.abc import Sequence

import numpy as np
import torch
from qiskit import QuantumCircuit
from torch import Tensor

from qstill.contract.distillations.architectures.quantum import AmplitudeEncoding
from workers.circuits.program import Reals
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.quantum.prepare import preparation, preparation_angles

Basis = str  # a letter X, Y or Z for each qubit, that of qubit 0 the last


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


def bases_of(strings: Sequence[str]) -> list[Basis]:
    """Bases in which all of these Pauli strings can be read: each string joins the first that it fits."""
    found: list[str] = []
    for letters in strings:
        for number, basis in enumerate(found):
            if all("I" in pair or pair[0] == pair[1] for pair in zip(letters, basis, strict=True)):
                found[number] = "".join(b if a == "I" else a for a, b in zip(letters, basis, strict=True))
                break
        else:
            found.append(letters)
    return [basis.replace("I", "Z") for basis in found]


def measured(circuit: QuantumCircuit, basis: Basis) -> QuantumCircuit:
    """Every qubit read in its basis, into the classical bit of its number."""
    turned = circuit.copy()
    for qubit, letter in enumerate(reversed(basis)):
        if letter == "Y":
            turned.sdg(qubit)
        if letter in "XY":
            turned.h(qubit)
    turned.measure_all()
    return turned


def reads(letters: str, basis: Basis) -> bool:
    """Whether a Pauli string is read in this basis."""
    return all(letter in ("I", own) for letter, own in zip(letters, basis, strict=True))
