"""A document of Cirq as one tree of operations: its moments in order, its circuit operations written out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS
from qstill.contract.errors import Problem
from workers.circuits.parse.cirq.json_fields import (
    Key,
    Object,
    Symbols,
    number,
    objects,
    qubit_key,
    symbol_name,
    type_of,
    unsupported,
)
from workers.circuits.parse.cirq.json_fields import field as field_of

MAX_CIRCUITS_IN_ONE_ANOTHER = 16  # references let a document nest deeper than its brackets


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One repetition of a circuit operation: what it calls its qubits, keys and symbols, and what its keys begin with.

    eq=False: two repetitions that look alike are two.
    """

    qubits: dict[Key, Key]
    keys: dict[str, str]
    values: dict[str, tuple[Any, str]]
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """An operation, where it stands in the document, and the circuit operations around it, innermost first.

    inverted: undone instead, in a circuit that is repeated backwards.
    """

    operation: Object
    path: str
    scopes: tuple[Scope, ...] = ()
    inverted: bool = False

    def below(self, name: str) -> "Placed":
        """The operation that this one wraps."""
        wrapped = field_of(self.operation, name, dict, self.path)
        return replace(self, operation=wrapped, path=f"{self.path}/{name}")

    def qubit(self, key: Key) -> Key:
        for scope in self.scopes:
            key = scope.qubits.get(key, key)
        return key

    def key(self, key: str) -> str:
        """A key as the outermost circuit names it, without the repetitions that it stands in."""
        path, _, name = key.rpartition(":")
        for scope in self.scopes:
            name = scope.keys.get(name, name)
        return f"{path}:{name}" if path else name

    def symbols(self, shared: Symbols) -> Symbols:
        return replace(shared, resolvers=tuple(scope.values for scope in self.scopes if scope.values))


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """What happens under the conditions of a `ClassicallyControlledOperation`."""

    placed: Placed
    body: "list[Node]"


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """What happens once, and again until a condition holds. placed: the circuit operation, seen from within."""

    placed: Placed
    body: "list[Node]"


@dataclass(frozen=True, slots=True, eq=False)
class Controlled:
    """What happens where the controls of a `ControlledOperation` have their values."""

    placed: Placed
    body: "list[Node]"


Node = Placed | Branch | Loop | Controlled


def qubits_in(nodes: Sequence[Node]) -> Iterator[Key]:
    """The qubits that are acted on."""
    for node in nodes:
        match node:
            case Placed():
                yield from _qubits_of(node)
            case Controlled():
                yield from _qubits_of(node.placed)
                yield from qubits_in(node.body)
            case _:
                yield from qubits_in(node.body)


def _qubits_of(placed: Placed) -> list[Key]:
    operation, path = placed.operation, placed.path
    found = [
        placed.qubit(qubit_key(qubit, f"{path}/{name}/{index}"))
        for name in ("qubits", "controls")
        if name in operation
        for index, qubit in enumerate(objects(operation, name, path))
    ]
    if "qubit" in operation:
        found.append(placed.qubit(qubit_key(field_of(operation, "qubit", dict, path), f"{path}/qubit")))
    if operation.get("cirq_type") == "PauliString":
        found += [placed.qubit(key) for key, _ in pauli_map(operation, path)]
    return found


def pauli_map(string: Object, path: str) -> list[tuple[Key, Any]]:
    """The qubits of a `PauliString`, each with its Pauli gate."""
    pairs = field_of(string, "qubit_pauli_map", list, path)
    if any(not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], dict) for pair in pairs):
        message = "`qubit_pauli_map` must be a list of pairs of a qubit and a Pauli gate."
        raise Problem("cirq_invalid", message, pointer=f"{path}/qubit_pauli_map")
    return [
        (qubit_key(qubit, f"{path}/qubit_pauli_map/{index}/0"), pauli) for index, (qubit, pauli) in enumerate(pairs)
    ]


