"""Branches and loops. What is known is followed here; what measurements decide on becomes a step.

`break`, `continue`, `return` and `end` under a condition that is not known raise a flag while the program runs; what
would come after them is put under an `If` that the flag is not raised.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.assigned import assigned
from qstill.contract.circuits.openqasm3.classical.memory import Memory, bit_of, settled
from qstill.contract.circuits.openqasm3.classical.places import QubitAtRunTime, unknown
from qstill.contract.circuits.openqasm3.classical.types import BOOL, INT, INTEGERS, Fault, NamedTwice, Type
from qstill.contract.circuits.openqasm3.classical.values import Value, binary, calculate, truth, unary
from qstill.contract.circuits.openqasm3.entities import Array, BitRegister, Scope, Variable
from qstill.contract.circuits.openqasm3.gates import Gates
from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.openqasm3.steps import If, While

_ON_QUBITS = (
    ast.QuantumGate,
    ast.QuantumPhase,
    ast.QuantumReset,
    ast.QuantumMeasurementStatement,
    ast.ClassicalAssignment,
    ast.ExpressionStatement,
)  # statements that may name a qubit by what was measured


class Frame:
    """A loop, one of its iterations, a subroutine's call or the program: what a statement may leave.

    region: where leaving needs no flag. flag: raised while the program runs by leaving from further inside.
    """

    def __init__(self, kind: str, region: int, returns: Type | None = None) -> None:
        self.kind = kind
        self.region = region
        self.returns = returns
        self.flag: Variable | None = None
        self.result: Variable | None = None
        self.value: Value | None = None


class _Left(Exception):
    """A frame is left here; nothing after it in this block happens."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame


