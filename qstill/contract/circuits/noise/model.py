"""Noise models. Every named one is shorthand for a custom one (`as_custom`), which is all that the engine room knows.

Noise acts after every one- and two-qubit gate of the circuit as submitted, or as compiled where the job names a device.
Wider gates, and gates that the source itself defines, are first written as one- and two-qubit gates.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from qstill.contract.circuits.gates import Index, repeats
from qstill.contract.circuits.noise.channels import (
    Depolarizing,
    GateError,
    Microseconds,
    Nanoseconds,
    PauliError,
    Probability,
    Readout,
    ReadoutMatrix,
    check_relaxation,
)
from qstill.contract.errors import Problem
from qstill.contract.schemas import Strict, refuse

MAX_RULES = 512  # a calibrated device of 250 qubits has about as many; each is looked at for each kind of gate
MAX_RULE_QUBITS = 256  # as above
MAX_KRAUS_OPERATORS = 1_024  # of all rules together; reading and checking one takes 30 µs

ANY_ONE, ANY_TWO = "any_one_qubit", "any_two_qubit"
ONE_QUBIT_GATES = (
    *("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"),
    *("rx", "ry", "rz", "p", "u", "u1", "u2", "u3", "r", "gpi", "unitary1"),
)
TWO_QUBIT_GATES = (
    *("cx", "cy", "cz", "ch", "cp", "cs", "csdg", "csx", "cu", "cu1", "cu3", "crx", "cry", "crz"),
    *("swap", "iswap", "ecr", "rxx", "ryy", "rzz", "rzx", "ms", "unitary2"),
)
ALIASES = {
    "not": "x",
    "si": "sdg",
    "ti": "tdg",
    "v": "sx",
    "vi": "sxdg",
    "gpi2": "r",
    "cnot": "cx",
    "xx": "rxx",
    "yy": "ryy",
    "zz": "rzz",
}
_WIDTHS = {
    **dict.fromkeys((ANY_ONE, *ONE_QUBIT_GATES, "measure", "reset"), 1),
    **dict.fromkeys((ANY_TWO, *TWO_QUBIT_GATES), 2),
}

IonqName = Literal["harmony", "harmony-1", "harmony-2", "aria-1", "aria-2", "forte-1", "forte-enterprise-1"]


def _rates(one_qubit_fidelity: float, two_qubit_fidelity: float) -> tuple[float, float]:
    """Depolarizing probabilities with these average gate fidelities: 1-F = p·(d-1)/d."""
    return (1 - one_qubit_fidelity) * 2, (1 - two_qubit_fidelity) * 4 / 3


# Probabilities after one- and two-qubit gates. Aria and Forte: docs.ionq.com/guides/simulation-with-noise-models, where
# they are defined as here. Forte Enterprise has no row there; learn.microsoft.com/azure/quantum/provider-ionq says that
# its hardware and performance are Forte's. Harmony: IonQ did not publish its formula; these are from the average gate
# fidelities of the same Microsoft page, 99.35 % and 96.02 %.
_FORTE = (0.0002666666666666667, 0.004949333333333333)
_HARMONY = _rates(0.9935, 0.9602)
IONQ_RATES: dict[IonqName, tuple[float, float]] = {
    "harmony": _HARMONY,
    "harmony-1": _HARMONY,
    "harmony-2": _HARMONY,
    "aria-1": (0.0005, 0.0133),
    "aria-2": (0.0006573333333333332, 0.01856),
    "forte-1": _FORTE,
    "forte-enterprise-1": _FORTE,
}


class IdealNoise(Strict):
    """No noise."""

    model: Literal["ideal"] = Field(description="No noise: the same as leaving `noise` out.", examples=["ideal"])


class DepolarizingNoise(Strict):
    """Depolarizing errors after every gate."""

    model: Literal["depolarizing"] = Field(
        description="With probability p a gate's qubits are replaced by the maximally mixed state: ρ → (1-p)ρ + p·I/d.",
        examples=["depolarizing"],
    )
    one_qubit: Probability = Field(description="p after a one-qubit gate.", examples=[0.001])
    two_qubit: Probability = Field(description="p after a two-qubit gate.", examples=[0.01])
    readout: Readout | None = Field(None, description="Wrong readings; null: none.")


class ThermalRelaxationNoise(Strict):
    """Relaxation and dephasing of a gate's qubits during the gate. Qubits that wait do not relax."""

    model: Literal["thermal_relaxation"] = Field(
        description="A gate's qubits decay for as long as the gate takes; a measured qubit decays before it is read. "
        "Qubits that wait do not.",
        examples=["thermal_relaxation"],
    )
    t1: Microseconds = Field(description="Relaxation time T1, microseconds.", examples=[50.0])
    t2: Microseconds = Field(description="Dephasing time T2, microseconds; at most twice T1.", examples=[70.0])
    one_qubit_time: Nanoseconds = Field(description="How long a one-qubit gate takes, nanoseconds.", examples=[50.0])
    two_qubit_time: Nanoseconds = Field(description="How long a two-qubit gate takes, nanoseconds.", examples=[300.0])
    measure_time: Nanoseconds = Field(0.0, description="How long a measurement takes, nanoseconds.", examples=[1000.0])
    excited_population: Probability = Field(0.0, description="The share of 1 that a qubit relaxes to.", examples=[0.01])
    readout: Readout | None = Field(None, description="Wrong readings beside the decay; null: none.")

    @model_validator(mode="after")
    def _physical(self) -> Self:
        check_relaxation(self.t1, self.t2)
        return self


