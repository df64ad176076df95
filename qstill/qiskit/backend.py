"""The service as a backend of Qiskit: `backend.run(circuits)` and `transpile(circuit, backend)`."""

from collections.abc import Sequence
from typing import Any, get_args

from qiskit.circuit import ForLoopOp, IfElseOp, Measure, QuantumCircuit, Reset, SwitchCaseOp, WhileLoopOp
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.result import Result as QiskitResult
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit.transpiler import Target

from qstill import __version__
from qstill.client import Client, Job
from qstill.client.results import Result, circuits_of
from qstill.contract.circuits.gates import MAX_QUBITS
from qstill.contract.circuits.job import MAX_CIRCUITS
from qstill.contract.circuits.noise.model import IonqName
from qstill.qiskit.jobs import status_of

SIMULATOR = "simulator"
GATES = (
    *("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u"),
    *("cx", "cy", "cz", "ch", "cp", "crx", "cry", "crz", "swap", "rxx", "ryy", "rzz", "ccx", "cswap"),
)
FLOW = {"if_else": IfElseOp, "while_loop": WhileLoopOp, "for_loop": ForLoopOp, "switch_case": SwitchCaseOp}


class QstillProvider:
    """client: None for one of this environment."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    def backends(self) -> list["QstillBackend"]:
        """A simulator without noise, and one for each machine whose noise the service knows."""
        return [self.get_backend(name) for name in (SIMULATOR, *get_args(IonqName))]

    def get_backend(self, name: str = SIMULATOR, **options: Any) -> "QstillBackend":
        """options: of all of its runs, such as noise, method, device or shots. Raises ValueError."""
        if name not in (SIMULATOR, *get_args(IonqName)):
            raise ValueError(f"there is no backend {name!r}; there are {[SIMULATOR, *get_args(IonqName)]}")
        made = QstillBackend(self, name)
        made.set_options(**({} if name == SIMULATOR else {"noise": name}) | options)
        return made


class QstillBackend(BackendV2):
    """Everything that Qiskit calls a gate here, between any qubits; what is more is written out before it is sent."""

    def __init__(self, provider: QstillProvider, name: str) -> None:
        super().__init__(provider=provider, name=name, description="Qstill's simulators", backend_version=__version__)
        self._client = provider.client
        self._target = Target(description=name, num_qubits=MAX_QUBITS)
        known = get_standard_gate_name_mapping()
        for gate in GATES:
            self._target.add_instruction(known[gate])
        for operation in (Measure(), Reset()):
            self._target.add_instruction(operation)
        for flow, kind in FLOW.items():
            self._target.add_instruction(kind, name=flow)

    @classmethod
    def _default_options(cls) -> Options:
        return Options(shots=1024, memory=False, seed_simulator=None, noise=None, method=None, device=None)

    @property
    def target(self) -> Target:
        return self._target

    @property
    def max_circuits(self) -> int:
        return MAX_CIRCUITS

    def run(self, run_input: QuantumCircuit | Sequence[QuantumCircuit], **options: Any) -> "BackendJob":
        """Submits one job of all circuits. options: those of the backend, for this run; `memory` keeps each shot."""
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        said: Any = {**self.options.__dict__, **options}
        said["seed"] = said.pop("seed_simulator", None)
        said["outputs"] = ["counts", "memory"] if said.pop("memory", False) else None
        job = self._client.run(circuits, wait=False, **said)
        return BackendJob(self, job, circuits)


class BackendJob(JobV1):
    """Submitted already."""

    _async = True

    def __init__(self, backend: QstillBackend, job: Job, circuits: Sequence[QuantumCircuit]) -> None:
        super().__init__(backend, job.id)
        self.job, self._circuits = job, circuits

    def submit(self) -> None:
        """`run` has done so."""

    def result(self, timeout: float | None = None) -> QiskitResult:
        """Raises JobFailed, and TimedOut while the job goes on."""
        found = circuits_of(self.job, timeout)
        return QiskitResult(
            backend_name=self.backend().name,
            backend_version=__version__,
            job_id=self.job.id,
            success=True,
            results=[_experiment(circuit, each) for circuit, each in zip(self._circuits, found, strict=True)],
        )

    def status(self) -> JobStatus:
        return status_of([self.job])

    def cancel(self) -> None:
        self.job.cancel()


def _experiment(circuit: QuantumCircuit, found: Result) -> ExperimentResult:
    """A circuit that measures nothing has a register of all of its qubits, as the service measures them."""
    registers = [[each["name"], len(each["clbits"])] for each in found.found["registers"]]
    header = {
        "name": circuit.name,
        "creg_sizes": [[each.name, each.size] for each in circuit.cregs] if circuit.cregs else registers,
        "memory_slots": found.found["clbits"],
        "n_qubits": circuit.num_qubits,
        "metadata": circuit.metadata,
    }
    memory = None if found.memory is None else [_hex(key) for key in found.memory]
    data = ExperimentResultData(counts={_hex(key): count for key, count in found.counts.items()}, memory=memory)
    return ExperimentResult(found.shots, True, data, seed=found.seed, header=header, status="DONE")


def _hex(key: str) -> str:
    return hex(int(key, 2) if key else 0)
