"""A student that is a circuit, as OpenQASM 3 and as Cirq's JSON. What is said of a file was found by running that file.

circuit = qiskit.qasm3.load("student-seed-0.qasm")         # trained; open are the angles that a row becomes, if any
circuit = qiskit.qasm3.load("student-seed-0.inputs.qasm")  # open are the weights, too
circuit = cirq.read_json("student-seed-0.cirq.json")       # trained; open are symbols of sympy
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from qiskit import QuantumCircuit
from torch import Tensor

from qstill.contract.distillations.architectures.family import ExportFormat
from qstill.contract.distillations.architectures.quantum import AmplitudeEncoding
from workers.circuits.binding import bound
from workers.circuits.diagram.svg import diagram_svg
from workers.circuits.export import to_cirq, to_openqasm3
from workers.circuits.parse.cirq import parse_cirq
from workers.circuits.parse.openqasm3 import parse_openqasm3
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.quantum.circuit import DifferentiableCircuit

ROWS = 16  # of the test, that a file is run on: with 16 qubits 16 MB of states

File = tuple[str, bytes, dict[str, Any]]


def circuit_files(wanted: Sequence[ExportFormat], network: CircuitNetwork, name: str, x: Tensor) -> Iterator[File]:
    """(ending of the name, file, what is known of it) of each format that is wanted. name: of the network's files.

    x: some inputs, to run the files on.
    """
    whole, inputs = network.whole()
    weights = _weights(network)
    trained = _trained(whole, weights)
    what = _Told(network, inputs, x[:ROWS])
    if "openqasm3" in wanted:
        for ending, circuit, free in ((".qasm", trained, {}), (".inputs.qasm", whole, weights)):
            text = _header(network, inputs, list(free), name) + to_openqasm3(circuit)
            yield ending, text.encode(), what.told("openqasm3", text.encode(), parse_openqasm3(text), free)
    if "cirq" in wanted:
        content = json.dumps(to_cirq(trained)).encode()
        yield ".cirq.json", content, what.told("cirq", content, parse_cirq(content.decode()), {})


def picture(network: CircuitNetwork, name: str) -> str:
    """The trained circuit, drawn; open are the angles that a row becomes. name: of the network's files."""
    whole, _ = network.whole()
    return diagram_svg(_trained(whole, _weights(network)), title=name)


def _weights(network: CircuitNetwork) -> dict[str, float]:
    angles = network.angles.detach().double().flatten().tolist()
    return dict(zip(network.circuit.weights, angles, strict=True))


def _trained(whole: QuantumCircuit, weights: Mapping[str, float]) -> QuantumCircuit:
    return bound(whole, {each: weights[each.name] for each in whole.parameters if each.name in weights})


class _Told:
    """What a report says of files of one network. inputs: names of the angles that a row becomes."""

    def __init__(self, network: CircuitNetwork, inputs: Sequence[str], x: Tensor) -> None:
        self.network, self.inputs, self.x = network, inputs, x

    def told(
        self, format: ExportFormat, content: bytes, circuit: QuantumCircuit, weights: Mapping[str, float]
    ) -> dict[str, Any]:
        """circuit: the file's circuit. weights: values of those that it leaves open."""
        return {
            "format": format,
            "bytes": len(content),
            "qubits": circuit.num_qubits,
            "inputs": list(self.inputs),
            "weights": list(weights),
            "begins_with": "zero" if self.inputs else "amplitudes",
            "rows": len(self.x),
            "max_difference": self._difference(circuit, weights),
        }

    def _difference(self, circuit: QuantumCircuit, weights: Mapping[str, float]) -> float:
        """The largest of an expectation value, in double precision, from the network's in single."""
        network = self.network
        exact = DifferentiableCircuit(circuit, inputs=self.inputs, sums=network.sums, precision=torch.float64)
        values = torch.tensor([weights[name] for name in exact.weights], dtype=torch.float64)[None]
        with torch.no_grad():
            numbers, expected = network.numbers(self.x), network.means(self.x)
            states = None if self.inputs else network.real_states(numbers).to(torch.complex128)
            found = exact(values, numbers.double() if self.inputs else None, states)[0]
        return float((found - expected).abs().max())


def _header(network: CircuitNetwork, inputs: Sequence[str], weights: Sequence[str], name: str) -> str:
    encoding = network.definition.encoding
    rows = "rows as they were uploaded" if encoding.inputs == "raw" else "standardised rows"
    said = [f"{name}: a trained circuit of {network.qubits} qubits. Qubit 0 is the lowest bit."]
    if isinstance(encoding, AmplitudeEncoding):
        said.append(f"It begins with a row as amplitudes: the {network.features} numbers of {rows}, divided by")
        said.append("their length, in the order of the basis states, and 0 in all others. That is not in this file.")
    else:
        how = {"arctan": "gain*arctan(x)", "linear": "gain*x", "plain": "x"}[encoding.turn]
        said.append(f"Inputs of a row, in its order: {', '.join(inputs)}.")
        said.append(f"Each is {how} in radians, of a number x of {rows}" + ("." if encoding.turn == "plain" else ";"))
        if encoding.turn != "plain":
            said.append(f"`gain` is a tensor of {name}.safetensors.")
    if weights:
        said.append(f"Weights, in the order of the tensor `angles` of {name}.safetensors: {', '.join(weights)}.")
    return "".join(f"// {line}\n" for line in said)
