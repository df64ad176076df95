"""OpenQASM 3: what `qstill.contract.circuits.openqasm3` reads, in Qiskit.

Where every condition is one that Qiskit has, the circuit is Qiskit's alone and every engine may run it. Where the
program computes with what it measures, its operations are those of `workers.circuits.classical`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    Gate,
    IfElseOp,
    Measure,
    Parameter,
    QuantumRegister,
    Reset,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.controlflow import condition_resources
from qiskit.circuit.library import GlobalPhaseGate, get_standard_gate_name_mapping
from qiskit.circuit.library import standard_gates as std

from qstill.contract.circuits.openqasm3 import steps as qasm
from qstill.contract.circuits.openqasm3.classical.places import NeedsInput
from qstill.contract.circuits.openqasm3.classical.types import Fault
from qstill.contract.circuits.openqasm3.classical.values import Bits, Free, Slot, leaves
from qstill.contract.circuits.openqasm3.reader import elaborate
from qstill.contract.circuits.source_text import SOURCE
from qstill.contract.errors import Problem
from workers.circuits.classical import Compute, Computed, Read, slot_of, slot_variable
from workers.circuits.parse.conditions import NotQiskits, condition_of, nested
from workers.circuits.parse.formulas import formula
from workers.circuits.parse.modifiers import modified
from workers.circuits.parse.own_gates import own_gate

INPUTS, WITHOUT_EFFECT = "inputs", "without_effect"  # what a circuit's metadata say of its program

_OTHER_NAMES: dict[str, type[Gate]] = {
    "U": std.UGate,
    "CX": std.CXGate,
    "phase": std.PhaseGate,
    "cphase": std.CPhaseGate,
    "gphase": GlobalPhaseGate,
}
_GATES: dict[str, type[Gate]] = {
    **{name: type(gate) for name, gate in get_standard_gate_name_mapping().items() if isinstance(gate, Gate)},
    **_OTHER_NAMES,
}


def parse_openqasm3(source: str, inputs: Mapping[str, float] | None = None) -> QuantumCircuit:
    """The program in Qiskit, loops unrolled, an `input` without a value as a `Parameter`.

    Raises `Problem` with the line, its pointer at the source.
    """
    program = elaborate(source, inputs)
    try:
        try:
            return _Writer(program, native=True).circuit()
        except NotQiskits:
            return _Writer(program, native=False).circuit()
    except RecursionError:
        raise Problem("qasm_too_deep", "The program is nested too deep to be read.", pointer=SOURCE) from None
    except Fault as fault:
        raise Problem(fault.code, f"{fault.message[:1].upper()}{fault.message[1:]}.", pointer=SOURCE) from None


class _Writer:
    """native: conditions are Qiskit's; `NotQiskits` where one cannot be."""

    def __init__(self, program: qasm.Elaborated, *, native: bool) -> None:
        self.program = program
        self.native = native
        self.qubits: list[Any] = []
        self.clbits: list[Clbit] = []
        self.registers: list[ClassicalRegister] = []
        self.parameters = {name: Parameter(name) for name in program.free}
        self.gates: dict[Any, Gate] = {}
        self.slots = program.slots

    def circuit(self) -> QuantumCircuit:
        whole = QuantumCircuit()
        for register in self.program.qubits:
            whole.add_register(QuantumRegister(register.size, register.name))
        for register in self.program.bits:
            whole.add_register(ClassicalRegister(register.size, _free_name(whole, register.name)))
        self.qubits, self.clbits, self.registers = whole.qubits, whole.clbits, list(whole.cregs)
        self._write(self.program.steps, whole)
        for variable in _variables(whole):
            whole.add_uninitialized_var(variable)
        whole.metadata = {INPUTS: list(self.program.inputs), WITHOUT_EFFECT: list(self.program.silent)}
        for unused in self.parameters.values():
            if unused not in whole.parameters:
                whole.global_phase += unused - unused  # it can be given a value like any other
        return whole

    def _write(self, written: Sequence[qasm.Step], into: QuantumCircuit) -> None:
        for step in written:
            match step:
                case qasm.Gate():
                    self._gate(step, into)
                case qasm.Measure() if step.bit < 0:
                    self._not_native()
                    into._append(CircuitInstruction(Read(step.bit), (self.qubits[step.qubit],)))
                case qasm.Measure():
                    into._append(CircuitInstruction(Measure(), (self.qubits[step.qubit],), (self.clbits[step.bit],)))
                case qasm.Reset():
                    into._append(CircuitInstruction(Reset(), (self.qubits[step.qubit],)))
                case qasm.Barrier():
                    qubits = [self.qubits[place] for place in step.qubits]
                    into._append(CircuitInstruction(Barrier(len(qubits)), qubits))
                case qasm.Assign():
                    self._compute(step.bits, step.slot, step.data, into)
                case qasm.If():
                    self._if(step, into)
                case qasm.While():
                    self._while(step, into)

    def _not_native(self) -> None:
        if self.native:
            raise NotQiskits

    def _compute(self, places: tuple[int, ...], slot: int | None, data: Any, into: QuantumCircuit) -> None:
        self._not_native()
        for leaf in leaves(data):
            if isinstance(leaf, Free):
                raise NeedsInput(leaf.name)
        seen = dict.fromkeys(place for place in [*places, *_places(data)] if place >= 0)
        clbits = [self.clbits[place] for place in seen]
        into._append(CircuitInstruction(Compute(places, slot, data, len(clbits)), (), clbits))

    def _block(self, written: Sequence[qasm.Step]) -> QuantumCircuit:
        block = QuantumCircuit(self.qubits, self.clbits, *self.registers)
        self._write(written, block)
        return block

    def _if(self, step: qasm.If, into: QuantumCircuit) -> None:
        if self.native and (simpler := nested(step, self._is_register)) is not None:
            self._if(simpler, into)
            return
        condition = self._condition(step.condition, into)
        then, otherwise = self._block(step.then), self._block(step.otherwise)
        if not step.otherwise:
            used = _used([then], self.qubits, self.clbits, condition)
            operation = IfElseOp(condition, _narrowed(then, *used), None)
        else:
            used = _used([then, otherwise], self.qubits, self.clbits, condition)
            operation = IfElseOp(condition, _narrowed(then, *used), _narrowed(otherwise, *used))
        into._append(CircuitInstruction(operation, *used))

    def _is_register(self, places: tuple[int, ...]) -> bool:
        return tuple(self.clbits[place] for place in places) in {tuple(register) for register in self.registers}

    def _while(self, step: qasm.While, into: QuantumCircuit) -> None:
        condition = self._condition(step.condition, into)
        body = self._block(step.body)
        if not self.native:
            self._condition(step.condition, body, condition)
        used = _used([body], self.qubits, self.clbits, condition)
        into._append(CircuitInstruction(WhileLoopOp(condition, _narrowed(body, *used)), *used))

    def _condition(self, data: Any, into: QuantumCircuit, again: Any = None) -> Any:
        """Qiskit's condition, or a slot that is computed here. again: the slot that a loop's condition has."""
        if self.native:
            return condition_of(data, self.clbits, self.registers)
        if again is None:
            again = slot_variable(self.slots)
            self.slots += 1
        self._compute((), slot_of(again), data, into)
        return again

    def _gate(self, step: qasm.Gate, into: QuantumCircuit) -> None:
        if not step.modifiers and all(type(angle) is float for angle in step.angles) and step.gate != "gphase":
            qubits = [self.qubits[place] for place in step.qubits]
            into._append(CircuitInstruction(self._plain(step.gate, step.angles), qubits))
            return
        if step.gate == "gphase" and not any(kind in ("ctrl", "negctrl") for kind, _ in step.modifiers):
            gate = self._known(step, self.parameters)
            into.global_phase += gate.params[0]
            return
        qubits = [self.qubits[place] for place in step.qubits]
        if any(isinstance(leaf, Bits | Slot) for angle in step.angles for leaf in leaves(angle)):
            self._not_native()
            into._append(CircuitInstruction(self._computed(step), qubits))
            return
        into._append(CircuitInstruction(self._known(step, self.parameters), qubits))

    def _computed(self, step: qasm.Gate) -> Computed:
        for angle in step.angles:
            for leaf in leaves(angle):
                if isinstance(leaf, Free):
                    raise NeedsInput(leaf.name)
        name = step.gate.name if isinstance(step.gate, qasm.Definition) else step.gate

        def build(angles: Sequence[float]) -> Gate:
            return self._known(qasm.Gate(step.gate, tuple(angles), step.qubits, step.modifiers), {})

        return Computed(name, len(step.qubits), step.angles, build)

    def _plain(self, gate: str | qasm.Definition, angles: tuple[float, ...]) -> Gate:
        """A gate whose angles are numbers; without angles one for all its uses."""
        if angles:
            return self._made(gate, angles)
        key = gate if isinstance(gate, str) else id(gate)
        if (found := self.gates.get(key)) is None:
            found = self.gates[key] = self._made(gate, ())
        return found

    def _known(self, step: qasm.Gate, free: Mapping[str, Any]) -> Gate:
        """The gate in Qiskit, one for all its uses where it has no angles. free: values of the names in angles."""
        angles = step.angles
        if not angles:
            key: Any = (step.gate if isinstance(step.gate, str) else id(step.gate), step.modifiers)
            found = self.gates.get(key)
            if found is None:
                found = self.gates[key] = modified(self._made(step.gate, ()), step.modifiers)
            return found
        values = [angle if type(angle) is float else formula(angle, free) for angle in angles]
        made = self._made(step.gate, values)
        if not step.modifiers:
            return made
        return modified(_with_phase(made, _phase(step.gate, values)), step.modifiers)

    def _made(self, gate: str | qasm.Definition, values: Sequence[Any]) -> Gate:
        if isinstance(gate, str):
            return _GATES[gate](*values)
        free = dict(zip(gate.parameters, values, strict=True))
        definition = QuantumCircuit(gate.qubits)
        qubits = definition.qubits
        for step in gate.body:
            inner = self._known(step, free)
            if inner.num_qubits == 0:
                definition.global_phase += inner.params[0]
            else:
                definition._append(CircuitInstruction(inner, [qubits[place] for place in step.qubits]))
                if not step.modifiers:
                    definition.global_phase += _phase(step.gate, inner.params)
        return own_gate(gate.name, definition, values)


