"""What the benchmarks of circuits share: the same circuit for both sides, CPU seconds of one thread, and agreement.

Ours is a whole job as its child process runs it: validated, parsed, a method chosen, simulated, its results and its
diagram written. Only the ledger is left out. The counterpart is given a circuit that is parsed already.
"""

import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from math import log, sqrt
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator

from benchmarks.report import Line
from qstill.contract.circuits.job import CircuitJob
from workers.circuits.parse import parse
from workers.circuits.run import simulate_job, warm

T = TypeVar("T")
Counts = dict[str, int]
Reals = NDArray[np.float64]

LEVEL = 1e-9  # the chance that two right samples are said to disagree
SIGMAS = 6  # as unlikely


class House:
    """`Run` for a job outside a worker, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.scratch = folder
        self.files: Mapping[str, Path] = {}
        self.resume = None
        self.threads = 1

    def progress(self, **progress: Any) -> None:
        """Nobody looks."""

    def event(self, kind: str, data: dict[str, Any]) -> None:
        """Nobody looks."""

    def publish(self, path: Path, **about: Any) -> None:
        """It stays in the folder."""

    def save(self, path: Path) -> None:
        """It stays in the folder."""

    def stop_requested(self) -> bool:
        return False


def job_of(circuit: Mapping[str, Any], **settings: Any) -> CircuitJob:
    return CircuitJob.model_validate({"circuit": circuit, "seed": 7} | settings)


def run_job(job: CircuitJob) -> list[dict[str, Any]]:
    """The job's results, circuit by circuit."""
    with tempfile.TemporaryDirectory() as name:
        simulate_job(job, House(Path(name)))
        results: list[dict[str, Any]] = json.loads((Path(name) / "results.json").read_text())["circuits"]
    return results


def time_job(job: CircuitJob) -> float:
    """CPU seconds of one run."""
    with tempfile.TemporaryDirectory() as name:
        house = House(Path(name))
        return seconds(lambda: simulate_job(job, house))


def compare(ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int) -> tuple[float, float]:
    """Medians of both, each measured in turn; what either builds once is built before."""
    warm()
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def seconds(work: Callable[[], Any]) -> float:
    """CPU seconds that the work takes, of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def parsed(job: CircuitJob) -> QuantumCircuit:
    """The job's circuit as the counterpart gets it."""
    (circuit,) = job.programs
    return parse(circuit)


def aer(circuit: QuantumCircuit, *, shots: int, **options: Any) -> Counts:
    """The usual way: a simulator, a transpiler, a run."""
    simulator = AerSimulator(max_parallel_threads=1, seed_simulator=7, **options)
    result = simulator.run(transpile(circuit, simulator, seed_transpiler=7), shots=shots).result()
    assert result.success, result.status
    return {key.replace(" ", ""): count for key, count in result.get_counts().items()}


def aer_as_it_is(circuits: Sequence[QuantumCircuit], *, shots: int, **options: Any) -> list[Counts]:
    """All circuits in one run, without transpiling: the shortest way that Aer has."""
    simulator = AerSimulator(max_parallel_threads=1, seed_simulator=7, **options)
    result = simulator.run(list(circuits), shots=shots).result()
    assert result.success, result.status
    return [result.get_counts(index) for index in range(len(circuits))]


def layered(qubits: int, layers: int, *, seed: int | None = None) -> dict[str, Any]:
    """Layers of rotations by random angles and of CNOTs between neighbours."""
    chance = random.Random(qubits if seed is None else seed)
    operations: list[dict[str, Any]] = []
    for layer in range(layers):
        for qubit in range(qubits):
            gate = chance.choice(["rx", "ry", "rz"])
            operations.append({"gate": gate, "target": qubit, "rotation": chance.uniform(0, 6.28)})
        operations += [{"gate": "x", "target": q + 1, "control": q} for q in range(layer % 2, qubits - 1, 2)]
    return {"format": "json", "qubits": qubits, "operations": operations}


def times(claim: str, ours: float, theirs: float, *, goal: float) -> Line:
    """CPU seconds of both, as how many times theirs ours are."""
    return Line(claim=claim, ours=ours / theirs, plain=1, unit="×", goal=goal, better="less")


def check_alike(first: Mapping[str, int], second: Mapping[str, int]) -> None:
    """Two samples of one distribution: each is within Bretagnolle, Huber and Carol's bound of it."""
    outcomes = len(first.keys() | second.keys())
    shots = sum(first.values()), sum(second.values())
    bound = sum(sqrt(2 * (outcomes * log(2) - log(LEVEL)) / number) for number in shots)
    distance = sum(abs(first.get(key, 0) / shots[0] - second.get(key, 0) / shots[1]) for key in first | second)
    assert distance <= bound, f"the samples differ by {distance:.3f}, at most {bound:.3f} by chance"


def check_uniform(counts: Mapping[str, int], qubits: int) -> None:
    """As many pairs of shots agree as chance has it: C(N, 2) / 2^n, give or take its root, for they hardly overlap."""
    shots = sum(counts.values())
    pairs = sum(count * (count - 1) / 2 for count in counts.values())
    expected = shots * (shots - 1) / 2 / 2**qubits
    assert {len(key) for key in counts} == {qubits}
    assert abs(pairs - expected) <= SIGMAS * expected**0.5, (pairs, expected)


def chances_of(circuit: QuantumCircuit) -> Reals:
    """The exact probability of every outcome of a circuit that measures qubit i into bit i at its end."""
    final = circuit.remove_final_measurements(inplace=False)
    final.save_statevector()
    simulator = AerSimulator(method="statevector")
    state = simulator.run(transpile(final, simulator)).result().data(0)["statevector"]
    chances: Reals = np.abs(np.asarray(state)) ** 2
    return chances


def check_likely(counts: Mapping[str, int], chances: Reals) -> None:
    """A sample of too many outcomes for that: the mean probability of what was read is Σp², give or take."""
    shots = sum(counts.values())
    mean = sum(count * chances[int(key, 2)] for key, count in counts.items()) / shots
    expected, spread = float((chances**2).sum()), float((chances**3).sum() - (chances**2).sum() ** 2) ** 0.5
    assert abs(mean - expected) <= SIGMAS * spread / shots**0.5, (mean, expected)
