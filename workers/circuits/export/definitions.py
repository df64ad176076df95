"""Gates that a program defined, written as definitions again."""

from collections.abc import Callable

from qiskit import QuantumCircuit
from qiskit.circuit import ControlledGate, Operation

from workers.circuits.export.lowering import lower
from workers.circuits.export.words import plain_name
from workers.circuits.parse.own_gates import is_own, name_in_program


def is_defined(operation: Operation) -> bool:
    """Whether the operation is a gate by a definition of its program.

    Controlled ones are written out: in a definition that is written up to a phase, a control would see the phase.
    """
    return is_own(operation) and not isinstance(operation, ControlledGate)


class Definitions:
    """Definitions as text, each behind those that it uses: one for all gates of one name that do the same.

    Angles are numbers in a definition; its parameters are the circuit's free ones. A gate keeps the name that the
    program gave it unless the format, or another gate, has it.
    """

    def __init__(
        self,
        known: Callable[[Operation], bool],
        called: Callable[[Operation], str],
        *,
        taken: set[str],
        comma: str,
        small: bool,
    ) -> None:
        """known, called: of the format's own gates; how they are written. taken: names that others have.

        small: names begin with a small letter.
        """
        self.lines: list[str] = []
        self._known, self._called = known, called
        self._taken, self._comma, self._small = taken, comma, small
        self._names: dict[tuple[str, str], str] = {}
        self._calls: dict[int, tuple[QuantumCircuit, str]] = {}  # by the definition, which stays alive here

    def call(self, operation: Operation) -> str:
        """How the gate is called; its definition is written where there is none yet."""
        definition = operation.definition
        if id(definition) not in self._calls:
            parameters = [parameter.name for parameter in definition.parameters]
            angles = f"({self._comma.join(parameters)})" if parameters else ""
            text = angles + self._body(definition, parameters)
            key = (name_in_program(operation), text)
            if key not in self._names:
                wanted = key[0][:1].lower() + key[0][1:] if self._small else key[0]
                self._names[key] = plain_name(wanted, self._taken)
                self._taken.add(self._names[key])
                self.lines.append(f"gate {self._names[key]}{text}")
            self._calls[id(definition)] = definition, self._names[key] + angles
        return self._calls[id(definition)][1]

    def _body(self, definition: QuantumCircuit, parameters: list[str]) -> str:
        names: dict[object, str] = {}
        for number, qubit in enumerate(definition.qubits):
            names[qubit] = plain_name(f"q{number}", [*parameters, *names.values()])
        inside = [
            f"{self._called(step.operation)} {self._comma.join(names[qubit] for qubit in step.qubits)};"
            for step in lower(definition, self._known)
            if step.operation.name != "barrier"
        ]
        return f" {self._comma.join(names.values())} {{ {' '.join(inside)}{' ' if inside else ''}}}"
