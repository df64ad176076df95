"""What was measured under which key, and the classical registers that keep it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister

from qstill.contract.circuits.gates import MAX_CLBITS
from qstill.contract.errors import Problem
from workers.circuits.parse.cirq.flat import Placed, Scope
from workers.circuits.parse.cirq.json_fields import field as field_of

MAX_KEY_CHARACTERS = 64  # as a register's name, which every key of a histogram may repeat


@dataclass(frozen=True, slots=True)
class _Reading:
    """One measurement of a key. scopes: the circuit operations that it stood in, the outermost first.

    looped: it may happen any number of times.
    """

    register: ClassicalRegister
    scopes: tuple[Scope, ...]
    looped: bool


@dataclass(slots=True)
class Records:
    """The registers of a circuit's measurements. Two measurements of one key are two registers.

    readings: by key, in time order. unknown: keys under which Cirq would record what a channel did.
    loops: how many loops are being written, one in another. levels: registers that hold levels of qudits.
    """

    circuit: QuantumCircuit
    registers: dict[Placed, ClassicalRegister] = field(default_factory=dict)
    readings: dict[str, list[_Reading]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    loops: int = 0
    levels: set[ClassicalRegister] = field(default_factory=set)

    def register(self, placed: Placed, size: int) -> ClassicalRegister:
        """The register of a measurement; the same one where a loop comes back to it."""
        at = f"{placed.path}/gate"
        scopes = placed.scopes[::-1]
        key = _written(_prefix(scopes), placed.key(field_of(placed.operation["gate"], "key", str, at)))
        readings = self.readings.setdefault(key, [])
        if (known := self.registers.get(placed)) is not None:
            readings[:] = [reading for reading in readings if reading.register is not known]
            readings.append(_Reading(known, scopes, looped=True))
            return known
        if readings and readings[-1].register.size != size:
            message = f"The key {key[:99]!r} is measured on {size} qubits, and on {readings[-1].register.size} before."
            raise Problem("cirq_invalid", message, pointer=at)
        if self.circuit.num_clbits + size > MAX_CLBITS:
            raise Problem("too_many_bits", f"More than {MAX_CLBITS:,} bits are measured.", pointer=placed.path)
        name = f"{key}#{len(readings) + 1}" if readings else key
        register = self.registers[placed] = ClassicalRegister(size, self._free_name(name))
        self.circuit.add_register(register)
        readings.append(_Reading(register, scopes, looped=self.loops > 0))
        return register

    def _free_name(self, key: str) -> str:
        """The key, unless it is too long for a name or a register has it."""
        taken = {register.name for register in (*self.circuit.qregs, *self.circuit.cregs)}
        if 0 < len(key) <= MAX_KEY_CHARACTERS and key not in taken:
            return key
        return next(name for number in count() if (name := f"k{number}") not in taken)

    def finder(self, placed: Placed, *, as_number: bool) -> Callable[[str, int, str], ClassicalRegister]:
        """What finds the register of a key that is tested: the innermost circuit's own, or one of those around it.

        as_number: whether the key's value matters, and not alone that some qubit of it reads something else than 0.
        """
        scopes = placed.scopes[::-1]

        def find(named: str, index: int, path: str) -> ClassicalRegister:
            key = placed.key(named)
            for depth in reversed(range(len(scopes) + 1)):
                pieces = _prefix(scopes[:depth])
                found = self.readings.get(_written(pieces, key), [])
                if any(reading.scopes[:depth] == scopes[:depth] for reading in found):
                    chosen = _chosen(found, index, path)
                    if as_number and chosen in self.levels:
                        message = f"Of {key[:99]!r}, which reads qudits, it can be tested only that one is not 0."
                        raise Problem("cirq_unsupported", message, pointer=path)
                    return chosen
            if named in self.unknown:
                message = f"What a channel did is not recorded here, under {named[:99]!r}."
                raise Problem("cirq_unsupported", message, pointer=path)
            message = f"No measurement of {key[:99]!r} comes before the condition."
            raise Problem("cirq_invalid", message, pointer=path)

        return find


def _chosen(readings: list[_Reading], index: int, path: str) -> ClassicalRegister:
    if index != -1 and any(reading.looped for reading in readings):
        message = "Of a key that a loop measures only the last value can be tested."
        raise Problem("cirq_unsupported", message, pointer=path)
    if not -len(readings) <= index < len(readings):
        message = f"The key is measured {len(readings)} times before: there is no measurement {index}."
        raise Problem("cirq_invalid", message, pointer=path)
    return readings[index].register


def _prefix(scopes: Sequence[Scope]) -> tuple[str, ...]:
    return tuple(part for scope in scopes for part in scope.path)


def _written(prefix: tuple[str, ...], key: str) -> str:
    return ":".join((*prefix, key))