@dataclass(slots=True)
class Flattener:
    """symbols: shared by the whole document. circuits: what each `REF` refers to, and its place."""

    symbols: Symbols
    circuits: dict[int, tuple[Object, str]] = field(default_factory=dict)
    steps: int = 0
    depth: int = 0
    times: int = 1  # that what is read now will be written: a loop's body stands twice

    def circuit(self, circuit: Object, path: str, around: Placed) -> list[Node]:
        """A circuit's operations. around: whose scopes apply to them. Raises `Problem` where they are too many."""
        kind = type_of(circuit, path)
        if kind == "REF":
            return self._moments(*self._referred(circuit, path), around)
        if kind != "VAL":
            return self._moments(circuit, path, around)
        key, value = circuit.get("key"), field_of(circuit, "val", dict, path)
        if not isinstance(key, int):
            raise Problem("cirq_invalid", "`key` must be an integer.", pointer=f"{path}/key")
        nodes = self._moments(value, f"{path}/val", around)
        self.circuits[key] = (value, f"{path}/val")  # only now: it cannot refer to itself
        return nodes

    def operation(self, placed: Placed) -> list[Node]:
        """One operation, written out as far as it holds a circuit."""
        self._count(placed.path)
        while type_of(placed.operation, placed.path) == "TaggedOperation":
            placed = placed.below("sub_operation")
        match type_of(placed.operation, placed.path):
            case "CircuitOperation":
                return self._circuit_operation(placed)
            case "ClassicallyControlledOperation":
                return [Branch(placed, self.operation(placed.below("sub_operation")))]
            case "ControlledOperation":
                return [Controlled(placed, self.operation(placed.below("sub_operation")))]
            case _:
                return [placed]

    def _referred(self, reference: Object, path: str) -> tuple[Object, str]:
        key = reference.get("key")
        if not isinstance(key, int) or key not in self.circuits:
            raise Problem("cirq_invalid", "This refers to no circuit before it.", pointer=f"{path}/key")
        return self.circuits[key]

    def _moments(self, circuit: Object, path: str, around: Placed) -> list[Node]:
        if type_of(circuit, path) not in ("Circuit", "FrozenCircuit"):
            unsupported(circuit, path)
        if self.depth > MAX_CIRCUITS_IN_ONE_ANOTHER:
            message = f"Circuits are used in one another more than {MAX_CIRCUITS_IN_ONE_ANOTHER} deep."
            raise Problem("cirq_too_deep", message, pointer=path)
        found: list[list[Node]] = []
        for i, moment in enumerate(objects(circuit, "moments", path)):
            for j, operation in enumerate(objects(moment, "operations", f"{path}/moments/{i}")):
                placed = replace(around, operation=operation, path=f"{path}/moments/{i}/operations/{j}")
                found.append(self.operation(placed))
        if around.inverted:
            found.reverse()
        return [node for nodes in found for node in nodes]

    def _circuit_operation(self, placed: Placed) -> list[Node]:
        operation, path = placed.operation, placed.path
        repetitions = self._repetitions(placed)
        names = self._repetition_ids(operation, path, abs(repetitions))
        until = operation.get("repeat_until") is not None
        if until and (repetitions != 1 or operation.get("use_repetition_ids")):
            message = "`repeat_until` goes with no other repetitions."
            raise Problem("cirq_invalid", message, pointer=f"{path}/repeat_until")
        if until and placed.inverted:
            raise Problem("cirq_invalid", "A loop cannot be undone.", pointer=f"{path}/repeat_until")
        qubits, keys, values = self._qubit_map(placed), self._key_map(placed), self._values(placed)
        parents = tuple(self._names(operation, "parent_path", path))
        found: list[Node] = []
        self._count(path, abs(repetitions))
        self.depth += 1
        self.times *= 1 + until
        for name in names:
            scope = Scope(qubits, keys, values, (*parents, name) if name is not None else parents)
            inner = replace(placed, scopes=(scope, *placed.scopes), inverted=placed.inverted is not (repetitions < 0))
            body = self.circuit(field_of(operation, "circuit", dict, path), f"{path}/circuit", inner)
            found += [Loop(replace(inner, operation=operation, path=path), body)] if until else body
        self.times //= 1 + until
        self.depth -= 1
        return found

    def _repetitions(self, placed: Placed) -> int:
        at = f"{placed.path}/repetitions"
        repetitions = number(placed.operation.get("repetitions", 1), at, placed.symbols(self.symbols))
        if not isinstance(repetitions, float) or not repetitions.is_integer():
            message = "A circuit operation is repeated a whole number of times, without free parameters."
            raise Problem("cirq_unsupported", message, pointer=at)
        return int(repetitions)

    def _repetition_ids(self, operation: Object, path: str, count: int) -> Iterator[str | None] | list[str]:
        """What begins the keys of each repetition, None where they are all called the same."""
        used = operation.get("use_repetition_ids", operation.get("repetition_ids") is not None)
        if not used:
            return iter([None] * min(count, MAX_EXPANDED_OPERATIONS + 1))
        if operation.get("repetition_ids") is None:
            return iter([str(index) for index in range(min(count, MAX_EXPANDED_OPERATIONS + 1))])
        names = self._names(operation, "repetition_ids", path)
        if len(names) != count:
            message = f"There are {len(names):,} repetition ids for {count:,} repetitions."
            raise Problem("cirq_invalid", message, pointer=f"{path}/repetition_ids")
        return names

    def _names(self, operation: Object, name: str, path: str) -> list[str]:
        found = operation.get(name) or []
        if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
            raise Problem("cirq_invalid", f"`{name}` must be a list of names.", pointer=f"{path}/{name}")
        return found

    def _count(self, path: str, steps: int = 1) -> None:
        self.steps += steps * self.times
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

    def _values(self, placed: Placed) -> dict[str, tuple[Any, str]]:
        """What the resolver says of each symbol, unread, and where."""
        resolver, at = placed.operation.get("param_resolver"), f"{placed.path}/param_resolver/param_dict"
        pairs = resolver.get("param_dict") if isinstance(resolver, dict) else None
        if not isinstance(pairs, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
            if not pairs:
                return {}
            raise Problem("cirq_invalid", "`param_dict` must be a list of pairs of a symbol and a value.", pointer=at)
        values: dict[str, tuple[Any, str]] = {}
        for index, (name, value) in enumerate(pairs):
            if isinstance(name, dict):
                if type_of(name, f"{at}/{index}/0") != "sympy.Symbol":
                    unsupported(name, f"{at}/{index}/0")
                name = symbol_name(name, f"{at}/{index}/0")
            if not isinstance(name, str):
                raise Problem("cirq_invalid", "This must be a symbol.", pointer=f"{at}/{index}/0")
            values[name] = (value, f"{at}/{index}/1")
        return values
