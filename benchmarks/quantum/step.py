"""A training step of a quantum network, and of many stacked, against PennyLane: `default.qubit` by backpropagation, and
`lightning.qubit` by the adjoint method, which takes a row at a time.

`python -m benchmarks.quantum.step`

RY(x) on each qubit, then layers of RY, RZ and a ring of CX, all Z, a linear head, cross-entropy, Adam; 32 rows, single
precision, one thread. Both sides compute the same losses from the same weights before they are timed.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.report import Line, report
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.observables import sums_of

ROWS, CLASSES = 32, 10
SIZES = ((4, 3, 25), (6, 3, 25), (8, 3, 25), (10, 4, 25), (12, 4, 40))  # qubits, layers, times faster
LIGHTNING = ((12, 4, 30),)
STACKED = ((4, 3, 200), (6, 3, 60))
SETS = 32
WIDE = (16, 4)
MOST_MEGABYTES = 200  # more than before the first step
ROUNDS, STEPS = 7, 5


def measure() -> list[Line]:
    torch.set_num_threads(1)
    lines = []
    for qubits, layers, goal in SIZES:
        ours, theirs = _interleaved(our_step(qubits, layers, 1), _theirs(qubits, layers))
        lines.append(_line(f"a step, {qubits} qubits x {layers} layers", ours, theirs, goal))
    for qubits, layers, goal in LIGHTNING:
        theirs_ = _theirs(qubits, layers, device="lightning.qubit", diff_method="adjoint")
        ours, theirs = _interleaved(our_step(qubits, layers, 1), theirs_)
        lines.append(_line(f"a step beside lightning, {qubits} x {layers}", ours, theirs, goal))
    for qubits, layers, goal in STACKED:
        ours, theirs = _interleaved(our_step(qubits, layers, SETS), _theirs(qubits, layers))
        lines.append(_line(f"a step of each of {SETS} stacked, {qubits} x {layers}", ours / SETS, theirs, goal))
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        grown = fresh.submit(_megabytes, *WIDE).result()
    claim = f"memory of a step, {WIDE[0]} x {WIDE[1]}"
    return [*lines, Line(claim=claim, ours=grown, plain=0, unit="MB", goal=MOST_MEGABYTES, better="less")]


def _megabytes(qubits: int, layers: int) -> float:
    """By how much the most memory of this process grows over that before the first step, its rows being encoded."""
    torch.set_num_threads(1)
    our_step(4, 3, 1)()  # what any first step loads
    step = our_step(qubits, layers, 1)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before = _peak()
    step()
    return _peak() - before


def _peak() -> float:
    """The most resident memory of this process, MB. Linux."""
    (line,) = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def _line(claim: str, ours: float, theirs: float, goal: int) -> Line:
    return Line(claim=f"{claim}; times faster", ours=theirs / ours, plain=1, unit="x", goal=goal, better="more")


def _interleaved(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """Median CPU seconds of a step of each, of a few in a row, as in training; the first are not counted."""
    seconds_of(ours), seconds_of(theirs)
    pairs = [(seconds_of(ours), seconds_of(theirs)) for _ in range(ROUNDS)]
    return median(a for a, _ in pairs), median(b for _, b in pairs)


def seconds_of(step: Callable[[], float]) -> float:
    start = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - start) / STEPS


def example(qubits: int, layers: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows (B, n), labels (B,), angles (L, 2, n) of RY and RZ, and a head (n, CLASSES)."""
    draw = torch.Generator().manual_seed(7)
    rows, labels = torch.rand(ROWS, qubits, generator=draw) * 3, torch.randint(0, CLASSES, (ROWS,), generator=draw)
    turns, head = torch.rand(layers, 2, qubits, generator=draw) * 3, torch.randn(qubits, CLASSES, generator=draw) / 10
    return rows, labels, turns, head


def our_step(qubits: int, layers: int, sets: int) -> Callable[[], float]:
    x, w = ParameterVector("x", qubits), ParameterVector("w", 2 * layers * qubits)
    encoding, ansatz = QuantumCircuit(qubits), QuantumCircuit(qubits)
    for qubit in range(qubits):
        encoding.ry(x[qubit], qubit)
    for layer in range(layers):
        for axis, turn in enumerate((ansatz.ry, ansatz.rz)):
            for qubit in range(qubits):
                turn(w[(2 * layer + axis) * qubits + qubit], qubit)
        for qubit in range(qubits):
            ansatz.cx(qubit, (qubit + 1) % qubits)
    rows, labels, turns, head = example(qubits, layers)
    names = [each.name for each in x]
    begin = DifferentiableCircuit(encoding, inputs=names, sums=[]).states(torch.zeros(1, 0), rows)[
        0
    ]  # once for all steps
    module = DifferentiableCircuit(ansatz, sums=sums_of(["z"], qubits))
    weights = turns.flatten().expand(sets, -1).clone().requires_grad_()
    heads = head.expand(sets, -1, -1).clone().requires_grad_()
    optimizer = torch.optim.Adam([weights, heads], lr=0.01, fused=True)
    target = labels.expand(sets, -1).flatten()
    wanted = one_hot(target, CLASSES).float()

    def step() -> float:
        optimizer.zero_grad()
        logits = module(weights, states=begin) @ heads
        logs = logits.detach().flatten(0, 1).log_softmax(-1)
        logits.backward(
            ((logs.exp() - wanted) / len(target)).view(logits.shape)
        )  # as a training with this objective does
        optimizer.step()
        return -(logs * wanted).sum().item() / len(target)

    return step


def _theirs(
    qubits: int, layers: int, *, device: str = "default.qubit", diff_method: str = "backprop"
) -> Callable[[], float]:
    @qml.qnode(qml.device(device, wires=qubits), interface="torch", diff_method=diff_method)
    def means(rows: Tensor, turns: Tensor) -> list[Tensor]:
        for qubit in range(qubits):
            qml.RY(rows[:, qubit], wires=qubit)
        for layer in range(layers):
            for gate, angles in zip((qml.RY, qml.RZ), turns[layer], strict=True):
                for qubit in range(qubits):
                    gate(angles[qubit], wires=qubit)
            for qubit in range(qubits):
                qml.CNOT(wires=[qubit, (qubit + 1) % qubits])
        return [qml.expval(qml.PauliZ(qubit)) for qubit in range(qubits)]

    rows, labels, *learned = example(qubits, layers)
    turns, head = (each.requires_grad_() for each in learned)
    optimizer = torch.optim.Adam([turns, head], lr=0.01, fused=True)
    alike = our_step(qubits, layers, 1)

    def step() -> float:
        optimizer.zero_grad()
        logits = torch.stack(means(rows, turns), -1).to(head.dtype) @ head
        loss = cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(2):
        mine, other = alike(), step()
        assert abs(mine - other) < 1e-4, (mine, other)
    return step


if __name__ == "__main__":
    sys.exit(report(measure()))
