"""Circuits of the user's own as networks."""

import json
import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from pydantic import TypeAdapter
from qiskit import QuantumCircuit

from qstill.contract.circuits.formats import Circuit
from qstill.contract.circuits.outputs import Observable, check_observable
from qstill.contract.distillations.architectures.circuit import OwnCircuit, said_of_unknown
from qstill.contract.errors import Problem
from workers.circuits.export import to_json
from workers.circuits.export.words import plain_names, with_plain_parameters
from workers.circuits.parse import parse
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.family import Ends, Family, Written
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.dense import DENSE
from workers.quantum.effect import without_effect
from workers.quantum.lower import lower
from workers.quantum.observables import PauliSum, sums_of

MAX_NUMBERS = 1 << 26  # of the diagonals of all gates: 512 MB in double precision


class OwnCircuitNetwork(CircuitNetwork):
    """Rows are the circuit's inputs, or the states that it begins with."""

    definition: OwnCircuit

    def __init__(self, definition: OwnCircuit, ends: Ends) -> None:
        """Raises Problem: architecture_mismatch, untrainable_gate, unused_input, nothing_to_read, and a parser's."""
        trainable = read_circuit(definition, ends.pointer)
        refuse_unfit(definition, trainable, math.prod(ends.input_shape), ends.pointer)
        sums, weights = _sums(definition, trainable.circuit.num_qubits, ends.pointer), trainable.written.weights
        super().__init__(
            definition, ends, trainable.circuit, sums, inputs=trainable.written.inputs, shape=(len(weights),)
        )
        self._refuse_unused(ends.pointer)

    def _refuse_unused(self, pointer: str) -> None:
        """Raise Problem unused_input where no weights make an input count."""
        idle = _idle(self.definition.model_dump_json()) if self.inputs else ()
        for number, (name, said) in enumerate(zip(self.inputs, self.definition.inputs, strict=True)):
            if name in idle:
                title = f"The input {said!r} changes nothing that is read of this circuit."
                ways_out = [{"note": "Turn by it before something that is read, or read other observables."}]
                raise Problem("unused_input", title, pointer=f"{pointer}/inputs/{number}", ways_out=ways_out)


@dataclass(frozen=True)
class Trainable:
    """circuit: gates alone, its parameters by names that every format takes. written: the same for a card."""

    circuit: QuantumCircuit
    written: Written


def read_circuit(definition: OwnCircuit, pointer: str) -> Trainable:
    """Raises the Problem of a circuit that is no network."""
    try:
        return _read(definition.model_dump_json(include={"circuit", "inputs"}))
    except Problem as problem:
        raise Problem.from_document(problem.document()).within(pointer) from None


@lru_cache(16)
def _read(text: str) -> Trainable:
    """text: the circuit and its inputs as JSON. A job builds its network for every seed."""
    said = json.loads(text)
    parsed = parse(TypeAdapter(Circuit).validate_python(said["circuit"]), bound=False)
    if parsed.size() << parsed.num_qubits > MAX_NUMBERS:
        most = MAX_NUMBERS >> parsed.num_qubits
        title = f"{parsed.size():,} gates on {parsed.num_qubits} qubits are too many to train: up to {most:,} are not."
        raise Problem("too_many_operations", title, pointer="/circuit")
    lower(parsed)  # nothing follows a measurement
    bare = QuantumCircuit(parsed.num_qubits)
    for instruction in parsed.data:
        if instruction.operation.name != "measure":
            bare.append(instruction.operation, [parsed.find_bit(qubit).index for qubit in instruction.qubits])
    names = plain_names(bare)
    for number, name in enumerate(said["inputs"]):
        if name not in names:
            title = f"{said_of_unknown(name, names.keys()).capitalize()}."
            ways_out = [{"inputs": sorted(names)[: len(said["inputs"])]}] if names else []
            raise Problem("unused_input", title, pointer=f"/inputs/{number}", ways_out=ways_out)
    circuit = with_plain_parameters(bare)
    inputs = [names[name] for name in said["inputs"]]
    weights = [each.name for each in circuit.parameters if each.name not in set(inputs)]
    operations = to_json(circuit)["operations"]
    return Trainable(circuit, Written(qubits=circuit.num_qubits, operations=operations, weights=weights, inputs=inputs))


def refuse_unfit(definition: OwnCircuit, trainable: Trainable, features: int, pointer: str) -> None:
    """Raise the Problem of a row that does not fit the circuit."""
    qubits, inputs = trainable.circuit.num_qubits, len(trainable.written.inputs)
    if inputs and features != inputs:
        title = f"A row has {features} numbers, and the circuit {inputs} inputs."
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/inputs")
    if not inputs and features > 1 << qubits:
        title = f"{features} numbers of a row do not fit {qubits} qubits as amplitudes."
        ways_out = [{"note": f"A circuit of {math.ceil(math.log2(features))} qubits has room for them."}]
        raise Problem("architecture_mismatch", title, pointer=f"{pointer}/circuit", ways_out=ways_out)


def _sums(definition: OwnCircuit, qubits: int, pointer: str) -> list[PauliSum]:
    for number, wanted in enumerate(definition.observables):
        if isinstance(wanted, Observable):
            check_observable(wanted, qubits, f"{pointer}/observables/{number}")
    found = sums_of(definition.observables, qubits)
    if not found:
        title = "There are no two qubits to read: read `z`."
        raise Problem("nothing_to_read", title, pointer=f"{pointer}/observables", ways_out=[{"observables": ["z"]}])
    return found


@lru_cache(16)
def _idle(text: str) -> frozenset[str]:
    """text: a definition. Inputs that change nothing."""
    definition = OwnCircuit.model_validate_json(text)
    trainable = read_circuit(definition, "")
    sums = _sums(definition, trainable.circuit.num_qubits, "")
    exact = DifferentiableCircuit(
        trainable.circuit, inputs=trainable.written.inputs, sums=sums, precision=torch.float64
    )
    return frozenset(without_effect(exact).intersection(trainable.written.inputs))


def written(definition: OwnCircuit) -> Written:
    """For a card, of a definition that was built."""
    return read_circuit(definition, "").written


OWN_CIRCUIT = Family(
    definition=OwnCircuit,
    build=OwnCircuitNetwork,
    scaled_as_they_come=None,
    stacks=lambda own: written(own).qubits <= DENSE,
    written=written,
)
