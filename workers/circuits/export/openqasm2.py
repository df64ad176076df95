"""OpenQASM 2 in the gates of the original `qelib1.inc`, so that every reader of it knows them."""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, IfElseOp, Operation

from qstill.contract.errors import Problem
from workers.circuits.export.definitions import Definitions, is_defined
from workers.circuits.export.lowering import Step, all_ones, lower
from workers.circuits.export.words import plain_name, real, words

_GATES = {
    **{name: name for name in words("x y z h s sdg t tdg rx ry rz cx cy cz ch crz ccx id u1 u2 u3 cu1 cu3")},
    "p": "u1",
    "u": "u3",
    "cp": "cu1",
}

Bits = tuple[Clbit, ...]


def to_openqasm2(circuit: QuantumCircuit) -> str:
    """The circuit as a program. Raises `Problem` for parameters, loops, and conditions that are not on registers.

    A condition tests one whole register, so registers are cut where a condition reads less.
    """
    if circuit.parameters:
        message = "OpenQASM 2 has no free parameters."
        raise Problem("export_unsupported", message, pointer="/circuit", ways_out=[{"format": "openqasm3"}])
    return _Writer(circuit, lower(circuit, _known)).write()


def _known(operation: Operation) -> bool:
    return is_defined(operation) or (operation.name in _GATES and all_ones(operation))


class _Writer:
    def __init__(self, circuit: QuantumCircuit, steps: Sequence[Step]) -> None:
        self.circuit = circuit
        self.steps = steps
        self.names: dict[Any, str] = {}
        self.registers: dict[Bits, str] = {}
        self.taken: set[str] = set()
        self.own = Definitions(_known, self._gate, taken=self.taken, comma=",", small=True)

    def write(self) -> str:
        lines = list(self._declare("qreg", [tuple(register) for register in self._runs(self.circuit.qubits, [])]))
        tested = list(dict.fromkeys(self._tested()))
        lines += self._declare("creg", self._runs(self.circuit.clbits, tested))
        for bits in tested:
            if bits not in self.registers:
                _refuse("Its conditions overlap: each tests a whole register of its own.")
        statements = [statement for step in self.steps for statement in self._statements(step)]
        head = ["OPENQASM 2.0;", 'include "qelib1.inc";', *self.own.lines]
        return "\n".join([*head, *lines, *statements, ""])

    def _runs(self, bits: Sequence[Any], tested: Sequence[Bits]) -> Iterator[tuple[Any, ...]]:
        """Bits that become one register: those that a condition tests, otherwise those of one register so far."""
        own = {bits[0]: bits for bits in sorted(tested, key=len)}
        apart = {bit: group for group in tested for bit in group}
        position = 0
        while position < len(bits):
            group = own.get(bits[position], ())
            if group and tuple(bits[position : position + len(group)]) == group:
                yield group
                position += len(group)
                continue
            register = self._register(bits[position])
            end = position + 1
            while end < len(bits) and register and self._register(bits[end]) == register and bits[end] not in apart:
                end += 1
            yield tuple(bits[position:end])
            position = end

    def _register(self, bit: Any) -> Any:
        places = self.circuit.find_bit(bit).registers
        return places[0][0] if places else None

    def _declare(self, kind: str, groups: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]) -> Iterator[str]:
        for bits in groups:
            register = self._register(bits[0])
            wanted = register.name if register is not None else kind[0]
            name = plain_name(wanted[:1].lower() + wanted[1:], self.taken)
            self.taken.add(name)
            self.registers[bits] = name
            self.names |= {bit: f"{name}[{index}]" for index, bit in enumerate(bits)}
            yield f"{kind} {name}[{len(bits)}];"

    def _statements(self, step: Step, condition: str = "") -> Iterator[str]:
        operation = step.operation
        qubits = ",".join(self.names[qubit] for qubit in step.qubits)
        match operation.name:
            case "measure":
                yield f"{condition}measure {qubits} -> {self.names[step.clbits[0]]};"
            case "barrier":
                yield f"barrier {qubits};"
            case "reset":
                yield f"{condition}reset {qubits};"
            case "if_else" if not condition:
                yield from self._conditional(step)
            case "if_else" | "while_loop" | "for_loop" | "switch_case" | "break_loop" | "continue_loop":
                _refuse("It has no loops, and no `if` inside another.")
            case _:
                yield f"{condition}{self._gate(operation)} {qubits};"

    def _gate(self, operation: Operation) -> str:
        if is_defined(operation):
            return self.own.call(operation)
        angles = ",".join(real(float(parameter)) for parameter in operation.params)
        return _GATES[operation.name] + (f"({angles})" if angles else "")

    def _conditional(self, step: Step) -> Iterator[str]:
        bits, value, blocks = self._test(step)
        values = [value] if len(blocks) == 1 else [value, 1 - value]
        if len(values) == 2 and len(bits) > 1:
            _refuse("It has no `else`.")
        inside = [inner for block in blocks for inner in block]
        if any(not set(inner.clbits).isdisjoint(bits) for inner in inside[:-1]):
            _refuse("An `if` whose body measures into a bit that it tests would test it again.")
        for block, expected in zip(blocks, values, strict=True):
            for inner in block:
                yield from self._statements(inner, f"if({self.registers[bits]}=={expected}) ")

    def _test(self, step: Step) -> tuple[Bits, int, tuple[tuple[Step, ...], ...]]:
        """The bits that are tested, their value, and the blocks; an `if` that is all of another is joined to it."""
        tested: dict[Clbit, int] = {}
        while True:
            tested |= _read(step.operation)
            [block, *others] = step.blocks
            if others or len(block) != 1 or not isinstance(block[0].operation, IfElseOp) or len(block[0].blocks) > 1:
                break
            step = block[0]
        bits = tuple(sorted(tested, key=lambda bit: int(self.circuit.find_bit(bit).index)))
        return bits, sum(tested[bit] << place for place, bit in enumerate(bits)), step.blocks

    def _tested(self) -> Iterator[Bits]:
        for step in self.steps:
            if isinstance(step.operation, IfElseOp):
                yield self._test(step)[0]


def _read(operation: IfElseOp) -> dict[Clbit, int]:
    if not isinstance(operation.condition, tuple):
        _refuse("It compares a register with a number, nothing else.")
    tested, value = operation.condition
    bits = (tested,) if isinstance(tested, Clbit) else tuple(tested)
    return {bit: int(value) >> place & 1 for place, bit in enumerate(bits)}


def _refuse(why: str) -> NoReturn:
    raise Problem(
        "export_unsupported",
        f"This circuit cannot be written as OpenQASM 2. {why}",
        pointer="/circuit",
        ways_out=[{"format": "openqasm3"}],
    )
