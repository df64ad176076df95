"""From a job's circuits to programs with a method chosen: parsed, fitted to device and noise, examined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psutil
from qiskit import QuantumCircuit

from app.circuits.admission import check_histogram, relocated
from app.circuits.formats import Circuit, JsonCircuit
from app.circuits.schemas import CircuitJob
from app.errors import Problem
from workers.circuits.engines.states import StateName, check_state
from workers.circuits.observables import lower
from workers.circuits.parse import parse
from workers.circuits.program import Program
from workers.circuits.route import Routed, route
from workers.circuits.shape import examine

STATES: tuple[StateName, ...] = ("statevector", "density_matrix", "unitary")


@dataclass(frozen=True, slots=True)
class Reading:
    """One circuit of a job. circuit: as submitted, measured. routed: what is simulated instead, and how."""

    circuit: QuantumCircuit
    routed: Routed

    @property
    def clbits(self) -> int:
        return int(self.circuit.num_clbits)

    def bindings(self, values: Sequence[Mapping[str, float]]) -> list[dict[Any, float]]:
        """The values by the circuit's own parameters."""
        own = {parameter.name: parameter for parameter in self.routed.program.circuit.parameters}
        return [{own[name]: value for name, value in binding.items() if name in own} for binding in values]


def read_all(job: CircuitJob) -> list[Reading]:
    """Every circuit of the job, in order. Raises `Problem` with the pointer of the circuit at fault."""
    memory_available = psutil.virtual_memory().available
    found = []
    for index, circuit in enumerate(job.programs):
        try:
            found.append(_read(job, circuit, memory_available))
        except Problem as problem:
            raise relocated(problem, job, index) from None
    return found


def _read(job: CircuitJob, circuit: Circuit, memory_available: int) -> Reading:
    parsed = parse(circuit)
    shape = examine(parsed)
    observables = [
        lower(observable, parsed, shape.active, f"/observables/{index}")
        for index, observable in enumerate(job.observables)
    ]
    program = Program(parsed, shape, observables=observables)
    for name in STATES:
        if name in job.outputs:
            check_state(name, program, "/outputs")
    pointer = "/circuit/qubits" if isinstance(circuit, JsonCircuit) else "/circuit/source"
    routed = route(program, job, locations=0, memory_available=memory_available, pointer=pointer)
    check_histogram(job, active=len(shape.active) + shape.branchings, clbits=parsed.num_clbits)
    return Reading(parsed, routed)
