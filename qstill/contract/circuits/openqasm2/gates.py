"""The gates that a program may call: those of qelib1.inc, and its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from qstill.contract.circuits.openqasm2.expressions import Expression, Values, read_expression, value_of, why_no_value
from qstill.contract.circuits.openqasm2.program import Barrier, Call, OwnGate
from qstill.contract.circuits.openqasm2.tokens import Enough, Tokens

_ADDED = "u0 u p sx sxdg swap cswap crx cry cp csx cu rxx rzz rccx rc3x c3x c3sqrtx c4x"  # by Qiskit
_ARITIES = {  # of gates: angles and qubits
    (0, 1): "id x y z h s sdg t tdg sx sxdg",
    (1, 1): "rx ry rz u1 p u0",
    (2, 1): "u2",
    (3, 1): "u3 u U",
    (0, 2): "cx CX cz cy ch swap csx",
    (1, 2): "crz cu1 crx cry cp rxx rzz",
    (3, 2): "cu3",
    (4, 2): "cu",
    (0, 3): "ccx cswap rccx",
    (0, 4): "rc3x c3x c3sqrtx",
    (0, 5): "c4x",
}


@dataclass(frozen=True, slots=True)
class Standard:
    """size, depth: as those of a definition."""

    name: str
    parameters: int
    qubits: int
    size: int = 1
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Use:
    """A gate in a definition, or a barrier where it is None. place: in the source."""

    gate: "Known | None"
    angles: tuple[Expression, ...]
    qubits: tuple[int, ...]
    place: int


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """size: operations, if every gate were written out, counted no further than one beyond the limit.

    depth: definitions one in another. body: None of an opaque gate.
    """

    name: str
    parameters: int
    qubits: int
    body: tuple[_Use, ...] | None
    size: int = 1
    depth: int = 1
    bound: dict[Values, OwnGate] = field(default_factory=dict)


Known: TypeAlias = Standard | Definition

STANDARD = {name: Standard(name, *arity) for arity, names in _ARITIES.items() for name in names.split()}


class Gates:
    """The gates known so far, by name."""

    def __init__(self, tokens: Tokens, *, most_operations: int, max_nesting: int, most_calls: int | None) -> None:
        """most_calls: after so many gates of definitions whose angles are computed, `Enough` is raised."""
        self.tokens = tokens
        self.most_operations = most_operations
        self.max_nesting = max_nesting
        self.calls_left = most_calls
        self.known: dict[str, Known] = {name: STANDARD[name] for name in ("U", "CX", *_ADDED.split())}

    def include(self) -> None:
        """Add those of qelib1.inc. What the program has defined stays its own."""
        self.known = STANDARD | {name: gate for name, gate in self.known.items() if isinstance(gate, Definition)}

    def define(self) -> None:
        tokens = self.tokens
        opaque = tokens.advance() == "opaque"
        place = tokens.place
        name = tokens.new_name("a gate's name")
        if isinstance(self.known.get(name), Definition):
            tokens.refuse(f"'{name}' is already defined", place=place)
        parameters = tokens.names("a parameter's name", ")") if tokens.take("(") else {}
        if tokens.text in ("{", ";"):
            tokens.unexpected("a qubit's name")
        qubits = tokens.names("a qubit's name", ";" if opaque else "{")
        if opaque:
            self.known[name] = Definition(name, len(parameters), len(qubits), None)
            return
        body: list[_Use] = []
        size, depth = 0, 0
        while not tokens.take("}"):
            if tokens.take(";"):
                continue
            use = self._use(parameters, qubits)
            body.append(use)
            if use.gate is not None:
                size = min(size + use.gate.size, self.most_operations + 1)
                depth = max(depth, use.gate.depth)
            if depth >= self.max_nesting:
                message = f"gate definitions use one another more than {self.max_nesting} deep"
                tokens.refuse(message, code="qasm_too_deep")
        self.known[name] = Definition(name, len(parameters), len(qubits), tuple(body), max(1, size), depth + 1)

    def _use(self, parameters: Mapping[str, int], qubits: Mapping[str, int]) -> _Use:
        """One gate or barrier of a definition."""
        tokens = self.tokens
        place = tokens.place
        gate: Known | None = None
        angles: tuple[Expression, ...] = ()
        if not tokens.take("barrier"):
            gate, angles = self.called(parameters)
        found: list[int] = []
        while tokens.text != ";":
            if tokens.text not in qubits:
                tokens.refuse(f"'{tokens.text[:40]}' is no qubit of this gate")
            found.append(qubits[tokens.advance()])
            if not tokens.take(","):
                break
        tokens.expect(";")
        if gate is not None and len(found) != gate.qubits:
            tokens.refuse(f"'{gate.name}' acts on {gate.qubits} qubits, not {len(found)}", place=place)
        if gate is not None and len({*found}) != len(found):
            tokens.refuse(f"'{gate.name}' is given a qubit twice", place=place)
        return _Use(gate, angles, tuple(dict.fromkeys(found)), place)

    def called(self, parameters: Mapping[str, int]) -> tuple[Known, tuple[Expression, ...]]:
        """A gate's name and its angles."""
        tokens = self.tokens
        place = tokens.place
        name = tokens.name("a statement")
        gate = self.known.get(name)
        if gate is None:
            known = name in STANDARD
            tokens.refuse(
                f"'{name}' is not defined" + (', as `include "qelib1.inc";` would define it' if known else ""),
                place=place,
            )
        if isinstance(gate, Definition) and gate.body is None:
            message = f"'{name}' is opaque: it has no definition to simulate"
            tokens.refuse(message, code="qasm_unsupported", place=place)
        angles: list[Expression] = []
        if tokens.take("("):
            while tokens.text != ")":
                angles.append(read_expression(tokens, parameters, max_nesting=self.max_nesting))
                if not tokens.take(","):
                    break
            tokens.expect(")")
        if len(angles) != gate.parameters:
            tokens.refuse(f"'{name}' takes {gate.parameters} angles, not {len(angles)}", place=place)
        return gate, tuple(angles)

    def values(self, expressions: tuple[Expression, ...], values: Values, place: int) -> Values:
        try:
            return tuple(value_of(expression, values) for expression in expressions)
        except (ArithmeticError, ValueError) as error:
            self.tokens.refuse(why_no_value(error), place=place)

    def bound(self, gate: Definition, angles: Values, place: int) -> OwnGate:
        """The definition with these angles; one for all calls with the same. place: of the call in the program."""
        found = gate.bound.get(angles)
        if found is None:
            body: list[Call | Barrier] = []
            for use in gate.body or ():
                if self.calls_left is not None:
                    self.calls_left -= 1
                    if self.calls_left < 0:
                        raise Enough
                if use.gate is None:
                    body.append(Barrier(use.qubits or tuple(range(gate.qubits))))
                    continue
                inner = self.values(use.angles, angles, place)
                name = use.gate.name if isinstance(use.gate, Standard) else self.bound(use.gate, inner, place)
                body.append(Call(name, inner, use.qubits))
            found = gate.bound[angles] = OwnGate(gate.name, angles, gate.qubits, tuple(body))
        return found
