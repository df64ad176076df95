"""Subroutines: a call is written out where it stands, its arguments in a scope of its own."""

from collections.abc import Sequence

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.memory import Memory
from qstill.contract.circuits.openqasm3.classical.places import unknown
from qstill.contract.circuits.openqasm3.classical.types import Fault
from qstill.contract.circuits.openqasm3.classical.values import Free, Value, leaves
from qstill.contract.circuits.openqasm3.entities import Array, Entity, Qubits, Scope, Variable
from qstill.contract.circuits.openqasm3.flow import Frame
from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.openqasm3.timing import Timing

MAX_CALLS = 64  # subroutines within subroutines


class Subroutines(Timing):
    def __init__(self, memory: Memory, limits: Limits) -> None:
        super().__init__(memory, limits)
        self.call = self._subroutine
        self.does[ast.ReturnStatement] = self._return

    def _return(self, node: ast.ReturnStatement) -> None:
        frame = next((frame for frame in reversed(self.frames) if frame.kind == "call"), None)
        if frame is None:
            raise Fault("`return` stands outside of a subroutine")
        if (node.expression is None) != (frame.returns is None):
            raise Fault("a subroutine returns what its `->` says")
        if node.expression is not None and frame.returns is not None:
            value = self.value(node.expression)
            if self.memory.region == frame.region:
                frame.value = self.memory.declare(frame.returns, value).value
            else:
                assert frame.result is not None
                self.memory.assign(frame.result, value)
        self._leave("call")

    def _subroutine(self, node: ast.SubroutineDefinition, arguments: Sequence[ast.Expression]) -> Value | None:
        if len(arguments) != len(node.arguments):
            raise Fault(f"'{node.name.name}' takes {len(node.arguments)} arguments, not {len(arguments)}")
        if sum(frame.kind == "call" for frame in self.frames) >= MAX_CALLS:
            raise Fault(f"subroutines call one another more than {MAX_CALLS} deep")
        self.count(1)
        given = [self._argument(formal, actual) for formal, actual in zip(node.arguments, arguments, strict=True)]
        returns = None if node.return_type is None else self.type(node.return_type)
        frame = Frame("call", self.memory.region, returns)
        if returns is not None:
            frame.result = Variable(returns, Value(returns, 0), self.memory.region)
        caller, outer = self.scope, _global(self.scope)
        left_before, self.maybe_left = self.maybe_left, []
        self.scope = Scope(outer, sealed=True)
        try:
            for formal, entity in zip(node.arguments, given, strict=True):
                self.scope.declare(formal.name.name, entity)
            with self._frame(frame):
                self.statements(node.body)
        finally:
            self.scope = caller
            self.maybe_left = left_before + [each for each in self.maybe_left if each not in left_before]
        if returns is None:
            return None
        if frame.value is None and frame.flag is None:
            raise Fault(f"'{node.name.name}' ends without a `return`")
        if frame.value is not None and frame.flag is None:
            return frame.value
        assert frame.result is not None
        return frame.result.value

    def _argument(self, formal: ast.ClassicalArgument | ast.QuantumArgument, actual: ast.Expression) -> Entity:
        name = formal.name.name
        if isinstance(formal, ast.QuantumArgument):
            qubits = self.qubits(actual)
            size = None if formal.size is None else self.integer(formal.size, "the size of a register")
            if len(qubits.places) != (1 if size is None else size):
                raise Fault(f"'{name}' is {size or 1} qubits, not {len(qubits.places)}")
            return Qubits(qubits.places, scalar=size is None)
        if isinstance(formal.type, ast.ArrayReferenceType):
            return self._array_argument(formal, actual)
        kind = self.type(formal.type)
        value = self.value(actual)
        if any(isinstance(leaf, Free) for leaf in leaves(value.data)) and kind.kind not in ("float", "angle"):
            raise unknown(value, "an argument")
        return self.memory.declare(kind, value)

    def _array_argument(self, formal: ast.ClassicalArgument, actual: ast.Expression) -> Array:
        assert isinstance(formal.type, ast.ArrayReferenceType)
        array = self.place(actual)
        if not isinstance(array, Array):
            raise Fault(f"'{formal.name.name}' is an array")
        if self.type(formal.type.base_type) != array.type.base:
            raise Fault(f"'{formal.name.name}' is an array of {self.type(formal.type.base_type)}, not {array.type}")
        dimensions = formal.type.dimensions
        if isinstance(dimensions, list):
            shape = tuple(self.integer(size, "the size of an array") for size in dimensions)
            fits = shape == array.type.shape
        else:
            fits = self.integer(dimensions, "a number of dimensions") == len(array.type.shape)
        if not fits:
            raise Fault(f"'{formal.name.name}' has another shape than {array.type}")
        readonly = formal.access is ast.AccessControl.readonly
        return Array(array.type, array.cells, readonly or array.readonly)


def _global(scope: Scope) -> Scope:
    while scope.outer is not None:
        scope = scope.outer
    return scope
