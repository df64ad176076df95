"""A quantum circuit as teacher: what it answers to a row are the expectation values of its observables."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qstill.contract.circuits.admission import Limits, admit_reading
from qstill.contract.circuits.formats import Circuit, JsonCircuit, OpenQasm3Circuit, TemplateCircuit, free_parameters
from qstill.contract.circuits.job import MAX_SHOTS, CircuitJob, ParameterName
from qstill.contract.circuits.noise.model import Noise, check_rules
from qstill.contract.circuits.noise.named import as_custom
from qstill.contract.circuits.openqasm3 import door
from qstill.contract.circuits.outputs import AnyObservable, check_observable
from qstill.contract.circuits.templates.angles import angles_of
from qstill.contract.distillations.mitigation import Mitigation
from qstill.contract.errors import Problem
from qstill.contract.schemas import Seed, Strict, refuse

MAX_INPUTS = 1_000  # as many values as a binding of a circuit job may have
MAX_OBSERVABLES = 100  # as many as a circuit job may have

INPUT_SOURCE = (
    'OPENQASM 3.0; include "stdgates.inc"; input float[64] x0; input float[64] x1; qubit[2] q; '
    "ry(x0) q[0]; ry(x1) q[1]; cx q[0], q[1]; rz(x0) q[1]; ry(0.7) q[1]; cx q[1], q[0];"
)


class CircuitTeacher(Strict):
    """A parametrised circuit. A row's numbers are its inputs, as they stand in the data: they are not standardised
    before, and are radians where the circuit turns by them.

    What is learned are the expectation values of the observables, one number each, in the state before the final
    measurements. Labels of the data play no part, so there is no baseline; the report's `surrogate` has the controls.
    A student `fourier` is solved instead of trained: at the nodes of a grid, from which it follows everywhere.
    """

    source: Literal["circuit"] = Field(description="A quantum circuit.", examples=["circuit"])
    circuit: Circuit = Field(
        description="In any format that has parameters: an `input` of OpenQASM 3, names in the expressions of `json`, "
        "symbols of Cirq. Every one of them is an input: other angles are written as numbers. It may measure midway, "
        "reset and branch. Of the templates `maxcut`, `portfolio` and `vqe` it is the circuit whose angles they search "
        "for.",
        examples=[{"format": "openqasm3", "source": INPUT_SOURCE}],
    )
    inputs: Annotated[list[ParameterName], Field(max_length=MAX_INPUTS)] = Field(
        default_factory=list,
        description="The circuit's parameter for each number of a row, in the row's order. A template's may be left "
        "out: `beta0`, … and then `gamma0`, … of its layers, or `theta0`, … of its excitations.",
        examples=[["x0", "x1"]],
    )
    observables: Annotated[list[AnyObservable], Field(max_length=MAX_OBSERVABLES)] = Field(
        default_factory=list,
        description="What is learned of the circuit, as in circuit jobs. A template's may be left out: the cost that "
        "it minimises, of `maxcut` the cut with a minus, of `vqe` the energy in hartree.",
        examples=[[{"terms": [{"paulis": "Z", "qubits": [0], "coefficient": 1.0}]}]],
    )
    shots: Annotated[int, Field(ge=1, le=MAX_SHOTS)] | None = Field(
        None,
        description="How often each circuit is run for a row: terms that can be read from one measurement share it, "
        "and each further measurement is a circuit of its own. Null: exact values.",
        examples=[8192],
    )
    noise: Noise | None = Field(
        None,
        description="What goes wrong on the way, as in circuit jobs; the report holds the answers against the circuit "
        "without it. Null: nothing does.",
        examples=[None],
    )
    mitigation: Mitigation | None = Field(
        None,
        description="Error mitigation: more circuits, from which the values without `noise` are estimated. The report "
        "counts them, and has the error without mitigation beside. Null: none.",
        examples=[{"kind": "zne", "scales": [1, 3, 5], "fit": "linear"}],
    )
    seed: Seed = Field(
        0, description="Draws the shots. The same row has the same answer, whenever it is asked for.", examples=[0]
    )

    @property
    def parameters(self) -> list[str]:
        """The circuit's parameter for each number of a row."""
        return self.inputs or (angles_of(self.circuit.template) if isinstance(self.circuit, TemplateCircuit) else [])

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        searches = isinstance(self.circuit, TemplateCircuit) and bool(angles_of(self.circuit.template))
        for field in ("inputs", "observables"):
            if not getattr(self, field) and not searches:
                refuse((field,), "missing", "name at least one: only templates that search for angles say it", [])
        for place, name in enumerate(self.inputs):
            if name in self.inputs[:place]:
                refuse(("inputs", place), "named_twice", "a parameter is one number of a row", name)
        return self

    @model_validator(mode="after")
    def _has_something_to_mitigate(self) -> Self:
        if self.mitigation is not None and (self.noise is None or self.noise.model == "ideal"):
            reason = "without `noise` there is nothing to mitigate: name the noise, or leave this out"
            refuse(("mitigation",), "nothing_to_mitigate", reason, self.mitigation.kind)
        return self


def admit_circuit(teacher: CircuitTeacher, limits: Limits) -> None:
    """Raise Problem, with a pointer below the teacher, where its circuit cannot be read or has other parameters."""
    source = teacher.circuit
    admit_reading(CircuitJob(circuit=source, shots=teacher.shots or 1), limits)
    if isinstance(source, JsonCircuit | TemplateCircuit):
        free = free_parameters(source) if isinstance(source, JsonCircuit) else angles_of(source.template)
        check_inputs(teacher.parameters, set(free))
    if isinstance(source, JsonCircuit):
        if teacher.noise is not None:
            check_rules(as_custom(teacher.noise), source.qubits)
        for index, observable in enumerate(teacher.observables):
            check_observable(observable, source.qubits, f"/observables/{index}")
    if isinstance(source, OpenQasm3Circuit) and (program := door.elaborated(source.source, limits.openqasm3)):
        check_inputs(teacher.inputs, set(program.inputs))


def check_inputs(inputs: list[str], free: set[str]) -> None:
    """Raise Problem where the circuit's parameters are not its inputs. free: their names."""
    for place, name in enumerate(inputs):
        if name not in free:
            title = f"The circuit has no angle that depends on {name!r}."
            raise Problem("unused_input", title, pointer=f"/inputs/{place}", ways_out=_inputs(inputs, free))
    if rest := sorted(free - set(inputs)):
        title = f"The circuit has parameters that are no inputs: {', '.join(rest)}. Write their values in the circuit."
        raise Problem("free_parameter", title, pointer="/inputs", ways_out=_inputs(inputs, free))


def _inputs(inputs: list[str], free: set[str]) -> list[dict[str, list[str]]]:
    """All of the circuit's parameters, those that were named first."""
    known = [name for name in inputs if name in free]
    return [{"inputs": [*known, *sorted(free - set(known))]}] if free else []
