"""Definitions of gates: a body of gates on qubits of its own, its angles free."""

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.types import FLOAT, Fault
from qstill.contract.circuits.openqasm3.classical.values import Free, Value
from qstill.contract.circuits.openqasm3.entities import Qubits, Variable
from qstill.contract.circuits.openqasm3.steps import Barrier, Definition, Gate
from qstill.contract.circuits.openqasm3.subroutines import Subroutines

MAX_GATE_OPERATIONS = 10_000  # of one definition, all that it stands for written out


class Definitions(Subroutines):
    in_gate = False

    def definition(self, node: ast.QuantumGateDefinition) -> Definition:
        """A gate of the program's own, its body elaborated once with free parameters."""
        parameters = tuple(argument.name for argument in node.arguments)
        names = [*parameters, *(qubit.name for qubit in node.qubits)]
        if len(set(names)) != len(names):
            raise Fault(f"gate '{node.name.name}' names a parameter or qubit twice")
        definition = Definition(node.name.name, parameters, len(node.qubits))
        with self.block(sealed=True), self.memory.inside() as body:
            for parameter in parameters:
                free = Value(FLOAT, Free(parameter))
                self.scope.names[parameter] = Variable(FLOAT, free, constant=True)
            for place, qubit in enumerate(node.qubits):
                self.scope.names[qubit.name] = Qubits((place,), scalar=True)
            before, self.operations, self.in_gate = self.operations, 0, True
            try:
                self.statements(node.body)
                definition.size = max(1, self.operations)
            finally:
                self.operations, self.in_gate = before, False
        if definition.size > MAX_GATE_OPERATIONS:
            message = f"gate '{definition.name}' expands to more than {MAX_GATE_OPERATIONS:,} operations"
            raise Fault(message, "too_many_operations")
        for step in body:
            if isinstance(step, Barrier):
                continue  # it keeps a compiler from moving gates, and none moves them inside a gate
            if not isinstance(step, Gate):
                raise Fault(f"gate '{definition.name}' holds more than gates")
            definition.body.append(step)
        return definition
