"""Declarations: registers, variables, arrays, constants, inputs and outputs, and what a program gives out."""

from collections.abc import Mapping, Sequence
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.memory import Memory, bit_of, settled
from qstill.contract.circuits.openqasm3.classical.types import FLOAT, INT, Fault, Type, cast
from qstill.contract.circuits.openqasm3.classical.values import Free, Value, converted
from qstill.contract.circuits.openqasm3.definitions import Definitions
from qstill.contract.circuits.openqasm3.entities import Array, BitRegister, Entity, External, Qubits, Variable
from qstill.contract.circuits.openqasm3.gates import STANDARD
from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.openqasm3.steps import Definition, Register


class Declarations(Definitions):
    """inputs: the values that are given for `input`s."""

    def __init__(self, memory: Memory, limits: Limits, inputs: Mapping[str, float]) -> None:
        super().__init__(memory, limits)
        self.inputs = inputs
        self.declared_inputs: list[str] = []
        self.free: list[str] = []
        self.qubit_registers: list[Register] = []
        self.bit_registers: list[Register] = []
        self.outputs: list[tuple[str, Variable]] = []
        self.physical_qubits = 0
        self.does |= {
            ast.QubitDeclaration: self._qubits,
            ast.ClassicalDeclaration: self._declaration,
            ast.ConstantDeclaration: self._constant,
            ast.IODeclaration: self._input_or_output,
            ast.AliasStatement: lambda node: self.scope.declare(node.target.name, self.place(node.value)),
            ast.QuantumGateDefinition: self._define,
            ast.SubroutineDefinition: lambda node: self._outermost(node.name.name, node),
            ast.ExternDeclaration: lambda node: self._outermost(node.name.name, External(node.name.name)),
        }

    def _outermost(self, name: str, entity: Entity) -> None:
        if self.scope.outer is not None:
            raise Fault(f"'{name}' is defined inside a block; gates and subroutines stand at the top of a program")
        self._declare(name, entity)

    def _declare(self, name: str, entity: Entity) -> None:
        if self.included and name in STANDARD and not isinstance(entity, Definition) and self.scope.outer is None:
            raise Fault(f"the name '{name}' is a gate's")
        self.scope.declare(name, entity)

    def _define(self, node: ast.QuantumGateDefinition) -> None:
        self._outermost(node.name.name, self.definition(node))

    def _register_size(self, node: Any, limit: int, taken: int, things: str) -> int:
        size = 1 if node is None else self.integer(node, "the size of a register")
        if size < 1:
            raise Fault(f"a register has at least one of its {things}, not {size}")
        if taken + size > limit:
            raise Fault(f"more than {limit:,} {things} are declared", f"too_many_{things}")
        return size

    def _qubits(self, node: ast.QubitDeclaration) -> None:
        if self.scope.outer is not None:
            raise Fault("qubits are declared at the top of a program")
        if self.physical_qubits:
            raise Fault("a program has physical qubits or declares some, not both")
        start = sum(register.size for register in self.qubit_registers)
        size = self._register_size(node.size, self.limits.qubits, start, "qubits")
        scalar = node.size is None
        self._declare(node.qubit.name, Qubits(tuple(range(start, start + size)), scalar))
        self.qubit_registers.append(Register(node.qubit.name, size, scalar))

    def physical(self, name: str) -> Qubits:
        """`$3`, the fourth qubit of a device."""
        if self.in_gate:
            raise Fault(f"'{name}' is not seen inside a gate, which acts on the qubits that it names")
        if self.qubit_registers and not self.physical_qubits:
            raise Fault("a program has physical qubits or declares some, not both")
        number = int(name[1:])
        if number >= self.limits.qubits:
            raise Fault(f"hardware qubits are numbered below {self.limits.qubits:,}", "too_many_qubits")
        self.physical_qubits = max(self.physical_qubits, number + 1)
        self.qubit_registers = [Register("physical", self.physical_qubits)]
        return Qubits((number,), scalar=True)

    def _new_bits(self, name: str, size: int, *, scalar: bool) -> BitRegister:
        start = sum(register.size for register in self.bit_registers)
        if start + size > self.limits.bits:
            raise Fault(f"more than {self.limits.bits:,} bits are declared", "too_many_bits")
        self.bit_registers.append(Register(name, size, scalar))
        register = BitRegister(tuple(range(start, start + size)), scalar)
        self.memory.declare_bits(register.places)
        return register

    def _declaration(self, node: ast.ClassicalDeclaration) -> None:
        kind = self.type(node.type)
        name = node.identifier.name
        if kind.base is not None:
            self._declare(name, self._array(kind, node.init_expression))
            return
        if kind.kind == "bit" and self.scope.outer is None:
            initial = None if node.init_expression is None else self._initial(node.init_expression, kind)
            register = self._new_bits(name, kind.bits, scalar=kind.width is None)
            self._declare(name, register)
            if isinstance(initial, Qubits):
                self.memory.measure(self._as_many(initial, register.places), register.places)
            elif initial is not None:
                self.memory.write(register, initial)
            return
        value = (
            Value(kind, 0) if node.init_expression is None else self._fitting(self.value(node.init_expression), kind)
        )
        if kind.kind == "complex" and node.init_expression is None:
            value = Value(kind, 0j)
        self._declare(name, self.memory.declare(kind, value))

    def _initial(self, node: Any, kind: Type) -> Value | Qubits:
        if isinstance(node, ast.QuantumMeasurement):
            return self.qubits(node.qubit)
        return self._fitting(self.value(node), kind)

    def _fitting(self, value: Value, kind: Type) -> Value:
        """Bits keep their number where they are given to bits."""
        if kind.kind == value.type.kind == "bit" and kind.bits != value.type.bits:
            raise Fault(f"{value.type} does not fit {kind}")
        return converted(value, kind)

    def _as_many(self, qubits: Qubits, places: Sequence[int]) -> tuple[int, ...]:
        if len(qubits.places) != len(places):
            raise Fault(f"{len(qubits.places)} qubits are measured into {len(places)} bits")
        return qubits.places

    def _array(self, kind: Type, initial: Any) -> Array:
        assert kind.base is not None
        if isinstance(initial, ast.ArrayLiteral):
            return Array(kind, self._cells(kind.base, kind.shape, initial))
        if initial is not None:
            other = self.place(initial)
            if not isinstance(other, Array) or other.type.shape != kind.shape:
                raise Fault("an array is given the elements of one of its own shape")
            return Array(kind, _copied(other.cells, lambda cell: self.memory.declare(kind.base, cell.value)))
        return Array(kind, self._cells(kind.base, kind.shape, None))

    def _cells(self, kind: Type, shape: tuple[int, ...], node: Any) -> Any:
        if not shape:
            self.count(1)
            return self.memory.declare(kind, Value(kind, 0) if node is None else self.value(node))
        if node is None:
            return [self._cells(kind, shape[1:], None) for _ in range(shape[0])]
        if not isinstance(node, ast.ArrayLiteral):
            other = self.place(node)
            if not isinstance(other, Array) or other.type.shape != shape:
                raise Fault(f"there should be {shape[0]} elements in braces")
            return _copied(other.cells, lambda cell: self.memory.declare(kind, cell.value))
        if len(node.values) != shape[0]:
            raise Fault(f"there are {len(node.values)} elements for {shape[0]} places")
        return [self._cells(kind, shape[1:], element) for element in node.values]

    def _constant(self, node: ast.ConstantDeclaration) -> None:
        kind = self.type(node.type)
        value = self._fitting(self.value(node.init_expression), kind)
        if not settled(value):
            raise Fault("a const has a value that no measurement decides")
        self._declare(node.identifier.name, Variable(kind, value, self.memory.region, constant=True))

    def _input_or_output(self, node: ast.IODeclaration) -> None:
        name, kind = node.identifier.name, self.type(node.type)
        if node.io_identifier is ast.IOKeyword.output:
            self._output(name, kind)
            return
        if kind.base is not None or kind.kind in ("complex", "duration"):
            raise Fault(f"an input of type {kind} cannot be given a value here", "qasm_unsupported")
        self.declared_inputs.append(name)
        given = self.inputs.get(name)
        if given is None:
            kind = FLOAT if kind.kind == "angle" else kind  # gates take it as it is, whatever turns it has
            value = Value(kind, Free(name))
            self.free.append(name)
        elif kind.kind in ("float", "angle") or float(given).is_integer():
            value = Value(kind, cast(given if kind.kind in ("float", "angle") else int(given), _given(kind), kind))
        else:
            raise Fault(f"the input '{name}' of type {kind} cannot be {given}")
        self._declare(name, self.memory.declare(kind, value))

    def _output(self, name: str, kind: Type) -> None:
        if kind.kind == "bit":
            self._declare(name, self._new_bits(name, kind.bits, scalar=kind.width is None))
            return
        if not kind.bits:
            raise Fault(f"an output of type {kind} has no bits that counts could hold", "qasm_unsupported")
        variable = self.memory.declare(kind, Value(kind, 0))
        self._declare(name, variable)
        self.outputs.append((name, variable))

    def _results(self) -> list[tuple[str, Variable]]:
        """Of a program without bits at its top: the variables there that measurements decide on."""
        if self.bit_registers:
            return []
        return [
            (name, entity)
            for name, entity in self.scope.names.items()
            if isinstance(entity, Variable) and entity.type.bits and not settled(entity.value)
        ]

    def _give_out(self, name: str, variable: Variable) -> None:
        """An integer's bits as a register of its name."""
        register = self._new_bits(name, variable.type.bits, scalar=variable.type.kind == "bool")
        bits = [bit_of(variable.value, Value(INT, index)) for index in range(variable.type.bits)]
        for place, bit in zip(register.places, bits, strict=True):
            self.memory.write(BitRegister((place,), scalar=True), bit)

    # Statements.


def _given(kind: Type) -> Type:
    return Type("float", 64) if kind.kind in ("float", "angle") else Type("int", 64)


def _copied(cells: Any, copy: Any) -> Any:
    return copy(cells) if isinstance(cells, Variable) else [_copied(cell, copy) for cell in cells]
