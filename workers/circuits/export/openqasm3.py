"""OpenQASM 3: the gates of `stdgates.inc`, `ctrl @` for whatever is controlled, `if` and loops as they are."""

from collections.abc import Iterator, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Bit, ClassicalRegister, Clbit, ControlledGate, ForLoopOp, IfElseOp, Operation, WhileLoopOp

from qstill.contract.errors import Problem
from workers.circuits.export.definitions import Definitions, is_defined
from workers.circuits.export.lowering import Step, all_ones, lower, without_controls
from workers.circuits.export.words import angle, plain_name, with_plain_parameters, words

_STANDARD = words("p x y z h s sdg t tdg sx rx ry rz cx cy cz cp crx cry crz ch cu swap ccx cswap id")
_BASE = words("p x y z h s sdg t tdg sx sxdg rx ry rz swap rxx ryy rzz")  # what may follow `ctrl @`
_DEFINED = {
    "rxx": "gate rxx(t) a, b { h a; h b; cx a, b; rz(t) b; cx a, b; h a; h b; }",
    "ryy": "gate ryy(t) a, b { rx(pi/2) a; rx(pi/2) b; cx a, b; rz(t) b; cx a, b; rx(-pi/2) a; rx(-pi/2) b; }",
    "rzz": "gate rzz(t) a, b { cx a, b; rz(t) b; cx a, b; }",
}
_SPELLED = {"sxdg": "inv @ sx", "u": "U"}


def to_openqasm3(circuit: QuantumCircuit) -> str:
    """The circuit as a program; free parameters become inputs. Raises `Problem` where it cannot be written."""
    return _Writer(with_plain_parameters(circuit)).write()


def _known(operation: Operation) -> bool:
    if is_defined(operation) or operation.name == "u" or (operation.name in _STANDARD and all_ones(operation)):
        return True
    base, _ = without_controls(operation)
    return base.name in _BASE