class ReadoutNoise(Strict):
    """Perfect gates, wrong readings."""

    model: Literal["readout"] = Field(description="Gates are perfect; readings are not.", examples=["readout"])
    p01: Probability = Field(description="The probability that a qubit in 0 reads 1.", examples=[0.01])
    p10: Probability = Field(description="The probability that a qubit in 1 reads 0.", examples=[0.03])


class IonqNoise(Strict):
    """Depolarizing errors at the rates published for a machine of IonQ."""

    model: IonqName = Field(
        description="A machine of IonQ: depolarizing errors at its published rates, without errors of reading. For "
        "Aria and Forte these are the parameters IonQ documents for its own simulator's model; Forte Enterprise "
        "takes Forte's; Harmony's come from its average gate fidelities, because IonQ's formula for it is not "
        "published. An approximation of the machine, not IonQ's own simulator.",
        examples=["aria-1"],
    )


class GateRule(Strict):
    """An error after some gates, on some qubits."""

    gate: str = Field(
        max_length=32,
        description=f"`{ANY_ONE}`, `{ANY_TWO}`, `measure` (the error comes before the reading), `reset`, or a gate: "
        f"{', '.join((*ONE_QUBIT_GATES, *TWO_QUBIT_GATES))}; also {', '.join(ALIASES)}. `unitary1` and `unitary2` "
        "are all other gates of one and two qubits.",
        examples=["cx"],
    )
    qubits: Annotated[list[Index], Field(min_length=1, max_length=MAX_RULE_QUBITS)] | None = Field(
        None,
        description="Null: wherever the gate stands. Gates of one qubit: each of these. Gates of two: the two in the "
        "gate's order, controls first. With a device these are the device's qubits.",
        examples=[[0, 1]],
    )
    error: GateError = Field(
        description="What happens. An error of one qubit after a gate of two acts on both.",
        examples=[{"kind": "depolarizing", "probability": 0.01}],
    )

    @property
    def name(self) -> str:
        """The gate as the engine names it."""
        return ALIASES.get(self.gate, self.gate)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        width = _WIDTHS.get(self.name)
        if width is None:
            known = ", ".join((*_WIDTHS, *ALIASES))
            message = f"Noise cannot name a gate {self.gate!r}. Known: {known}."
            refuse(("gate",), "unknown_gate", message, self.gate)
        if self.qubits is not None and repeats(self.qubits):
            refuse(("qubits",), "repeated_qubit", "A qubit is named twice.", self.qubits)
        if width == 2 and self.qubits is not None and len(self.qubits) != 2:
            refuse(("qubits",), "qubit_count", f"{self.gate} acts on two qubits: name both, or null.", self.qubits)
        if self.error.qubits > width:
            refuse(("error",), "error_width", f"An error of two qubits cannot follow {self.gate}.", None)
        return self


class ReadoutRule(Strict):
    """Wrong readings of some qubits: `p01` and `p10`, or both as a `matrix`."""

    qubits: Annotated[list[Index], Field(min_length=1, max_length=MAX_RULE_QUBITS)] | None = Field(
        None, description="Null: all. With a device these are the device's qubits.", examples=[[0]]
    )
    p01: Probability | None = Field(None, description="The probability that a qubit in 0 reads 1.", examples=[0.01])
    p10: Probability | None = Field(None, description="The probability that a qubit in 1 reads 0.", examples=[0.03])
    matrix: ReadoutMatrix | None = Field(
        None,
        description="Row i, column j: the probability that a qubit in i reads j.",
        examples=[[[0.99, 0.01], [0.03, 0.97]]],
    )

    @property
    def flips(self) -> tuple[float, float]:
        """p01 and p10."""
        return (self.matrix[0][1], self.matrix[1][0]) if self.matrix else (self.p01 or 0.0, self.p10 or 0.0)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        pair = self.p01 is not None or self.p10 is not None
        if pair and self.matrix is not None:
            refuse(("matrix",), "twice", "Give `p01` and `p10`, or `matrix`, not both.", None)
        if not pair and self.matrix is None:
            refuse(("p01",), "missing", "Give `p01` and `p10`, or `matrix`.", None)
        if self.qubits is not None and repeats(self.qubits):
            refuse(("qubits",), "repeated_qubit", "A qubit is named twice.", self.qubits)
        for row, chances in enumerate(self.matrix or ()):
            if abs(sum(chances) - 1) > 1e-9:
                refuse(("matrix", row), "not_a_distribution", "The probabilities of a row add up to 1.", chances)
        return self


