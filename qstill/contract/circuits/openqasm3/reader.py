"""OpenQASM 3, from text to steps: the one reader of the language.

    elaborate('OPENQASM 3.0; include "stdgates.inc"; qubit q; h q;')

What is known when a program is read is followed: constants, loops, subroutines, branches. What measurements decide on
stays: branches, loops, and the classical values that they need. The meaning is that of openqasm.com/language.
"""

from collections.abc import Mapping
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.memory import Memory, bit_of, joined, with_bit
from qstill.contract.circuits.openqasm3.classical.types import INT, Fault, Type
from qstill.contract.circuits.openqasm3.classical.values import Value, binary, calculate, converted
from qstill.contract.circuits.openqasm3.declarations import Declarations
from qstill.contract.circuits.openqasm3.direct import measured_directly
from qstill.contract.circuits.openqasm3.entities import Array, BitRegister, Entity, Qubits, Variable
from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.openqasm3.steps import Barrier, Elaborated, Reset
from qstill.contract.circuits.openqasm3.syntax.statements import parse_program
from qstill.contract.circuits.source_text import SOURCE
from qstill.contract.errors import Problem

USUAL = Limits()
MAX_SAID = 10  # kinds of statements without effect that are named


def elaborate(source: str, inputs: Mapping[str, float] | None = None, limits: Limits = USUAL) -> Elaborated:
    """The program's steps. inputs: values for `input`s; those without one stay free where angles need no value.

    Raises `Problem` with the line, its pointer at the source; `unbound_parameters` where an input without a value
    decides on more than an angle.
    """
    return Reader(inputs or {}, limits).program(parse_program(source))


