"""What may be asked of a circuit besides its counts."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from qstill.contract.circuits.gates import MAX_QUBITS
from qstill.contract.errors import Problem
from qstill.contract.schemas import Name, Strict, refuse

MAX_TERMS = 100_000  # of one observable; each is an expectation value of its own, and the time limit ends them
MAX_STATE_QUBITS = 20  # a statevector of 16 MiB
MAX_MATRIX_QUBITS = 10  # a density matrix or a unitary of 16 MiB
MAX_INLINE_NUMBERS = 1024  # of a state that stands in results.json too, as [real, imaginary] pairs
MAX_PROBABILITY_QUBITS = 20  # measured, whose probabilities are given out whatever they are: a million of them
MAX_SEARCHED_QUBITS = 26  # measured, where only so many outcomes may be possible: half a gigabyte is looked through
MAX_LISTED_CHARACTERS = 200_000_000  # of all that are given where possible in one job, so that they can be read again
NUMBER_CHARACTERS = 30  # of a probability as it is written beside its key
WHERE_POSSIBLE = "probabilities_where_possible"

NONE_OF_A_NOISY_CIRCUIT = ("statevector", "unitary")
NOISY = "A noisy circuit has no {}; ask for its density matrix."
DYNAMIC = "Measurements decide what happens next, so that there is no one final state."

OutputName = Literal[
    "counts",
    "probabilities",
    "probabilities_where_possible",
    "memory",
    "statevector",
    "density_matrix",
    "unitary",
]
StateName = Literal["statevector", "density_matrix", "unitary"]
STATE_LIMITS: dict[StateName, int] = {
    "statevector": MAX_STATE_QUBITS,
    "density_matrix": MAX_MATRIX_QUBITS,
    "unitary": MAX_MATRIX_QUBITS,
}
_LETTERS = r"^[IXYZ]+$"
Real = Annotated[float, Field(allow_inf_nan=False)]


class PauliTerm(Strict):
    """A real multiple of a product of Pauli operators."""

    paulis: str = Field(
        min_length=1,
        max_length=MAX_QUBITS,
        pattern=_LETTERS,
        description="A letter for each of `qubits`, in their order; without `qubits` a letter for every qubit of the "
        "circuit, the rightmost acting on qubit 0, as Qiskit writes them.",
        examples=["ZZ"],
    )
    qubits: (
        Annotated[list[Annotated[int, Field(ge=0, lt=MAX_QUBITS)]], Field(min_length=1, max_length=MAX_QUBITS)] | None
    ) = Field(None, description="The qubits acted on; null: all of them.", examples=[[0, 1]])
    coefficient: Real = Field(1.0, description="The real coefficient.", examples=[1.0])

    @model_validator(mode="after")
    def _a_letter_for_each_qubit(self) -> Self:
        if self.qubits is None:
            return self
        if len(set(self.qubits)) != len(self.qubits):
            refuse(("qubits",), "repeated_qubit", "A qubit is named twice.", self.qubits)
        if len(self.qubits) != len(self.paulis):
            reason = f"There are {len(self.paulis)} letters for {len(self.qubits)} qubits."
            refuse((type(self).model_fields["paulis"].alias or "paulis",), "term_length", reason, self.paulis)
        return self


class Observable(Strict):
    """A sum of Pauli strings with real coefficients."""

    name: Name | None = Field(None, description="A name for people.", examples=["parity"])
    terms: Annotated[list[PauliTerm], Field(min_length=1, max_length=MAX_TERMS)] = Field(
        description="The terms of the sum.", examples=[[{"paulis": "ZZ", "qubits": [0, 1], "coefficient": 1.0}]]
    )


class PauliString(PauliTerm):
    """An observable of one term, in short."""

    paulis: str = Field(
        alias="pauli",
        min_length=1,
        max_length=MAX_QUBITS,
        pattern=_LETTERS,
        description="As `paulis` of a term.",
        examples=["ZZ"],
    )
    name: Name | None = Field(None, description="A name for people.", examples=["parity"])


_Letters = Annotated[str, Field(min_length=1, max_length=MAX_QUBITS, pattern=_LETTERS)]


def _in_full(given: Any) -> Any:
    """`"ZZ"` and `{"pauli": "ZZ"}` as an observable of that term."""
    if isinstance(given, str):
        return {"terms": [{"paulis": TypeAdapter(_Letters).validate_python(given)}]}
    if isinstance(given, dict) and "pauli" in given:
        short = PauliString.model_validate(given)
        term = PauliTerm(paulis=short.paulis, qubits=short.qubits, coefficient=short.coefficient)
        return Observable(name=short.name, terms=[term])
    return given


AnyObservable = Annotated[
    Observable, BeforeValidator(_in_full, json_schema_input_type=Observable | PauliString | _Letters)
]


def no_final_state(title: str, instead: OutputName) -> Problem:
    """The problem of outputs that the circuit does not have. instead: an output that it has."""
    return Problem("no_final_state", title, pointer="/outputs", ways_out=[{"outputs": [instead]}])


def check_state_size(name: StateName, qubits: int) -> None:
    """Raise Problem where a state is too large to give out. qubits: of the circuit as submitted."""
    limit = STATE_LIMITS[name]
    if qubits > limit:
        title = f"A {name.replace('_', ' ')} is given out for circuits of up to {limit} qubits; this one has {qubits}."
        raise Problem("state_too_large", title, pointer="/outputs")


def check_observable(observable: Observable, qubits: int, pointer: str) -> None:
    """Raise Problem where an observable does not fit the qubits of the circuit as submitted."""
    for number, term in enumerate(observable.terms):
        named = range(qubits) if term.qubits is None else term.qubits
        if len(named) != len(term.paulis):
            title = f"The term has {len(term.paulis)} letters for the circuit's {qubits} qubits."
            raise Problem("term_length", title, pointer=f"{pointer}/terms/{number}/paulis")
        if max(named) >= qubits:
            title = f"There is no qubit {max(named)}: the circuit has {qubits}, numbered from 0."
            raise Problem("no_such_qubit", title, pointer=f"{pointer}/terms/{number}/qubits")
