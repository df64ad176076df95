"""A training step of a quantum network against TensorCircuit-NG (JAX, jitted; what it compiles for is shown apart) and
qiskit-machine-learning's EstimatorQNN, in an environment of their own, which the first run makes below ~/.cache/qstill.

`python -m benchmarks.quantum.rivals`

The step of `step.py`: each side says its loss of the same weights before it is timed. CPU seconds of one thread.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.peers import asked, environment
from benchmarks.quantum.step import ROUNDS, example, our_step, seconds_of
from benchmarks.report import Line, report

PACKAGES = ("tensorcircuit-ng==1.10.0", "jax[cpu]==0.10.2", "qiskit==2.6.2", "qiskit-machine-learning==0.9.1")
PEER = Path(__file__).with_name("rivals_peer.py")
AGAINST = (  # qubits, layers, times faster
    ("tensorcircuit", 4, 3, 3),
    ("tensorcircuit", 6, 3, 3),
    ("tensorcircuit", 8, 3, 3),
    ("tensorcircuit", 10, 4, 3),
    ("tensorcircuit", 12, 4, 3),
    ("estimator", 4, 3, 1000),
)


def measure() -> list[Line]:
    torch.set_num_threads(1)
    python = environment("quantum-rivals", PACKAGES)
    return [] if python is None else [line for each in AGAINST for line in _against(python, *each)]


def _against(python: Path, rival: str, qubits: int, layers: int, goal: int) -> list[Line]:
    rows, labels, turns, head = (each.numpy() for each in example(qubits, layers))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.npz"
        np.savez(path, rows=rows, labels=labels, turns=turns, head=head)
        found = asked(python, PEER, rival, str(path))
    start = time.process_time()
    ours = our_step(qubits, layers, 1)
    assert abs(ours() - found["loss"]) < 1e-4, found
    begun = time.process_time() - start
    mine = sorted(seconds_of(ours) for _ in range(ROUNDS))[ROUNDS // 2]
    claim = f"a step beside {rival}, {qubits} x {layers}"
    times = Line(claim=f"{claim}; times faster", ours=found["step"] / mine, plain=1, unit="x", goal=goal, better="more")
    claim, plain = f"{claim}; until the first is done", found["first"]
    return [times, Line(claim=claim, ours=begun, plain=plain, unit="s", goal=plain, better="less")]


if __name__ == "__main__":
    sys.exit(report(measure()))
