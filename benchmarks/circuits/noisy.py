"""Eight noisy qubits, 2,000 shots: one density matrix against a trajectory for every shot.

`python -m benchmarks.circuits.noisy`
"""

import sys

from qiskit_aer.noise import NoiseModel, depolarizing_error

from benchmarks.circuits.rivals import aer, check_alike, compare, job_of, layered, parsed, run_job, seconds, time_job
from benchmarks.report import Line, milliseconds, report

GOAL = 100  # milliseconds
QUBITS = 8
LAYERS = 10
SHOTS = 2_000
ONE_QUBIT, TWO_QUBIT = 0.001, 0.01  # depolarizing probabilities
CLAIM = f"{QUBITS} noisy qubits, {SHOTS:,} shots"
ROUNDS = 5


def measure() -> list[Line]:
    noise = {"model": "depolarizing", "one_qubit": ONE_QUBIT, "two_qubit": TWO_QUBIT}
    job = job_of(layered(QUBITS, LAYERS), shots=SHOTS, noise=noise)
    circuit, model = parsed(job), NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(ONE_QUBIT, 1), ["rx", "ry", "rz"])
    model.add_all_qubit_quantum_error(depolarizing_error(TWO_QUBIT, 2), ["cx"])
    check_alike(run_job(job)[0]["counts"], aer(circuit, shots=SHOTS, method="statevector", noise_model=model))
    ours, theirs = compare(
        lambda: time_job(job),
        lambda: seconds(lambda: aer(circuit, shots=SHOTS, method="statevector", noise_model=model)),
        rounds=ROUNDS,
    )
    return [milliseconds(CLAIM, ours, theirs, goal=GOAL)]


if __name__ == "__main__":
    sys.exit(report(measure()))
