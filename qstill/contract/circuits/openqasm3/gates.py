"""Gates of a program: the standard ones by name, its own definitions, modifiers, and registers as operands."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.gates import MAX_QUBITS
from qstill.contract.circuits.openqasm3.classical.expressions import Expressions
from qstill.contract.circuits.openqasm3.classical.memory import Memory
from qstill.contract.circuits.openqasm3.classical.places import unknown
from qstill.contract.circuits.openqasm3.classical.types import Fault, NamedTwice
from qstill.contract.circuits.openqasm3.classical.values import real
from qstill.contract.circuits.openqasm3.entities import Qubits
from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.openqasm3.steps import Definition, Gate, Modifier

BUILT_IN: Mapping[str, tuple[int, int]] = {"U": (3, 1)}  # name: angles, qubits
STANDARD: Mapping[str, tuple[int, int]] = {  # stdgates.inc
    **dict.fromkeys(("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "id"), (0, 1)),
    **dict.fromkeys(("p", "phase", "rx", "ry", "rz", "u1"), (1, 1)),
    **dict.fromkeys(("cx", "CX", "cy", "cz", "ch", "swap"), (0, 2)),
    **dict.fromkeys(("cp", "cphase", "crx", "cry", "crz"), (1, 2)),
    **dict.fromkeys(("ccx", "cswap"), (0, 3)),
    "cu": (4, 2),
    "u2": (2, 1),
    "u3": (3, 1),
}
BEYOND: Mapping[
    str, tuple[int, int]
] = {  # Qiskit's other gates, known beside stdgates.inc until a program defines them
    **dict.fromkeys(("sxdg",), (0, 1)),
    **dict.fromkeys(("csx", "cs", "csdg", "dcx", "ecr", "iswap"), (0, 2)),
    **dict.fromkeys(("ccz", "rccx"), (0, 3)),
    **dict.fromkeys(("rcccx", "c3sx"), (0, 4)),
    **dict.fromkeys(("rxx", "ryy", "rzz", "rzx", "cu1"), (1, 2)),
    **dict.fromkeys(("xx_minus_yy", "xx_plus_yy"), (2, 2)),
    "r": (2, 1),
    "u": (3, 1),
    "cu3": (3, 2),
}
INCLUDED = {**BEYOND, **STANDARD}


class Gates(Expressions):
    """Application and definition of gates. included: whether the program includes stdgates.inc."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        super().__init__(memory, limits)
        self.included = False
        self.operations = 0
        self.does[ast.QuantumGate] = self._gate
        self.does[ast.QuantumPhase] = self._phase

    def count(self, operations: int) -> None:
        """So many more operations stand in the circuit."""
        self.operations += operations
        if self.operations > self.limits.operations:
            raise Fault(
                f"the program expands to more than {self.limits.operations:,} operations", "too_many_operations"
            )

    def _gate(self, node: ast.QuantumGate) -> None:
        gate, count, width = self._called(node.name.name)
        if len(node.arguments) != count:
            raise Fault(f"{_named(gate)} takes {_some(count, 'angle')}, not {len(node.arguments)}")
        angles = tuple([self._angle(angle) for angle in node.arguments]) if count else ()
        self._apply(gate, angles, node.qubits, width, node.modifiers)

    def _phase(self, node: ast.QuantumPhase) -> None:
        """gphase, a gate on no qubit."""
        self._apply("gphase", (self._angle(node.argument),), node.qubits, 0, node.modifiers)

    def _called(self, name: str) -> tuple[str | Definition, int, int]:
        """The gate of a name, how many angles it takes, and on how many qubits it acts."""
        known = self.scope.gates.get(name)
        if known is None:
            known = self.scope.gates[name] = self._looked_up(name)
        return known

    def _looked_up(self, name: str) -> tuple[str | Definition, int, int]:
        if (found := self.scope.find(name)) is not None:
            if isinstance(found, Definition):
                return found, len(found.parameters), found.qubits
            raise Fault(f"'{name}' is no gate")
        known = INCLUDED if self.included else BUILT_IN
        if (sizes := known.get(name) or BUILT_IN.get(name)) is None:
            hint = '; `include "stdgates.inc";` brings it' if name in INCLUDED else ""
            raise Fault(f"there is no gate '{name}'{hint}")
        return name, *sizes

    def _angle(self, node: Any) -> Any:
        angle = real(self.value(node))
        if angle.known and not isfinite(angle.data):
            raise Fault("an angle must be finite")
        return angle.data

    def _apply(
        self,
        gate: str | Definition,
        angles: tuple[Any, ...],
        operands: Sequence[Any],
        width: int,
        written: Sequence[ast.QuantumGateModifier],
    ) -> None:
        modifiers: tuple[Modifier, ...] = ()
        if written:
            modifiers = tuple(self._modifier(modifier) for modifier in written)
            width += sum(amount for kind, amount in modifiers if kind in ("ctrl", "negctrl"))
        if len(operands) != width:
            raise Fault(f"{_named(gate)} acts here on {_some(width, 'qubit')}, not {len(operands)}")
        groups = [self.qubits(operand) for operand in operands]
        size = gate.size if isinstance(gate, Definition) else 1
        for qubits in _spread(groups):
            if len(qubits) > 1 and len(set(qubits)) != len(qubits):
                raise NamedTwice
            self.count(size)
            self.memory.steps.append(Gate(gate, angles, qubits, modifiers))

    def _modifier(self, node: ast.QuantumGateModifier) -> Modifier:
        kind = node.modifier.name
        if kind == "inv":
            return "inv", None
        if kind == "pow":
            value = self.value(node.argument)
            exponent = real(value)
            if not exponent.known:
                raise unknown(value, "a power")
            return "pow", exponent.data
        controls = 1 if node.argument is None else self.integer(node.argument, "a number of controls")
        if not 1 <= controls <= MAX_QUBITS:
            raise Fault(f"a gate has between 1 and {MAX_QUBITS:,} controls")
        return ("ctrl", controls) if kind == "ctrl" else ("negctrl", controls)


def _spread(groups: Sequence[Qubits]) -> Sequence[tuple[int, ...]]:
    """The operands of each application: registers of one length go in step, single qubits serve all."""
    sizes = {len(group.places) for group in groups if not group.scalar}
    if not sizes:
        return [tuple([group.places[0] for group in groups])]
    if len(sizes) > 1:
        raise Fault(f"registers of {' and '.join(map(str, sorted(sizes)))} qubits do not go in step")
    (size,) = sizes
    return [tuple(group.places[0 if group.scalar else index] for group in groups) for index in range(size)]


def _named(gate: str | Definition) -> str:
    return gate.name if isinstance(gate, Definition) else gate


def _some(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
