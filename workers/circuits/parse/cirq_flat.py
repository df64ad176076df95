"""A document of Cirq as one list of operations: its moments in order, its circuit operations written out."""

from dataclasses import dataclass, field, replace

from app.circuits.qasm_text import MAX_EXPANDED_OPERATIONS
from app.errors import Problem
from workers.circuits.parse.cirq_fields import Key, Object, objects, qubit_key, type_of, unsupported
from workers.circuits.parse.cirq_fields import field as field_of

MAX_CIRCUITS_IN_ONE_ANOTHER = 16  # references let a document nest deeper than its brackets


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation, where it stands in the document, and what the circuits around it call its qubits and keys."""

    operation: Object
    path: str
    qubit_maps: tuple[dict[Key, Key], ...] = ()  # innermost first
    key_maps: tuple[dict[str, str], ...] = ()

    def below(self, name: str) -> "Placed":
        """The operation that this one wraps."""
        wrapped = field_of(self.operation, name, dict, self.path)
        return replace(self, operation=wrapped, path=f"{self.path}/{name}")

    def qubit(self, key: Key) -> Key:
        for renamed in self.qubit_maps:
            key = renamed.get(key, key)
        return key

    def key(self, key: str) -> str:
        for renamed in self.key_maps:
            key = renamed.get(key, key)
        return key


def flatten(whole: Object) -> list[Placed]:
    """The circuit's operations in order. Raises `Problem` where they are too many once written out."""
    flattener = _Flattener()
    flattener.add(whole, "", Placed({}, ""), depth=0)
    return flattener.operations


def qubits_of(placed: Placed) -> list[Key]:
    """The qubits of an operation and of those it wraps."""
    operation, path = placed.operation, placed.path
    found = [
        placed.qubit(qubit_key(qubit, f"{path}/{name}/{index}"))
        for name in ("qubits", "controls")
        if name in operation
        for index, qubit in enumerate(objects(operation, name, path))
    ]
    if "qubit" in operation:
        found.append(placed.qubit(qubit_key(field_of(operation, "qubit", dict, path), f"{path}/qubit")))
    if "sub_operation" in operation:
        found += qubits_of(placed.below("sub_operation"))
    return found


@dataclass(slots=True)
class _Flattener:
    operations: list[Placed] = field(default_factory=list)
    circuits: dict[int, tuple[Object, str]] = field(default_factory=dict)  # what `REF` refers to, and its place
    steps: int = 0

    def add(self, circuit: Object, path: str, around: Placed, *, depth: int) -> None:
        """Append a circuit's operations. around: whose maps apply to them."""
        kind = type_of(circuit, path)
        if kind == "REF":
            circuit, path = self._referred(circuit, path)
        elif kind == "VAL":
            key, place = circuit.get("key"), path
            circuit, path = field_of(circuit, "val", dict, path), f"{path}/val"
            if isinstance(key, int):
                self._moments(circuit, path, around, depth=depth)
                self.circuits[key] = (circuit, path)  # only now: it cannot refer to itself
                return
            raise Problem("cirq_invalid", "`key` must be an integer.", pointer=f"{place}/key")
        self._moments(circuit, path, around, depth=depth)

    def _referred(self, reference: Object, path: str) -> tuple[Object, str]:
        key = reference.get("key")
        if not isinstance(key, int) or key not in self.circuits:
            raise Problem("cirq_invalid", "This refers to no circuit before it.", pointer=f"{path}/key")
        return self.circuits[key]

    def _moments(self, circuit: Object, path: str, around: Placed, *, depth: int) -> None:
        if type_of(circuit, path) not in ("Circuit", "FrozenCircuit"):
            unsupported(circuit, path)
        if depth > MAX_CIRCUITS_IN_ONE_ANOTHER:
            message = f"Circuits are used in one another more than {MAX_CIRCUITS_IN_ONE_ANOTHER} deep."
            raise Problem("cirq_too_deep", message, pointer=path)
        for i, moment in enumerate(objects(circuit, "moments", path)):
            for j, operation in enumerate(objects(moment, "operations", f"{path}/moments/{i}")):
                self._count(path)
                placed = replace(around, operation=operation, path=f"{path}/moments/{i}/operations/{j}")
                while type_of(placed.operation, placed.path) == "TaggedOperation":
                    placed = placed.below("sub_operation")
                if type_of(placed.operation, placed.path) == "CircuitOperation":
                    self._circuit_operation(placed, depth=depth)
                else:
                    self.operations.append(placed)

    def _circuit_operation(self, placed: Placed, *, depth: int) -> None:
        operation, path = placed.operation, placed.path
        for name in ("repeat_until", "parent_path"):
            if operation.get(name):
                raise Problem("cirq_unsupported", f"`{name}` is not supported here.", pointer=f"{path}/{name}")
        resolver = operation.get("param_resolver")
        if isinstance(resolver, dict) and resolver.get("param_dict"):
            message = "Parameters of a circuit operation are not resolved here."
            raise Problem("cirq_unsupported", message, pointer=f"{path}/param_resolver")
        repetitions = operation.get("repetitions", 1)
        if not isinstance(repetitions, int) or isinstance(repetitions, bool) or repetitions < 0:
            message = "A circuit operation is repeated a whole number of times, and not backwards."
            raise Problem("cirq_unsupported", message, pointer=f"{path}/repetitions")
        inner = replace(
            placed,
            qubit_maps=(self._qubit_map(placed), *placed.qubit_maps),
            key_maps=(self._key_map(placed), *placed.key_maps),
        )
        before = len(self.operations)
        self._count(path, repetitions)
        for _ in range(repetitions):
            self.add(field_of(operation, "circuit", dict, path), f"{path}/circuit", inner, depth=depth + 1)
        if operation.get("use_repetition_ids") and any(map(_is_measurement, self.operations[before:])):
            message = "Measurements under repetition ids are not supported here."
            raise Problem("cirq_unsupported", message, pointer=f"{path}/use_repetition_ids")

    def _count(self, path: str, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > MAX_EXPANDED_OPERATIONS:
            message = f"The circuit expands to more than {MAX_EXPANDED_OPERATIONS:,} operations."
            raise Problem("too_many_operations", message, pointer=path)

    def _qubit_map(self, placed: Placed) -> dict[Key, Key]:
        at = f"{placed.path}/qubit_map"
        pairs = placed.operation.get("qubit_map") or []
        if not isinstance(pairs, list) or any(
            not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(qubit, dict) for qubit in pair)
            for pair in pairs
        ):
            raise Problem("cirq_invalid", "`qubit_map` must be a list of pairs of qubits.", pointer=at)
        keys = [tuple(qubit_key(qubit, f"{at}/{i}/{j}") for j, qubit in enumerate(p)) for i, p in enumerate(pairs)]
        return {key[0]: key[1] for key in keys}

    def _key_map(self, placed: Placed) -> dict[str, str]:
        renamed = placed.operation.get("measurement_key_map") or {}
        if not isinstance(renamed, dict) or not all(isinstance(name, str) for name in renamed.values()):
            message = "`measurement_key_map` must be an object of names."
            raise Problem("cirq_invalid", message, pointer=f"{placed.path}/measurement_key_map")
        return renamed


def _is_measurement(placed: Placed) -> bool:
    operation = placed.operation
    while isinstance(operation.get("sub_operation"), dict):
        operation = operation["sub_operation"]
    gate = operation.get("gate")
    return isinstance(gate, dict) and gate.get("cirq_type") == "MeasurementGate"
