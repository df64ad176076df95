"""The device that a circuit is compiled for: its gates, and which of its qubits a two-qubit gate can join."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from qstill.contract.circuits.noise.model import ONE_QUBIT_GATES, TWO_QUBIT_GATES
from qstill.contract.schemas import Seed, Strict, refuse

MAX_DEVICE_QUBITS = 1_024  # routing on 1,000 qubits takes 60 ms for the smallest circuit
MAX_COUPLINGS = 8_192  # as above; eight for each qubit
_NO_BASIS = {"id", "gpi", "ms", "unitary1", "unitary2"}  # nothing can be written in them, or only as themselves
BASIS_GATES = tuple(gate for gate in (*ONE_QUBIT_GATES, *TWO_QUBIT_GATES) if gate not in _NO_BASIS)

DeviceQubit = Annotated[int, Field(ge=0, lt=MAX_DEVICE_QUBITS)]
Pair = Annotated[list[DeviceQubit], Field(min_length=2, max_length=2)]
Count = Annotated[int, Field(ge=1, le=MAX_DEVICE_QUBITS)]


class Line(Strict):
    """Qubit i joins qubit i+1."""

    shape: Literal["line"] = Field(description="Qubit i joins qubit i+1.", examples=["line"])
    qubits: Count = Field(description="How many qubits.", examples=[5])


class Ring(Strict):
    """A line whose ends are joined."""

    shape: Literal["ring"] = Field(description="A line whose ends are joined.", examples=["ring"])
    qubits: Count = Field(description="How many qubits.", examples=[5])


class Grid(Strict):
    """Rows and columns; every qubit joins its neighbours in both."""

    shape: Literal["grid"] = Field(
        description="Qubit row·columns + column joins its neighbours above, below, left and right.", examples=["grid"]
    )
    rows: Count = Field(description="How many rows.", examples=[2])
    columns: Count = Field(description="How many columns.", examples=[3])

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.rows * self.columns > MAX_DEVICE_QUBITS:
            message = f"A device has at most {MAX_DEVICE_QUBITS:,} qubits, not {self.rows * self.columns:,}."
            refuse(("columns",), "too_many_qubits", message, self.columns)
        return self


class Full(Strict):
    """Every two qubits are joined."""

    shape: Literal["full"] = Field(description="Every two qubits are joined, as ions in a trap.", examples=["full"])
    qubits: Count = Field(description="How many qubits.", examples=[11])


Pairs = Annotated[list[Pair], Field(min_length=1, max_length=MAX_COUPLINGS)]
Shape = Annotated[Line | Ring | Grid | Full, Field(discriminator="shape")]


def _form(given: Any) -> str:
    return "pairs" if isinstance(given, list) else "a shape"


class Device(Strict):
    """What a circuit is compiled for before it runs. What it then is, is what noise acts on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"basis_gates": ["rz", "sx", "x", "cx"], "coupling_map": [[0, 1], [1, 2]], "optimization_level": 2},
                {"coupling_map": {"shape": "grid", "rows": 2, "columns": 3}},
            ]
        }
    )

    basis_gates: Annotated[list[str], Field(min_length=1, max_length=len(BASIS_GATES))] = Field(
        default_factory=lambda: ["rz", "sx", "x", "cx"],
        description=f"The gates that the device has, among {', '.join(BASIS_GATES)}; measure, reset and branches it "
        "has always.",
        examples=[["rz", "sx", "x", "cx"]],
    )
    coupling_map: Annotated[Annotated[Pairs, Tag("pairs")] | Annotated[Shape, Tag("a shape")], Discriminator(_form)] | (
        None
    ) = Field(
        None,
        description="The pairs of qubits that a two-qubit gate can join, in both directions, or a shape. Null: the "
        "circuit's own qubits, all joined.",
        examples=[[[0, 1], [1, 2]]],
    )
    optimization_level: Literal[0, 1, 2, 3] = Field(
        1, description="Qiskit's level: 0 maps only, 3 tries hardest.", examples=[1]
    )
    seed: Seed | None = Field(
        None, description="For the choices that compiling leaves to chance; null: the job's seed.", examples=[7]
    )

    @property
    def qubits(self) -> int | None:
        """How many qubits the device has; None for as many as the circuit."""
        match self.coupling_map:
            case None:
                return None
            case list():
                return 1 + max(max(pair) for pair in self.coupling_map)
            case Grid():
                return self.coupling_map.rows * self.coupling_map.columns
            case _:
                return self.coupling_map.qubits

    @property
    def couplings(self) -> list[tuple[int, int]] | None:
        """Each joined pair once, the lower qubit first; None where all are joined."""
        match self.coupling_map:
            case None | Full():
                return None
            case list():
                return sorted({(min(pair), max(pair)) for pair in self.coupling_map})
            case Grid(rows=rows, columns=columns):
                right = [(i, i + 1) for i in range(rows * columns) if (i + 1) % columns]
                return right + [(i, i + columns) for i in range((rows - 1) * columns)]
            case Ring(qubits=qubits) if qubits > 2:
                return [*((i, i + 1) for i in range(qubits - 1)), (0, qubits - 1)]
            case _:
                return [(i, i + 1) for i in range(self.coupling_map.qubits - 1)]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for index, gate in enumerate(self.basis_gates):
            if gate not in BASIS_GATES:
                message = f"A device cannot have a gate {gate!r}. Known: {', '.join(BASIS_GATES)}."
                refuse(("basis_gates", index), "unknown_gate", message, gate)
            if gate in self.basis_gates[:index]:
                refuse(("basis_gates", index), "repeated_gate", f"{gate} is named twice.", gate)
        if isinstance(self.coupling_map, list):
            self._check_pairs(self.coupling_map)
        return self

    def _check_pairs(self, pairs: list[list[int]]) -> None:
        for index, (a, b) in enumerate(pairs):
            if a == b:
                message = "A qubit is not coupled to itself."
                refuse(("coupling_map", "pairs", index), "repeated_qubit", message, [a, b])
        apart = _apart(pairs)
        if apart is not None:
            message = f"No chain of pairs leads from qubit 0 to qubit {apart}."
            refuse(("coupling_map",), "not_connected", message, apart)


ANYWHERE = Device(basis_gates=["u", "cx"])  # where no device is named: the gates that circuits are counted in


def _apart(pairs: list[list[int]]) -> int | None:
    """The first qubit that no chain of pairs joins to qubit 0."""
    neighbours: dict[int, list[int]] = {qubit: [] for qubit in range(1 + max(map(max, pairs)))}
    for a, b in pairs:
        neighbours[a].append(b)
        neighbours[b].append(a)
    reached, waiting = {0}, [0]
    while waiting:
        fresh = [qubit for qubit in neighbours[waiting.pop()] if qubit not in reached]
        reached.update(fresh)
        waiting += fresh
    return next((qubit for qubit in neighbours if qubit not in reached), None)