def _phase(gate: str | qasm.Definition, angles: Sequence[Any]) -> Any:
    """By how much the language's gate is ahead of Qiskit's, radians: controls and powers bring it to light."""
    match gate:
        case "U":
            return angles[0] / 2
        case "u2" | "u3":
            return -(angles[-2] + angles[-1]) / 2
        case _:
            return 0


def _with_phase(gate: Gate, phase: Any) -> Gate:
    if isinstance(phase, int | float) and phase == 0:
        return gate
    definition = QuantumCircuit(gate.num_qubits, global_phase=phase)
    definition.append(gate, range(gate.num_qubits))
    return own_gate(gate.name, definition, list(gate.params))


def _places(data: Any) -> list[int]:
    return [place for leaf in leaves(data) if isinstance(leaf, Bits) for place in leaf.places]


def _free_name(circuit: QuantumCircuit, name: str) -> str:
    """Qiskit wants names of registers to differ, quantum from classical too."""
    taken = {register.name for register in circuit.qregs}
    return f"{name}_" if name in taken else name


def _used(
    blocks: Sequence[QuantumCircuit], qubits: Sequence[Any], clbits: Sequence[Clbit], condition: Any
) -> tuple[list[Any], list[Clbit]]:
    """The qubits and bits that blocks and their condition touch, in the circuit's order."""
    seen = {bit for block in blocks for instruction in block.data for bit in (*instruction.qubits, *instruction.clbits)}
    seen |= set(condition_resources(condition).clbits)
    return [qubit for qubit in qubits if qubit in seen], [clbit for clbit in clbits if clbit in seen]


def _narrowed(block: QuantumCircuit, qubits: Sequence[Any], clbits: Sequence[Clbit]) -> QuantumCircuit:
    held = set(clbits)
    registers = [register for register in block.cregs if held.issuperset(register)]
    captured = _variables(block)
    narrow = QuantumCircuit(qubits, clbits, *registers, global_phase=block.global_phase, captures=captured)
    for instruction in block.data:
        narrow._append(instruction)
    return narrow


def _variables(block: QuantumCircuit) -> list[expr.Var]:
    """The slots that conditions in a block read: Qiskit wants each declared."""
    found: dict[expr.Var, None] = {}
    for instruction in block.data:
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            if isinstance(operation.condition, expr.Var) and operation.condition.standalone:
                found[operation.condition] = None
            found |= dict.fromkeys(variable for inner in operation.blocks for variable in inner.iter_captured_vars())
    return list(found)
