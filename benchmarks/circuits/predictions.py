"""Predicted against measured seconds, over all methods and sizes. `python -m benchmarks.circuits.predictions`

The constants of `qstill/contract/circuits/methods.py` are right if nearly all predictions are within a factor of 3 of
what one core takes. There is no counterpart: the measurement is the judge.
"""

import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.report import Line, report
from qstill.contract.circuits.job import CircuitJob
from workers.circuits.planning import plan_circuits
from workers.circuits.program import Ask, seeds
from workers.circuits.route import simulate, sweep
from workers.circuits.run import warm

GOAL = 95  # percent of the predictions within FACTOR
FACTOR = 3.0
ROUNDS = 2

Json = dict[str, Any]


def cases() -> Iterator[tuple[str, Json]]:
    """(method, job) of what clients send: few qubits and many, few shots and many."""
    for qubits, layers, shots in ((2, 1, 1_000), (10, 5, 1_000), (100, 2, 1_000), (1_000, 2, 1_000), (50, 4, 100_000)):
        yield "stabilizer", job(qubits, clifford(qubits, layers), shots)
    for qubits, layers, shots in ((2, 2, 1_000), (5, 20, 1_000), (10, 10, 1_000_000), (14, 20, 1_000), (18, 10, 1_000)):
        yield "statevector", job(qubits, layered(qubits, layers), shots)
    yield "statevector", job(22, layered(22, 3), 1_000)
    for qubits, layers in ((2, 2), (4, 10), (6, 10), (8, 6), (10, 3)):
        yield "density_matrix", job(qubits, layered(qubits, layers), 1_000, noise=NOISE)
    for qubits, layers, shots in ((2, 2, 100), (4, 10, 1_000), (10, 5, 1_000), (14, 5, 200), (16, 4, 50)):
        yield "trajectories", job(qubits, layered(qubits, layers), shots, noise=NOISE)
    yield "trajectories", job(8, layered(8, 4), 1_000, noise=NOISE | {"two_qubit": 0.1})
    dynamics = ((3, 2, 2, 1_000), (8, 5, 4, 1_000), (16, 2, 6, 1_000), (12, 4, 16, 1_000), (18, 3, 3, 1_000))
    dynamics += ((20, 2, 2, 1_000), (20, 4, 2, 1_000), (22, 2, 1, 1_000))
    for qubits, layers, measured, shots in dynamics:
        yield "shot_branching", job(qubits, dynamic(qubits, layers, measured), shots)
    for qubits, layers, shots in ((20, 2, 1_000), (40, 4, 1_000), (60, 2, 10_000), (24, 10, 1_000), (100, 6, 1_000)):
        yield "matrix_product_state", job(qubits, layered(qubits, layers), shots)
    for qubits, measured, shots in ((4, 2, 200), (30, 10, 100)):
        yield "matrix_product_state", job(qubits, dynamic(qubits, 1, measured), shots)
    for qubits, points in ((3, 200), (8, 200), (12, 50)):
        ansatz = [{"gate": "ry", "target": q, "rotation": "theta"} for q in range(qubits)] + chain(qubits)
        bindings = [{"theta": 0.01 * point} for point in range(points)]
        yield "statevector", job(qubits, ansatz, 1_000, bindings=bindings)


NOISE = {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.01}


def job(qubits: int, operations: list[Json], shots: int, **more: Any) -> Json:
    return {"circuit": {"format": "json", "qubits": qubits, "operations": operations}, "shots": shots, "seed": 1} | more


def chain(qubits: int) -> list[Json]:
    return [{"gate": "x", "control": q, "target": q + 1} for q in range(qubits - 1)]


def layered(qubits: int, layers: int) -> list[Json]:
    """Rotations on all qubits, then controlled nots along the line, as an ansatz has them."""
    angle = random.Random(qubits * layers)
    found: list[Json] = []
    for layer in range(layers):
        found += [{"gate": "rx", "target": q, "rotation": angle.uniform(0, 3)} for q in range(qubits)]
        found += [{"gate": "x", "control": q, "target": q + 1} for q in range(layer % 2, qubits - 1, 2)]
    return found


def clifford(qubits: int, layers: int) -> list[Json]:
    return [{"gate": "h", "target": q} for q in range(qubits)] + chain(qubits) * layers


def dynamic(qubits: int, layers: int, measured: int) -> list[Json]:
    """Layers, qubits measured and used again, layers."""
    ending = layered(qubits, layers)
    middle = [{"gate": "measure", "target": q % qubits, "clbit": q} for q in range(measured)]
    return [*layered(qubits, layers), *middle, *ending]


def measure_one(body: Json, method: str) -> tuple[float, float]:
    """(predicted, measured) seconds of one core."""
    wanted = CircuitJob.model_validate(body | {"method": method})
    (planned,) = plan_circuits(wanted)
    plan, taken = planned.routed.plan, []
    for _ in range(ROUNDS):
        start = time.process_time()  # of one thread: what else this machine does is not ours to predict
        if wanted.bindings is None:
            simulate(planned.routed, Ask(shots=wanted.shots, seed=1))
        else:
            asks = [Ask(shots=wanted.shots, seed=seed) for seed in seeds(1, wanted.runs)]
            sweep(planned.routed, planned.bindings(wanted.bindings), asks)
        taken.append(time.process_time() - start)
    return plan.seconds_of(wanted.runs), min(taken)


def measure() -> list[Line]:
    warm()
    near = []
    for method, body in cases():
        predicted, measured = measure_one(body, method)
        ratio = measured / predicted
        near.append(1 / FACTOR <= ratio <= FACTOR)
        circuit = body["circuit"]
        size = f"{circuit['qubits']} qubits, {len(circuit['operations'])} operations, {body['shots']} shots"
        print(f"{method:21} {size:42} {predicted:9.4f} s {measured:9.4f} s {ratio:6.2f}", file=sys.stderr)
    share = 100 * sum(near) / len(near)
    claim = f"predictions within a factor of {FACTOR:g}"
    return [Line(claim=claim, ours=share, plain=0, unit="%", goal=GOAL, better="more")]


if __name__ == "__main__":
    sys.exit(report(measure()))
