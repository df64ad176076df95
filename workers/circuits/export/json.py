"""Our own JSON: a gate of the table for every gate that has one, controls and conditions as they are."""

from collections.abc import Iterator, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Clbit, ControlledGate, IfElseOp, Operation, ParameterExpression

from qstill.contract.circuits.gates import MAX_CONDITION_BITS
from qstill.contract.errors import Problem
from workers.circuits.export.lowering import Step, lower, without_controls
from workers.circuits.export.words import angle, with_plain_parameters

_GATES = {
    **{name: name for name in ("x", "y", "z", "h", "s", "t", "swap", "rx", "ry", "rz")},
    "sdg": "si",
    "tdg": "ti",
    "sx": "v",
    "sxdg": "vi",
    "p": "z",
    "rxx": "xx",
    "ryy": "yy",
    "rzz": "zz",
}

Bits = dict[int, int]  # clbit: what it must read


def to_json(circuit: QuantumCircuit) -> dict[str, Any]:
    """The body of a `JsonCircuit`. Raises `Problem` for loops, and where a condition changes what it reads.

    JSON declares no classical bits: those after the last that is measured are lost.
    """
    plain = with_plain_parameters(circuit)
    writer = _Writer(plain)
    steps = lower(plain, lambda operation: without_controls(operation)[0].name in _GATES)
    return {"format": "json", "qubits": circuit.num_qubits, "operations": list(writer.block(steps, {}))}


class _Writer:
    def __init__(self, circuit: QuantumCircuit) -> None:
        self.index = {bit: i for bits in (circuit.qubits, circuit.clbits) for i, bit in enumerate(bits)}
        self.written: set[int] = set()

    def block(self, steps: Sequence[Step], where: Bits) -> Iterator[dict[str, Any]]:
        """The steps' operations, each under the condition `where`."""
        for step in steps:
            if isinstance(step.operation, IfElseOp):
                yield from self._branches(step, where)
                continue
            for operation in self._operations(step):
                condition = {} if operation["gate"] == "barrier" else _condition(where)
                yield operation | condition

    def _operations(self, step: Step) -> Iterator[dict[str, Any]]:
        qubits = [self.index[qubit] for qubit in step.qubits]
        match step.operation.name:
            case "measure":
                clbit = self.index[step.clbits[0]]
                self.written.add(clbit)
                yield {"gate": "measure", "target": qubits[0]} | ({} if clbit == qubits[0] else {"clbit": clbit})
            case "reset":
                yield {"gate": "reset", "target": qubits[0]}
            case "barrier":
                yield {"gate": "barrier", "targets": qubits}
            case "while_loop" | "for_loop" | "switch_case" | "break_loop" | "continue_loop":
                raise Problem(
                    "export_unsupported",
                    "Loops and switches cannot be written as JSON.",
                    pointer="/circuit",
                    ways_out=[{"format": "openqasm3"}],
                )
            case _:
                yield from _gate(step.operation, qubits)

    def _branches(self, step: Step, where: Bits) -> Iterator[dict[str, Any]]:
        tested = self._tested(step.operation.condition)
        cases = [(step.blocks[0], [tested]), *((block, _otherwise(tested)) for block in step.blocks[1:])]
        merged = [(block, _merged(where, other, self.written)) for block, others in cases for other in others]
        operations = [op for block, both in merged if both is not None for op in self.block(block, both)]
        for operation in operations[:-1]:
            clbit = operation.get("clbit", operation.get("target"))
            if operation["gate"] == "measure" and clbit in tested.keys() | where.keys():
                message = "An `if` whose body measures into a bit that it tests cannot be written as JSON."
                raise Problem("export_unsupported", message, pointer="/circuit", ways_out=[{"format": "openqasm3"}])
        yield from operations

    def _tested(self, condition: Any) -> Bits:
        tested, value = condition if isinstance(condition, tuple) else (None, 0)
        if isinstance(tested, Clbit):
            return {self.index[tested]: int(value)}
        if isinstance(tested, ClassicalRegister):
            return {self.index[clbit]: int(value) >> place & 1 for place, clbit in enumerate(tested)}
        message = "A condition that is more than one comparison cannot be written as JSON."
        raise Problem("export_unsupported", message, pointer="/circuit")


def _otherwise(tested: Bits) -> list[Bits]:
    """Conditions of which exactly one holds where `tested` does not: each has another first bit that differs."""
    pairs = list(tested.items())
    return [dict(pairs[:place]) | {clbit: 1 - value} for place, (clbit, value) in enumerate(pairs)]


def _merged(where: Bits, tested: Bits, written: set[int]) -> Bits | None:
    """Both conditions, or None where they never hold together. A bit that nothing was measured into reads 0."""
    if any(where.get(clbit, value) != value or (clbit not in written and value) for clbit, value in tested.items()):
        return None
    return where | {clbit: value for clbit, value in tested.items() if clbit in written}


def _condition(where: Bits) -> dict[str, Any]:
    if not where:
        return {}
    if len(where) > MAX_CONDITION_BITS:
        message = f"A condition on more than {MAX_CONDITION_BITS} bits cannot be written as JSON."
        raise Problem("export_unsupported", message, pointer="/circuit")
    clbits = sorted(where)
    if len(clbits) == 1:
        return {"if": {"clbit": clbits[0], "value": where[clbits[0]]}}
    return {"if": {"clbits": clbits, "value": sum(where[clbit] << place for place, clbit in enumerate(clbits))}}


def _gate(operation: Operation, qubits: list[int]) -> Iterator[dict[str, Any]]:
    base, count = without_controls(operation)
    controls, targets = qubits[:count], qubits[count:]
    written: dict[str, Any] = {"gate": _GATES[base.name]}
    written |= {"target": targets[0]} if len(targets) == 1 else {"targets": targets}
    if controls:
        written |= {"control": controls[0]} if count == 1 else {"controls": controls}
    if base.params:
        [rotation] = base.params
        written["rotation"] = angle(rotation) if isinstance(rotation, ParameterExpression) else float(rotation)
    flips = []
    if isinstance(operation, ControlledGate) and count:
        flips = [qubit for place, qubit in enumerate(controls) if not operation.ctrl_state >> place & 1]
    flip = [{"gate": "x", "targets": flips}] if flips else []
    yield from [*flip, written, *flip]