class Reader(Declarations):
    """Assignments, measurements and what else a statement does, and a whole program."""

    def __init__(self, inputs: Mapping[str, float], limits: Limits = USUAL) -> None:
        super().__init__(Memory(), limits, inputs)
        self.does |= {
            ast.Include: self._include,
            ast.ClassicalAssignment: self._assignment,
            ast.QuantumMeasurementStatement: self._measure,
            ast.QuantumReset: self._reset,
            ast.QuantumBarrier: self._barrier,
            ast.ExpressionStatement: self._expression,
            ast.Pragma: lambda node: self.without_effect("pragma"),
            ast.CalibrationDefinition: lambda node: self._refuse("defcal"),
            ast.CalibrationStatement: lambda node: self._refuse("cal"),
            ast.CalibrationGrammarDeclaration: lambda node: self.without_effect("defcalgrammar"),
        }

    def program(self, program: ast.Program) -> Elaborated:
        if program.version is not None and program.version.partition(".")[0] != "3":
            raise Problem("qasm_version", f"This is OpenQASM {program.version}, not 3.", pointer=SOURCE)
        try:
            self.run(program.statements)
            for name, variable in self.outputs or self._results():
                self._give_out(name, variable)
        except Fault as fault:
            where = "" if fault.place is None else "Line {}, column {}: ".format(*fault.place)
            raise Problem(fault.code, f"{where}{fault.message}.", pointer=SOURCE) from None
        except RecursionError:
            raise Problem("qasm_too_deep", "The program is nested too deep to be read.", pointer=SOURCE) from None
        self.memory.finish()
        if not self.qubit_registers:
            raise Problem("no_qubits", "The program declares no qubit.", pointer=SOURCE)
        return Elaborated(
            qubits=self.qubit_registers,
            bits=self.bit_registers,
            steps=measured_directly(self.memory.steps),
            inputs=self.declared_inputs,
            free=self.free,
            slots=self.memory.slots,
            silent=list(self.silent)[:MAX_SAID],
        )

    def _refuse(self, what: str) -> None:
        raise Fault(f"'{what}' describes pulses, which are not simulated here", "qasm_unsupported")

    def _include(self, node: ast.Include) -> None:
        if node.filename != "stdgates.inc":
            raise Fault('only "stdgates.inc" may be included', "qasm_include")
        if self.scope.outer is not None:
            raise Fault("`include` stands at the top of a program")
        self.included = True

    def _expression(self, node: ast.ExpressionStatement) -> None:
        if isinstance(node.expression, ast.FunctionCall):
            self.called(node.expression)
        else:
            self.value(node.expression)

    def _assignment(self, node: ast.ClassicalAssignment) -> None:
        if isinstance(node.rvalue, ast.QuantumMeasurement):
            self._measure_into(self.qubits(node.rvalue.qubit), node.lvalue)
            return
        sign = node.op.name[:-1]
        target = None if isinstance(node.lvalue, ast.IndexedIdentifier) else self.place(node.lvalue)
        if isinstance(target, Array):
            self._assign_array(target, node.rvalue, sign)
            return
        if isinstance(node.lvalue, ast.IndexedIdentifier):
            whole = self.place(node.lvalue.name)
            if isinstance(whole, Array):
                part = self.place(node.lvalue)
                if isinstance(part, Array):
                    self._assign_array(part, node.rvalue, sign)
                    return
        value = self.value(node.rvalue)
        if sign:
            value = binary(sign, self.value_of(node.lvalue), value)
        self._assign(node.lvalue, value)

    def value_of(self, node: ast.Identifier | ast.IndexedIdentifier) -> Value:
        return self.read(self.place(node))

    def _assign(self, target: ast.Identifier | ast.IndexedIdentifier, value: Value) -> None:
        """Give a name, or what an index of it says, another value."""
        if isinstance(target, ast.Identifier):
            self._assign_whole(self.place(target), value, target.name)
            return
        whole = self.place(target.name)
        if isinstance(whole, Array):
            self._assign_element(whole, target, value)
        elif isinstance(whole, Variable) and whole.type.bits:
            self._assign_bits(whole, target, value)
        elif isinstance(whole, BitRegister) and (chosen := self._chosen_at_run_time(target.indices[0])) is not None:
            self.memory.write(whole, with_bit(self.memory.read(whole), chosen, value))
        else:
            self._assign_whole(self.place(target), value, target.name.name)

    def _assign_whole(self, entity: Entity, value: Value, name: str) -> None:
        if isinstance(entity, BitRegister):
            self.memory.write(entity, self._fitting(value, entity.type))
        elif isinstance(entity, Variable) and not entity.constant:
            self.memory.assign(entity, self._fitting(value, entity.type))
        else:
            raise Fault(f"'{name}' cannot be given a value")

    def _assign_bits(self, variable: Variable, target: ast.IndexedIdentifier, value: Value) -> None:
        if variable.constant:
            raise Fault(f"'{target.name.name}' cannot be given a value")
        (index,) = target.indices
        chosen = self._chosen_at_run_time(index)
        if chosen is not None:
            self.memory.assign(variable, with_bit(variable.value, chosen, value))
            return
        indices, single = self.indices(index, variable.type.bits)
        value = self._fitting(value, Type("bit", None if single else len(indices)))
        if single:
            self.memory.assign(variable, with_bit(variable.value, Value(INT, indices[0]), value))
            return
        bits = [bit_of(variable.value, Value(INT, bit)) for bit in range(variable.type.bits)]
        for place, bit in enumerate(indices):
            bits[bit] = bit_of(value, Value(INT, place))
        self.memory.assign(variable, converted(joined(bits), variable.type))

    def _assign_element(self, array: Array, target: ast.IndexedIdentifier, value: Value) -> None:
        if array.readonly:
            raise Fault(f"'{target.name.name}' cannot be given a value")
        (index,) = target.indices
        chosen = self._chosen_at_run_time(index) if len(array.type.shape) == 1 else None
        if chosen is None:
            self._assign_whole(self.place(target), value, target.name.name)
            return
        for place, cell in enumerate(array.cells):
            here = binary("==", chosen, Value(INT, place))
            self.memory.assign(cell, calculate("otherwise", cell.type, here, converted(value, cell.type), cell.value))

    def _assign_array(self, array: Array, node: Any, sign: str) -> None:
        if array.readonly or sign:
            raise Fault("an array is given a value as a whole by `=`, and only if it is not `readonly`")
        assert array.type.base is not None
        fresh = self._array(array.type, node)
        for cell, new in zip(array.flat(), fresh.flat(), strict=True):
            self.memory.assign(cell, new.value)

    def _measure(self, node: ast.QuantumMeasurementStatement) -> None:
        qubits = self.qubits(node.measure.qubit)
        if node.target is None:
            self.memory.measured(qubits.places, scalar=qubits.scalar)
        else:
            self._measure_into(qubits, node.target)

    def _measure_into(self, qubits: Qubits, target: ast.Identifier | ast.IndexedIdentifier) -> None:
        name = target.name if isinstance(target, ast.IndexedIdentifier) else target
        if isinstance(self.place(name), BitRegister):
            place = self.place(target)
            if isinstance(place, BitRegister):
                self.memory.measure(self._as_many(qubits, place.places), place.places)
                return
        value = self.memory.measured(qubits.places, scalar=qubits.scalar)
        self._assign(target, value)

    def _reset(self, node: ast.QuantumReset) -> None:
        for qubit in self.qubits(node.qubits).places:
            self.count(1)
            self.memory.steps.append(Reset(qubit))

    def _barrier(self, node: ast.QuantumBarrier) -> None:
        qubits = [place for operand in node.qubits for place in self.qubits(operand).places]
        if not node.qubits:
            qubits = list(range(sum(register.size for register in self.qubit_registers)))
        self.count(1)
        self.memory.steps.append(Barrier(tuple(dict.fromkeys(qubits))))
