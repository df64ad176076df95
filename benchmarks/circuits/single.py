"""Single precision: the circuits of `layered` against qsim through Cirq, as its documentation has it, and against Aer.

`python -m benchmarks.circuits.single`
"""

import sys
from typing import Any

import cirq
import qsimcirq

from benchmarks.circuits.rivals import (
    Counts,
    aer,
    chances_of,
    check_likely,
    compare,
    job_of,
    layered,
    parsed,
    run_job,
    seconds,
    time_job,
)
from benchmarks.report import Line, report

QSIM_GOAL = 1.05  # of the CPU seconds of qsim through Cirq
AER_GOAL = 0.5  # of Aer's, which has nothing to gain from single precision
LAYERS = 10
SHOTS = 1_000
ROUNDS = {20: 7, 24: 3}  # by qubits

_ROTATIONS = {"rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz}


def measure() -> list[Line]:
    return [line for qubits, rounds in ROUNDS.items() for line in _lines(qubits, rounds)]


def _lines(qubits: int, rounds: int) -> list[Line]:
    written = layered(qubits, LAYERS)
    job = job_of(written, shots=SHOTS, precision="single")
    circuit, translated = parsed(job), _in_cirq(written)
    chances = chances_of(circuit)
    for counts in (run_job(job)[0]["counts"], _qsim(translated), aer(circuit, shots=SHOTS, method="statevector")):
        check_likely(counts, chances)
    lines = []
    for name, rival, goal in (
        ("qsim's through Cirq", lambda: _qsim(translated), QSIM_GOAL),
        ("Aer's", lambda: aer(circuit, shots=SHOTS, method="statevector"), AER_GOAL),
    ):
        ours, theirs = compare(lambda: time_job(job), lambda rival=rival: seconds(rival), rounds=rounds)
        claim = f"Single precision, {qubits} qubits, {SHOTS:,} shots, CPU time of {name}"
        lines.append(Line(claim=claim, ours=ours / theirs, plain=1, unit="×", goal=goal, better="less"))
    return lines


def _in_cirq(written: dict[str, Any]) -> cirq.Circuit:
    line = cirq.LineQubit.range(written["qubits"])
    circuit = cirq.Circuit(
        cirq.CNOT(line[operation["control"]], line[operation["target"]])
        if "control" in operation
        else _ROTATIONS[operation["gate"]](operation["rotation"])(line[operation["target"]])
        for operation in written["operations"]
    )
    return circuit + cirq.measure(*reversed(line), key="read")


def _qsim(circuit: cirq.Circuit) -> Counts:
    simulator = qsimcirq.QSimSimulator(qsimcirq.QSimOptions(cpu_threads=1), seed=7)
    histogram = simulator.run(circuit, repetitions=SHOTS).histogram(key="read")
    width = len(circuit.all_qubits())
    return {format(outcome, f"0{width}b"): count for outcome, count in histogram.items()}


if __name__ == "__main__":
    sys.exit(report(measure()))