class CustomNoise(Strict):
    """Errors by gate and qubit. All rules that fit a gate apply, in the order written."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": "custom",
                    "gates": [
                        {"gate": "any_one_qubit", "error": {"kind": "depolarizing", "probability": 0.001}},
                        {"gate": "cx", "qubits": [0, 1], "error": {"kind": "pauli", "terms": {"XX": 0.01, "ZI": 0.02}}},
                        {"gate": "measure", "qubits": [2], "error": {"kind": "amplitude_damping", "gamma": 0.05}},
                    ],
                    "readout": [{"p01": 0.01, "p10": 0.02}],
                }
            ]
        }
    )

    model: Literal["custom"] = Field(description="Errors by gate and qubit.", examples=["custom"])
    gates: Annotated[list[GateRule], Field(max_length=MAX_RULES)] = Field(
        default_factory=list,
        description="Errors of gates. All that fit a gate apply, in this order.",
        examples=[[{"gate": "any_two_qubit", "error": {"kind": "depolarizing", "probability": 0.01}}]],
    )
    readout: Annotated[list[ReadoutRule], Field(max_length=MAX_RULES)] = Field(
        default_factory=list,
        description="Wrong readings. All that fit a qubit apply, in this order.",
        examples=[[{"p01": 0.01, "p10": 0.02}]],
    )

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, given: Any) -> Any:
        """Counted before anything is looked at: reading a few thousand matrices takes longer than refusing them may."""
        operators = 0
        for index, rule in enumerate(_items(given, "gates")):
            operators += len(_items(_field(rule, "error"), "operators"))
            if operators > MAX_KRAUS_OPERATORS:
                message = f"All rules together may have {MAX_KRAUS_OPERATORS:,} Kraus operators."
                refuse(("gates", index, "error", "operators"), "too_many_operators", message, None)
        return given


def _items(given: Any, name: str) -> list[Any]:
    """A list of a document not yet validated; empty where there is none."""
    found = _field(given, name)
    return found if isinstance(found, list) else []


def _field(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, dict) else getattr(given, name, None)


_Model = Annotated[
    IdealNoise | DepolarizingNoise | ThermalRelaxationNoise | ReadoutNoise | IonqNoise | CustomNoise,
    Field(discriminator="model"),
]
NAMES: tuple[str, ...] = ("ideal", *IONQ_RATES)  # of models that have no figures of their own


def _by_name(given: Any) -> Any:
    """A model's name alone, as {"model": name}."""
    if not isinstance(given, str):
        return given
    if given not in NAMES:
        known = {"reason": f"A name alone is one of {', '.join(NAMES)}; other models have figures beside `model`."}
        raise PydanticCustomError("unknown_noise", "{reason}", known)
    return {"model": given}


# `"aria-1"` is short for `{"model": "aria-1"}`.
Noise = Annotated[_Model, BeforeValidator(_by_name, json_schema_input_type=Literal["ideal"] | IonqName | _Model)]


def check_rules(rules: CustomNoise, qubits: int) -> None:
    """Raise Problem where a rule is about a qubit that is not there. qubits: of the circuit, or of its device."""
    several: dict[str, Sequence[GateRule | ReadoutRule]] = {"gates": rules.gates, "readout": rules.readout}
    for kind, index, rule in ((kind, *each) for kind, those in several.items() for each in enumerate(those)):
        for place, qubit in enumerate(rule.qubits or ()):
            if qubit >= qubits:
                title = f"There is no qubit {qubit}: there are {qubits}, numbered from 0."
                raise Problem("no_such_qubit", title, pointer=f"/noise/{kind}/{index}/qubits/{place}")


def not_pauli(rules: CustomNoise) -> str | None:
    """The first error that is no Pauli error, in words; None if all are."""
    for rule in rules.gates:
        if not isinstance(rule.error, Depolarizing | PauliError):
            return f"{rule.error.kind} after {rule.gate}"
    return None


def is_uneven(rules: CustomNoise) -> bool:
    """Whether some qubit in 0 is misread more or less often than in 1."""
    return any(rule.flips[0] != rule.flips[1] for rule in rules.readout)
