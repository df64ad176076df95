"""Noisy qubits: eight against a trajectory for every shot; six against the better of Aer's two ways, not transpiled.

`python -m benchmarks.circuits.noisy`
"""

import sys

from qiskit_aer.noise import NoiseModel, depolarizing_error

from benchmarks.circuits.rivals import (
    aer,
    aer_as_it_is,
    check_alike,
    compare,
    job_of,
    layered,
    parsed,
    run_job,
    seconds,
    time_job,
    times,
)
from benchmarks.report import Line, milliseconds, report
from qstill.contract.circuits.job import CircuitJob

GOAL = 100  # milliseconds, of eight qubits
SIX_GOAL = 1.0  # of the CPU seconds of the better of Aer's two ways
LAYERS = 10
SHOTS = 2_000
ONE_QUBIT, TWO_QUBIT = 0.001, 0.01  # depolarizing probabilities
NOISE = {"model": "depolarizing", "one_qubit": ONE_QUBIT, "two_qubit": TWO_QUBIT}
ROUNDS = 5
SIX_ROUNDS = 15
WAYS = ("density_matrix", "statevector")


def measure() -> list[Line]:
    return [_eight(), _six()]


def _eight() -> Line:
    job = _job(8)
    circuit, model = parsed(job), _model()
    check_alike(run_job(job)[0]["counts"], aer(circuit, shots=SHOTS, method="statevector", noise_model=model))
    ours, theirs = compare(
        lambda: time_job(job),
        lambda: seconds(lambda: aer(circuit, shots=SHOTS, method="statevector", noise_model=model)),
        rounds=ROUNDS,
    )
    return milliseconds(f"8 noisy qubits, {SHOTS:,} shots", ours, theirs, goal=GOAL)


def _six() -> Line:
    job = _job(6, ideal=False)  # Aer does not compute the distribution without noise either
    circuit, model = parsed(job), _model()
    pairs = {}
    for way in WAYS:
        (counts,) = aer_as_it_is([circuit], shots=SHOTS, method=way, noise_model=model)
        check_alike(run_job(job)[0]["counts"], counts)
        pairs[way] = compare(
            lambda: time_job(job),
            lambda way=way: seconds(lambda: aer_as_it_is([circuit], shots=SHOTS, method=way, noise_model=model)),
            rounds=SIX_ROUNDS,
        )
    better = min(WAYS, key=lambda way: pairs[way][1])
    return times(f"6 noisy qubits, {SHOTS:,} shots, CPU time of Aer's {better}", *pairs[better], goal=SIX_GOAL)


def _job(qubits: int, **more: object) -> CircuitJob:
    return job_of(layered(qubits, LAYERS), shots=SHOTS, noise=NOISE, **more)


def _model() -> NoiseModel:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(ONE_QUBIT, 1), ["rx", "ry", "rz"])
    model.add_all_qubit_quantum_error(depolarizing_error(TWO_QUBIT, 2), ["cx"])
    return model


if __name__ == "__main__":
    sys.exit(report(measure()))
