"""A Bell circuit through qiskit-ionq, unmodified, end to end, against Aer in this process, without any service.

`backend.run(circuit, shots=1000).result().get_counts()` with default settings: three requests, and a worker between
them. The client sleeps for five seconds where its first look finds no result, so that a poll which is not held costs
5,000 ms. The counterpart transpiles and runs the circuit where it stands. `python -m benchmarks.circuits.ionq`
"""

import os
import sys
import time
import warnings
from collections import Counter
from statistics import median
from typing import Any

from benchmarks.client import HOST
from benchmarks.report import Line, milliseconds, report
from benchmarks.servers import qstill_up

GOAL_P50 = 150  # milliseconds

ROUNDS = 40
SHOTS = 1000
SIGMAS = 5  # how far the frequency of 00 may be from one half


def measure() -> list[Line]:
    from qiskit import QuantumCircuit, transpile
    from qiskit_aer import AerSimulator

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    aer = AerSimulator()
    our_times, our_counts = [], Counter[str]()
    plain_times, plain_counts = [], Counter[str]()
    with qstill_up() as service, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client's advice about transpiling
        backend = _backend(f"http://{HOST}:{service.port}/v0.4")
        for _ in range(ROUNDS):
            start = time.perf_counter()
            our_counts += Counter(backend.run(circuit, shots=SHOTS).result().get_counts())
            our_times.append(time.perf_counter() - start)
            start = time.perf_counter()
            plain_counts += Counter(aer.run(transpile(circuit, aer), shots=SHOTS).result().get_counts())
            plain_times.append(time.perf_counter() - start)
    for counts in (our_counts, plain_counts):
        _check(counts)
    return [
        milliseconds("Bell circuit through qiskit-ionq, p50", median(our_times), median(plain_times), goal=GOAL_P50)
    ]


def _backend(url: str) -> Any:
    os.environ["IONQ_API_URL"] = url  # read for the size of the backend, whatever the provider is given
    from qiskit_ionq import IonQProvider

    return IonQProvider("any", url).get_backend("simulator")


def _check(counts: Counter[str]) -> None:
    """A Bell state reads 00 or 11, each half of the time."""
    assert set(counts) == {"00", "11"}
    assert counts.total() == ROUNDS * SHOTS
    assert abs(counts["00"] - counts.total() / 2) < SIGMAS * (counts.total() / 4) ** 0.5


if __name__ == "__main__":
    sys.exit(report(measure()))