class Flow(Gates):
    def __init__(self, memory: Memory, limits: Limits) -> None:
        super().__init__(memory, limits)
        self.frames = [Frame("program", 0)]
        self.maybe_left: list[Frame] = []  # frames that measurements may have had left already
        self.does |= {
            ast.BranchingStatement: self._branching,
            ast.SwitchStatement: self._switch,
            ast.ForInLoop: self._for,
            ast.WhileLoop: self._while,
            ast.CompoundStatement: lambda node: self.nested(node.statements),
            ast.BreakStatement: lambda node: self._leave("loop"),
            ast.ContinueStatement: lambda node: self._leave("iteration"),
            ast.EndStatement: lambda node: self._leave("program"),
        }

    def statement(self, node: Any) -> None:
        does = self.does.get(type(node))
        if does is None:
            raise Fault(f"{type(node).__name__} is not supported here", "qasm_unsupported")
        if getattr(node, "annotations", None):
            self.without_effect("annotation")
        try:
            self._done(node, does)
        except Fault as fault:
            if fault.place is None and node.span is not None:
                fault.place = node.span.start_line, node.span.start_column + 1
            raise

    def _done(self, node: Any, does: Callable[[Any], None]) -> None:
        written = len(self.memory.steps)
        try:
            does(node)
        except QubitAtRunTime as unknown_qubit:
            if not isinstance(node, _ON_QUBITS) or len(self.memory.steps) > written:
                raise
            self._on_each(node, unknown_qubit)

    def _on_each(self, node: Any, on: QubitAtRunTime) -> None:
        """The statement for every qubit that its operand may mean, each under the condition that it is this one."""
        numbers = [Value(INT, number) for number in range(on.size)]
        found = self.memory.declare(INT, calculate("chosen", INT, on.known, *numbers))
        self._pin([node])
        for number in numbers:
            self.count(1)
            self.taken_as[id(on.index)] = number.data
            with self._region() as steps:
                try:
                    self.statement(node)
                except NamedTwice:  # wrong only where the program comes here
                    self.memory.assign(found, calculate("named_twice", INT, found.value))
            self.memory.steps.append(If(binary("==", found.value, number).data, steps, []))
        del self.taken_as[id(on.index)]

    @contextmanager
    def block(self, *, sealed: bool = False) -> Iterator[None]:
        """A scope of its own."""
        outer, self.scope = self.scope, Scope(self.scope, sealed)
        try:
            yield
        finally:
            self.scope = outer

    def nested(self, nodes: Sequence[Any]) -> None:
        with self.block():
            self.statements(nodes)

    def statements(self, nodes: Sequence[Any]) -> None:
        """One after the other; after one that may have left a frame, the others under a condition."""
        for index, node in enumerate(nodes):
            self.statement(node)
            if self.maybe_left and index + 1 < len(nodes):
                rest = nodes[index + 1 :]
                self._unless_left(rest, lambda: self.statements(rest))  # noqa: B023
                return

    def run(self, nodes: Sequence[Any]) -> None:
        """The whole program."""
        try:
            self.statements(nodes)
        except _Left:
            return

    # Regions: what a measurement decides on.

    def _pin(self, nodes: Sequence[Any]) -> None:
        for name in assigned(nodes):
            self.memory.pin(self.scope.find(name))

    @contextmanager
    def _region(self) -> Iterator[list[Any]]:
        """The steps of a region. A frame that is left in it may be left afterwards."""
        before, self.maybe_left = self.maybe_left, []
        with self.memory.inside() as steps:
            try:
                yield steps
            except _Left as left:
                self.maybe_left.append(left.frame)
        self.maybe_left = before + [frame for frame in self.maybe_left if frame not in before]

    def _unless_left(self, nodes: Sequence[Any], then: Callable[[], None]) -> None:
        condition = self._not_left(self.maybe_left)
        self._pin(nodes)
        with self._region() as steps:
            then()
        self.memory.steps.append(If(condition.data, steps, []))

    def _not_left(self, frames: Sequence[Frame]) -> Value:
        condition = Value(BOOL, True)
        for frame in frames:
            assert frame.flag is not None
            condition = binary("&&", condition, unary("!", frame.flag.value))
        return condition

    @contextmanager
    def _frame(self, frame: Frame) -> Iterator[Frame]:
        self.frames.append(frame)
        start, steps = len(self.memory.steps), self.memory.steps
        try:
            yield frame
        except _Left as left:
            if left.frame is not frame:
                raise
        finally:
            self.frames.pop()
            if frame.flag is not None:  # a loop around it may come here again
                steps.insert(start, self.memory.cleared(frame.flag))
            if frame in self.maybe_left:
                self.maybe_left.remove(frame)

    def _leave(self, kind: str) -> None:
        frame = next((frame for frame in reversed(self.frames) if frame.kind in (kind, "call")), None)
        if kind == "program":
            frame = self.frames[0]
        if frame is None or frame.kind != kind:
            word = {"loop": "break", "iteration": "continue", "call": "return"}[kind]
            raise Fault(f"`{word}` stands outside of a {'subroutine' if kind == 'call' else 'loop'}")
        if self.memory.region != frame.region:
            if frame.flag is None:
                frame.flag = self.memory.flag()
            self.memory.assign(frame.flag, Value(BOOL, True))
        raise _Left(frame)

    # Branches.

    def condition(self, node: Any) -> Value:
        value = truth(self.value(node))
        if not value.known and settled(value):
            raise unknown(value, "a condition")
        return value

    def _branching(self, node: ast.BranchingStatement) -> None:
        condition = self.condition(node.condition)
        if condition.known:
            self.nested(node.if_block if condition.data else node.else_block)
            return
        self._branch(condition, node.if_block, lambda: self.nested(node.else_block), node.else_block)

    def _branch(
        self, condition: Value, then: Sequence[Any], otherwise: Callable[[], None], nodes: Sequence[Any]
    ) -> None:
        self._pin([*then, *nodes])
        self.count(1)
        with self._region() as first:
            self.nested(then)
        with self._region() as second:
            otherwise()
        self.memory.steps.append(If(condition.data, first, second))

    def _switch(self, node: ast.SwitchStatement) -> None:
        target = self.value(node.target)
        if target.type.kind not in INTEGERS:
            raise Fault(f"a switch is on an integer, not on {target.type}")
        default = [] if node.default is None else node.default.statements
        cases: list[tuple[list[Value], Sequence[Any]]] = []
        seen: set[Any] = set()
        for literals, block in node.cases:
            values = [Value(INT, self.integer(literal, "a case")) for literal in literals]
            for value in values:
                if value.data in seen:
                    raise Fault(f"the case {value.data} is there twice")
                seen.add(value.data)
            cases.append((values, block.statements))
        self._cases(target, cases, default)

    def _cases(self, target: Value, cases: Sequence[tuple[list[Value], Sequence[Any]]], default: Sequence[Any]) -> None:
        if not cases:
            self.nested(default)
            return
        (values, block), *others = cases
        condition = Value(BOOL, False)
        for value in values:
            condition = binary("||", condition, binary("==", target, value))
        if condition.known:
            self.nested(block) if condition.data else self._cases(target, others, default)
            return
        if settled(condition):
            raise unknown(condition, "a case")
        below = [node for _, nodes in others for node in nodes]
        self._branch(condition, block, lambda: self._cases(target, others, default), [*below, *default])

    # Loops.

    def _for(self, node: ast.ForInLoop) -> None:
        kind = self.type(node.type)
        items = self._items(node.set_declaration)
        self.count(len(items))
        with self._frame(Frame("loop", self.memory.region)):
            for each in items:
                item = Value(INT, each) if isinstance(each, int) else each
                if self.maybe_left:
                    self._unless_left(node.block, lambda: self._iteration(node, kind, item))  # noqa: B023
                else:
                    self._iteration(node, kind, item)

    def _items(self, node: Any) -> Sequence[int | Value]:
        if isinstance(node, ast.RangeDefinition):
            return self.range(node)
        if isinstance(node, ast.DiscreteSet):
            return [self.value(item) for item in node.values]
        place = self.place(node)
        if isinstance(place, Array) and len(place.type.shape) == 1:
            return [cell.value for cell in place.cells]
        if isinstance(place, BitRegister | Variable):
            value = self.read(place)
            if value.type.kind == "bit" and value.type.width is not None:
                return [bit_of(value, Value(INT, index)) for index in range(value.type.bits)]
        raise Fault("a loop runs over a range, a set, an array of one dimension or the bits of a register")

    def _iteration(self, node: ast.ForInLoop, kind: Type, item: Value) -> None:
        with self._frame(Frame("iteration", self.memory.region)), self.block():
            self.scope.declare(node.identifier.name, self.memory.declare(kind, item))
            self.statements(node.block)

    def _while(self, node: ast.WhileLoop) -> None:
        with self._frame(Frame("loop", self.memory.region)):
            for _ in range(self.limits.iterations):
                condition = self.condition(node.while_condition)
                if condition.known and not condition.data:
                    return
                if not condition.known or self.maybe_left:
                    break
                self.count(1)
                with self._frame(Frame("iteration", self.memory.region)):
                    self.nested(node.block)
            else:
                raise Fault(f"a loop may have {self.limits.iterations:,} iterations", "qasm_loop_too_long")
            self._pin(node.block)
            self._run_time_loop(node, condition)

    def _run_time_loop(self, node: ast.WhileLoop, first: Value) -> None:
        goes_on = self.memory.flag() if self._calls(node.while_condition) else None
        if goes_on is None:
            first = self.condition(node.while_condition)  # anew: what the loop changes is read from where it is kept
        else:
            self.memory.assign(goes_on, first)
            self.memory.pin(goes_on)
            first = goes_on.value
        before = list(self.maybe_left)
        with self._region() as steps:
            with self._frame(Frame("iteration", -1)):
                try:
                    self.nested(node.block)
                except _Left as left:
                    if left.frame not in self.maybe_left:
                        self.maybe_left.append(left.frame)
            if goes_on is not None:
                self.memory.assign(goes_on, self.condition(node.while_condition))
        left_inside = [each for each in self.maybe_left if each not in before]
        self.memory.steps.append(While(binary("&&", first, self._not_left([*before, *left_inside])).data, steps))

    def _calls(self, node: Any) -> bool:
        """Whether an expression calls a subroutine of the program, which may measure."""
        match node:
            case ast.FunctionCall():
                return isinstance(self.scope.find(node.name.name), ast.SubroutineDefinition)
            case ast.UnaryExpression():
                return self._calls(node.expression)
            case ast.BinaryExpression():
                return self._calls(node.lhs) or self._calls(node.rhs)
            case ast.Cast():
                return self._calls(node.argument)
        return False
