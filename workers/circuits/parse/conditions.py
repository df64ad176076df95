"""Conditions of OpenQASM 3 in Qiskit's words: a bit or register and its value where that says it, or an expression."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr

from qstill.contract.circuits.openqasm3.classical.types import BIT, BOOL, Type
from qstill.contract.circuits.openqasm3.classical.values import Bits, Node
from qstill.contract.circuits.openqasm3.steps import If


class NotQiskits(Exception):
    """Qiskit has no such condition: it has to be computed."""


MAX_TWICE = 4  # steps of a block that connectives may write twice

_COMPARED: dict[str, Callable[[Any, Any], expr.Expr]] = {
    "==": expr.equal,
    "!=": expr.not_equal,
    "<": expr.less,
    "<=": expr.less_equal,
    ">": expr.greater,
    ">=": expr.greater_equal,
}
_LOGIC: dict[str, Callable[[Any, Any], expr.Expr]] = {"&&": expr.logic_and, "||": expr.logic_or}
_BITWISE: dict[str, Callable[[Any, Any], expr.Expr]] = {"&": expr.bit_and, "|": expr.bit_or, "^": expr.bit_xor}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def condition_of(data: Any, clbits: Sequence[Clbit], registers: Sequence[ClassicalRegister]) -> Any:
    """A truth value for `if` and `while`. Raises `NotQiskits`."""
    lifted = _Lift(clbits, registers).truth(data)
    return _as_pair(lifted)


def nested(step: If, is_register: Callable[[tuple[int, ...]], bool]) -> If | None:
    """The same branch without its outermost `&&`, `||`, `!` or `!=`, as branches within branches; None where that would
    write long blocks twice. Engines and formats that know `bit = value` alone then know the whole.

    is_register: whether these bits are a register, which Qiskit compares as a whole.
    """
    match step.condition:
        case Node(function="==", arguments=(Bits(places=places), int(value))) if (
            len(places) > 1
            and not is_register(places)
            and not value >> len(places)
            and len(step.otherwise) <= MAX_TWICE
        ):
            *others, last = [(place, value >> index & 1) for index, place in enumerate(places)]
            branch = If(_test(*last), step.then, step.otherwise)
            for other in reversed(others):
                branch = If(_test(*other), [branch], step.otherwise)
            return branch
        case Node(function="&&", arguments=(left, right)) if len(step.otherwise) <= MAX_TWICE:
            return If(left, [If(right, step.then, step.otherwise)], step.otherwise)
        case Node(function="||", arguments=(left, right)) if len(step.then) <= MAX_TWICE:
            return If(left, step.then, [If(right, step.then, step.otherwise)])
        case Node(function="!", arguments=(Node() as inner,)) if not _is_bit(inner):
            return If(inner, step.otherwise, step.then)
        case Node(function="!=", to=to, types=(of, _) as kinds, arguments=arguments) if not _is_single(of):
            return If(Node("==", to, kinds, arguments), step.otherwise, step.then)
    return None


def _test(place: int, value: int) -> Node:
    bit = Node("cast", BOOL, (BIT,), (Bits((place,)),))
    return bit if value else Node("!", BOOL, (BOOL,), (bit,))


def _is_bit(data: Any) -> bool:
    return isinstance(data, Node) and data.function == "cast" and _is_single(data.types[0])


class _Lift:
    def __init__(self, clbits: Sequence[Clbit], registers: Sequence[ClassicalRegister]) -> None:
        self.clbits = clbits
        self.registers = {tuple(register): register for register in registers}

    def truth(self, data: Any) -> expr.Expr:
        """A tree whose value is a bool, or a single bit."""
        match data:
            case bool():
                return expr.lift(data)
            case Bits(places=(place,)) if place >= 0:
                return expr.lift(self.clbits[place])
            case Node(function="cast", types=(of,), arguments=(argument,)):
                if _is_single(of):
                    return self.truth(argument)
                return self._compared("!=", argument, of, 0)
            case Node(function="!" | "~", types=(of,), arguments=(argument,)) if _is_single(of):
                return expr.logic_not(self.truth(argument))
            case Node(function=function, arguments=(left, right)) if function in _LOGIC:
                return _LOGIC[function](self.truth(left), self.truth(right))
            case Node(function=function, types=(of, beside), arguments=(left, right)) if function in _COMPARED:
                return self._comparison(function, left, of, right, beside)
            case Node(function=function, to=to, types=(of, beside), arguments=(left, right)) if (
                function in _BITWISE and _is_single(to) and _is_single(of) and _is_single(beside)
            ):
                return _BITWISE[function](self._bool(left), self._bool(right))
        raise NotQiskits

    def _bool(self, data: Any) -> expr.Expr:
        return expr.lift(bool(data)) if isinstance(data, int) else self.truth(data)

    def _comparison(self, function: str, left: Any, of: Type, right: Any, beside: Type) -> expr.Expr:
        if isinstance(right, int):
            return self._compared(function, left, of, right)
        if isinstance(left, int):
            return self._compared(_MIRRORED[function], right, beside, left)
        if _is_single(of) and _is_single(beside) and function in ("==", "!="):
            return _COMPARED[function](self.truth(left), self.truth(right))
        one, other = self.number(left, of), self.number(right, beside)
        return _COMPARED[function](one, other)

    def _compared(self, function: str, data: Any, of: Type, value: int) -> expr.Expr:
        if _is_single(of):
            if function not in ("==", "!=") or value not in (0, 1):
                raise NotQiskits
            truth = self.truth(data)
            return truth if bool(value) == (function == "==") else expr.logic_not(truth)
        data, of, value = _without_casts(function, data, of, int(value))
        if function in ("==", "!=") and (several := self._each_bit(data, of, value)) is not None:
            return several if function == "==" else expr.logic_not(several)
        number = self.number(data, of)
        if not 0 <= value < 1 << number.type.width:
            raise NotQiskits
        return _COMPARED[function](number, expr.lift(value, number.type))

    def _each_bit(self, data: Any, of: Type, value: int) -> expr.Expr | None:
        """Bits that are no whole register, one by one."""
        while isinstance(data, Node) and data.function == "cast" and _keeps_value(data.types[0], data.to):
            data = data.arguments[0]
        if not isinstance(data, Bits) or any(place < 0 for place in data.places) or value >> len(data.places):
            return None
        if tuple(self.clbits[place] for place in data.places) in self.registers:
            return None
        tests = [
            expr.lift(self.clbits[place]) if value >> index & 1 else expr.logic_not(self.clbits[place])
            for index, place in enumerate(data.places)
        ]
        return reduce(expr.logic_and, tests)

    def number(self, data: Any, of: Type) -> expr.Expr:
        """A tree whose value is an unsigned integer."""
        match data:
            case Bits(places=places) if all(place >= 0 for place in places):
                register = self.registers.get(tuple(self.clbits[place] for place in places))
                if register is None or len(places) == 1:
                    raise NotQiskits
                return expr.lift(register)
            case Node(function="cast", to=to, types=(source,), arguments=(argument,)) if _keeps_value(source, to):
                return self.number(argument, source)
            case Node(function="~", arguments=(argument,)) if of.kind in ("bit", "uint"):
                number = self.number(argument, of)
                if number.type.width == of.bits:
                    return expr.bit_not(number)
            case Node(function=function, types=(left_type, right_type), arguments=(left, right)) if (
                function in _BITWISE and of.kind in ("bit", "uint")
            ):
                return self._bitwise(function, (left, left_type), (right, right_type))
        raise NotQiskits

    def _bitwise(self, function: str, left: tuple[Any, Type], right: tuple[Any, Type]) -> expr.Expr:
        if isinstance(left[0], int):
            left, right = right, left
        number = self.number(*left)
        if isinstance(right[0], int):
            if not 0 <= right[0] < 1 << number.type.width:
                raise NotQiskits
            return _BITWISE[function](number, expr.lift(int(right[0]), number.type))
        return _BITWISE[function](number, self.number(*right))


def _is_single(kind: Type) -> bool:
    return kind.kind == "bool" or (kind.kind == "bit" and kind.width is None)


def _keeps_value(source: Type, to: Type) -> bool:
    """Whether a cast of an unsigned integer changes nothing."""
    if source.kind not in ("bit", "bool", "uint"):
        return False
    return source.bits <= to.bits if to.kind in ("bit", "uint") else to.kind == "int" and source.bits < to.bits


def _without_casts(function: str, data: Any, of: Type, value: int) -> tuple[Any, Type, int]:
    """A register taken for a signed number of its own width equals a number where its bits do."""
    match data:
        case Node(function="cast", to=to, types=(source,), arguments=(argument,)):
            same = to.kind == "int" and source.kind == "bit" and source.width == to.width
            if same and function in ("==", "!=") and -(1 << (to.bits - 1)) <= value < 1 << (to.bits - 1):
                return argument, source, value % (1 << to.bits)
    return data, of, value


def _as_pair(lifted: expr.Expr) -> Any:
    """`bit = value` and `register = value`, which every engine knows, in place of an expression."""
    match lifted:
        case expr.Var(var=Clbit() as clbit):
            return clbit, True
        case expr.Unary(op=expr.Unary.Op.LOGIC_NOT, operand=expr.Var(var=Clbit() as clbit)):
            return clbit, False
        case expr.Binary(
            op=expr.Binary.Op.EQUAL, left=expr.Var(var=ClassicalRegister() as register), right=expr.Value(value=value)
        ):
            return register, int(value)
    return lifted