class _Writer:
    def __init__(self, circuit: QuantumCircuit) -> None:
        self.circuit = circuit
        self.names: dict[Bit, str] = {}
        self.registers: dict[ClassicalRegister, str] = {}
        self.taken = {parameter.name for parameter in circuit.parameters}
        self.used: set[str] = set()
        self.own = Definitions(_known, self._gate, taken=self.taken, comma=", ", small=False)

    def write(self) -> str:
        declarations = [f"input float[64] {parameter.name};" for parameter in self.circuit.parameters]
        declarations += self._declare("qubit", self.circuit.qubits, self.circuit.qregs)
        declarations += self._declare("bit", self.circuit.clbits, self.circuit.cregs)
        body = list(self._block(lower(self.circuit, _known), ""))
        gates = [text for name, text in _DEFINED.items() if name in self.used]
        gates += self.own.lines
        return "\n".join(["OPENQASM 3.0;", 'include "stdgates.inc";', *gates, *declarations, *body, ""])

    def _declare(self, kind: str, bits: Sequence[Bit], registers: Sequence[Any]) -> Iterator[str]:
        """Registers in the order of their bits, single bits by themselves, and registers over others' bits as `let`."""
        whole = {register[0]: register for register in registers if list(register) == self._run_from(register, bits)}
        position = 0
        while position < len(bits):
            register = whole.get(bits[position])
            name = self._name(register.name if register is not None else f"{kind[0]}{position}")
            if register is None:
                yield f"{kind} {name};"
                self.names[bits[position]] = name
                position += 1
                continue
            yield f"{kind}[{len(register)}] {name};"
            self.names |= {bit: f"{name}[{index}]" for index, bit in enumerate(register)}
            if kind == "bit":
                self.registers[register] = name
            position += len(register)
        for register in registers:
            if kind == "bit" and len(register) and register not in self.registers:
                yield self._alias(register)

    def _run_from(self, register: Any, bits: Sequence[Bit]) -> list[Bit]:
        if not len(register):
            return []
        start = self.circuit.find_bit(register[0]).index
        run = list(bits[start : start + len(register)])
        free = all(self.circuit.find_bit(bit).registers[0][0] == register for bit in run[:1])
        return run if free else []

    def _alias(self, register: ClassicalRegister) -> str:
        name = self.registers[register] = self._name(register.name)
        parts = [self.names[bit] for bit in register]
        slices = [part.replace("]", f":{part.rpartition('[')[2]}") if "[" in part else part for part in parts]
        return f"let {name} = {' ++ '.join(slices)};"

    def _name(self, wanted: str) -> str:
        name = plain_name(wanted, self.taken)
        self.taken.add(name)
        return name

    def _block(self, steps: Sequence[Step], indent: str) -> Iterator[str]:
        for step in steps:
            yield from (indent + line for line in self._statement(step))

    def _statement(self, step: Step) -> Iterator[str]:
        operation = step.operation
        qubits = ", ".join(self.names[qubit] for qubit in step.qubits)
        match operation.name:
            case "measure":
                yield f"{self.names[step.clbits[0]]} = measure {qubits};"
            case "reset" | "barrier":
                yield f"{operation.name} {qubits};"
            case "break_loop" | "continue_loop":
                yield f"{operation.name.removesuffix('_loop')};"
            case "if_else" | "while_loop" | "for_loop":
                yield from self._control_flow(step)
            case "switch_case":
                raise Problem("export_unsupported", "A switch is not written as OpenQASM 3 here.", pointer="/circuit")
            case _:
                yield f"{self._gate(operation)} {qubits};"

    def _gate(self, operation: Operation) -> str:
        if is_defined(operation):
            return self.own.call(operation)
        base, modifiers = operation, ""
        if not (operation.name in _STANDARD and all_ones(operation)):
            base, _ = without_controls(operation)
            modifiers = _controls(operation) if isinstance(operation, ControlledGate) else ""
        self.used.add(base.name)
        angles = ", ".join(map(angle, base.params))
        return f"{modifiers}{_SPELLED.get(base.name, base.name)}" + (f"({angles})" if angles else "")

    def _control_flow(self, step: Step) -> Iterator[str]:
        operation = step.operation
        if isinstance(operation, IfElseOp):
            yield f"if ({self._condition(operation.condition)}) {{"
        elif isinstance(operation, WhileLoopOp):
            yield f"while ({self._condition(operation.condition)}) {{"
        elif isinstance(operation, ForLoopOp):
            values, parameter, _ = operation.params
            name = self._name("i") if parameter is None else parameter.name
            yield f"for int {name} in {_values(values)} {{"
        yield from self._block(step.blocks[0], "  ")
        if len(step.blocks) > 1:
            yield "} else {"
            yield from self._block(step.blocks[1], "  ")
        yield "}"

    def _condition(self, condition: Any) -> str:
        if not isinstance(condition, tuple):
            message = "A condition that is more than one comparison is not written as OpenQASM 3 here."
            raise Problem("export_unsupported", message, pointer="/circuit")
        tested, value = condition
        if isinstance(tested, Clbit):
            return self.names[tested] if value else f"!{self.names[tested]}"
        return f"{self.registers[tested]} == {int(value)}"


def _controls(operation: ControlledGate) -> str:
    """ "ctrl(2) @ negctrl @ ", the first control first."""
    runs: list[tuple[int, int]] = []
    for place in range(operation.num_ctrl_qubits):
        state = operation.ctrl_state >> place & 1
        length = runs.pop()[1] if runs and runs[-1][0] == state else 0
        runs.append((state, length + 1))
    return "".join(("ctrl" if state else "negctrl") + (f"({n})" if n > 1 else "") + " @ " for state, n in runs)


def _values(values: Any) -> str:
    if isinstance(values, range):
        last = values[-1] if len(values) else values.start - values.step
        return f"[{values.start}:{values.step}:{last}]"
    return "{" + ", ".join(map(str, values)) + "}"
