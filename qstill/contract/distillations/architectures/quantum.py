"""Variational circuits: rows become states, trained turns and CX act on them, and a linear layer reads observables."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.circuits.outputs import MAX_MATRIX_QUBITS, AnyObservable, Observable, check_observable
from qstill.contract.distillations.architectures.family import Family, FeatureKind
from qstill.contract.errors import Problem
from qstill.contract.schemas import FieldPath, Strict, refuse

MAX_TRAINED_QUBITS = 16  # a step of a batch of 32 takes a quarter of a second
MAX_CIRCUIT_LAYERS = 64
MAX_OBSERVABLES = 256

Inputs = Literal["raw", "standardised"]
Entanglement = Literal["ring", "line", "brickwork", "full", "none"]


class AmplitudeEncoding(Strict):
    """A row is the amplitudes of the state, divided by its length and filled up with zeros: 2^n numbers on n qubits."""

    kind: Literal["amplitude"] = Field(
        description="Numbers of a row are amplitudes; 64 fit on six qubits.", examples=["amplitude"]
    )
    inputs: Inputs = Field(
        "raw",
        description="Rows as they were uploaded, or as `dataset.standardise` makes them. Shifted numbers have "
        "lost what their length said: digits reach 93 % raw and 83 % standardised.",
        examples=["raw"],
    )


class AngleEncoding(Strict):
    """A number of a row turns the qubit of its place by RY, at the beginning or before every layer."""

    kind: Literal["angle"] = Field(description="Each number turns a qubit of its own.", examples=["angle"])
    inputs: Inputs = Field(
        "standardised",
        description="Rows as `dataset.standardise` makes them, or as they were uploaded.",
        examples=["standardised"],
    )
    turn: Literal["arctan", "linear"] = Field(
        "arctan",
        description="The angle of a number x: gain·arctan(x), which no outlier takes round the circle, or gain·x. The "
        "gain of each number is learned; it begins at 1.",
        examples=["arctan"],
    )
    upload_again: bool = Field(
        False,
        description="Turn before every layer and not only before the first: more frequencies of the inputs "
        "(Pérez-Salinas and others 2020, 1907.02085).",
        examples=[False],
    )


Encoding = Annotated[AmplitudeEncoding | AngleEncoding, Field(discriminator="kind")]


class Quantum(Strict):
    """A variational circuit: an encoding, layers of RY and RZ on every qubit and CX, a linear layer on observables.

    Its tensors: `angles` (layers, 2, qubits), radians, RY before RZ; `gain` (features,) of an angle encoding;
    `head.weight`, `head.bias`; `mean` and `std`, by which standardised rows become raw ones. Features: `observables`.
    """

    kind: Literal["quantum"] = Field(description="A variational quantum circuit, simulated.", examples=["quantum"])
    qubits: Annotated[int, Field(ge=1, le=MAX_TRAINED_QUBITS)] = Field(description="How many.", examples=[6])
    layers: Annotated[int, Field(ge=1, le=MAX_CIRCUIT_LAYERS)] = Field(
        description="Of turns and CX: 2·qubits weights each.", examples=[8]
    )
    encoding: Encoding = Field(
        default_factory=lambda: AngleEncoding(kind="angle"),
        description="How a row becomes a state.",
        examples=[{"kind": "amplitude", "inputs": "raw"}],
    )
    entanglement: Entanglement = Field(
        "ring",
        description="The CX of a layer: of each qubit with the next and the last with the first (ring), without that "
        "last (line), of every other pair in turns (brickwork), of every two (full), or none.",
        examples=["ring"],
    )
    observables: Annotated[
        list[Literal["z", "zz"] | AnyObservable], Field(min_length=1, max_length=MAX_OBSERVABLES)
    ] = Field(
        default=["z"],
        description="What the linear layer reads: `z`, the Z of every qubit; `zz`, the product of every two; or sums "
        "of Pauli strings, as in circuit jobs.",
        examples=[["z", "zz"]],
    )
    frozen: bool = Field(
        False,
        description="Leave the angles as they were drawn: only the linear layer learns. A control: what a trained "
        "circuit is worth is what it has over this one.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _reads_something(self) -> "Quantum":
        if self.qubits == 1 and self.observables == ["zz"]:
            refuse(("observables",), "nothing_to_read", "there are no two qubits: read `z`", self.observables)
        for number, wanted in enumerate(self.observables):
            if isinstance(wanted, Observable):
                _refuse_other_qubits(wanted, self.qubits, ("observables", number))
        return self


def _refuse_other_qubits(observable: Observable, qubits: int, place: FieldPath) -> None:
    try:
        check_observable(observable, qubits, "")
    except Problem as problem:
        refuse(place, problem.code, problem.title, None)


# Qubit 0 is the lowest bit of a basis state's number, and acts last in a string of Pauli letters.
QUANTUM_PROGRAM = """

def bits(qubit, qubits):
    return (torch.arange(1 << qubits) >> qubit) & 1


def turned(state, matrix, qubit):
    parts = state.view(len(state), -1, 2, 1 << qubit)
    first, second = parts[:, :, 0], parts[:, :, 1]
    rows = [matrix[i][0] * first + matrix[i][1] * second for i in range(2)]
    return torch.stack(rows, 2).reshape(state.shape)


def ry(state, angle, qubit):
    half = torch.as_tensor(angle).view(-1, 1, 1) / 2
    return turned(state, [[half.cos(), -half.sin()], [half.sin(), half.cos()]], qubit)


def rz(state, angle, qubit, qubits):
    return state * torch.exp(1j * angle * (bits(qubit, qubits) - 0.5))


def cx(state, control, target, qubits):
    numbers = torch.arange(1 << qubits)
    return state[:, numbers ^ (bits(control, qubits) << target)]


def pairs(kind, layer, n):
    line = [(qubit, qubit + 1) for qubit in range(n - 1)]
    if kind == "brickwork":
        return line[layer % 2 :: 2]
    if kind == "full":
        return [(a, b) for a in range(n) for b in range(a + 1, n)]
    return {"none": [], "line": line, "ring": line + [(n - 1, 0)] * (n > 2)}[kind]


def strings(kind, n):
    if kind == "z":
        return [{(qubit,): "Z"} for qubit in range(n)]
    return [{(a, b): "ZZ"} for a in range(n) for b in range(a + 1, n)]


def mean_of(state, letters, n):
    numbers, flipped, factor = torch.arange(1 << n), 0, torch.ones(1 << n, dtype=state.dtype)
    for qubit, letter in letters.items():
        flipped |= (letter in "XY") << qubit
    for qubit, letter in letters.items():
        sign = 1 - 2 * bits(qubit, n)[numbers ^ flipped]
        factor = factor * {"I": 1, "X": 1, "Y": 1j * sign, "Z": sign}[letter]
    return (state.conj() * factor * state[:, numbers ^ flipped]).sum(1).real


def observed(state, n):
    columns = []
    for wanted in architecture["observables"]:
        if wanted in ("z", "zz"):
            columns += [mean_of(state, dict(zip(*next(iter(s.items())))), n) for s in strings(wanted, n)]
            continue
        total = 0
        for term in wanted["terms"]:
            qubits = term.get("qubits") or range(n)[::-1]
            total = total + term.get("coefficient", 1) * mean_of(state, dict(zip(qubits, term["paulis"])), n)
        columns.append(total)
    return torch.stack(columns, 1)


def network(x):
    n, encoding = architecture["qubits"], architecture["encoding"]
    if encoding["inputs"] == "raw":
        x = x * weights["std"] + weights["mean"]
    x = x.flatten(1)
    state = torch.zeros(len(x), 1 << n, dtype=torch.complex64)
    if encoding["kind"] == "amplitude":
        state[:, : x.shape[1]] = (x / x.norm(dim=1, keepdim=True)).to(state.dtype)
    else:
        state[:, 0] = 1
        x = weights["gain"] * (x.arctan() if encoding["turn"] == "arctan" else x)
    for layer in range(architecture["layers"]):
        if encoding["kind"] == "angle" and (layer == 0 or encoding["upload_again"]):
            for qubit in range(x.shape[1]):
                state = ry(state, x[:, qubit], qubit)
        for qubit in range(n):
            angles = weights["angles"][layer, :, qubit]
            state = rz(ry(state, angles[0], qubit), angles[1], qubit, n)
        for control, target in pairs(architecture["entanglement"], layer, n):
            state = cx(state, control, target, n)
    return linear("head", observed(state, n))

"""


def _features(_: Quantum) -> dict[str, FeatureKind]:
    return {"observables": "flat"}


def why_no_onnx(quantum: Quantum) -> tuple[str, str] | None:
    """A circuit that reads a row once is one matrix, of 16 MB for ten qubits; one that reads it again is none."""
    if isinstance(quantum.encoding, AngleEncoding) and quantum.encoding.upload_again:
        return "not_for_this_network", "a circuit that uploads its rows again is no one matrix"
    if quantum.qubits > MAX_MATRIX_QUBITS:
        reason = f"the matrix of {quantum.qubits} qubits is too large: up to {MAX_MATRIX_QUBITS} leave as ONNX"
        return "onnx_too_large", reason
    return None


QUANTUM = Family(
    definition=Quantum,
    reads="numbers",
    question="inputs",
    features=_features,
    why_no_units=lambda _: "a circuit has no units to remove: give it fewer qubits or layers",
    program=QUANTUM_PROGRAM,
    half_precision=False,
    compresses=False,
    exports=("onnx",),
    why_no_onnx=why_no_onnx,
)
