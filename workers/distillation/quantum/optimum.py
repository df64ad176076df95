"""What a surrogate's minimum is worth: the circuit there, on the circuit engine, beside what others find."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from qstill.contract.circuits.formats import OpenQasm3Circuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.distillations.evaluation import MAX_EVALUATIONS, Minimise
from qstill.contract.distillations.report.surrogate import Optimum, Refined, Searched, SearchName
from workers.circuits.export.openqasm3 import to_openqasm3
from workers.circuits.templates.descent import descend
from workers.distillation.quantum.searches import Box, Floats, Sum, cobyla, lowest, spsa
from workers.quantum.teachers.opened import start_of
from workers.quantum.teachers.values import CircuitValues

SHOTS = 10_000  # of the certificate, whose expectation value is exact besides
EQUAL = 1e-6  # of the range of values, where answers are exact
FLAT = 1e-5  # of the range of values, for each box length: BFGS ends there


def optimum(
    asked: Minimise,
    circuit: CircuitValues,
    surrogate: Sum,
    box: Box,
    known: tuple[Tensor, Tensor],
    between: Callable[[], None],
    submit: Callable[[CircuitJob], str],
) -> Optimum:
    """known: rows that the circuit was asked about for the surrogate (N, inputs), and its answers (N,). between: may
    raise; called before the circuit is asked. submit: has a job queued, and returns its id.
    """
    number = asked.observable
    start = asked.start or start_of(circuit.asked_for) or box.at(np.full(len(box.low), 0.5)).tolist()
    errors: list[float] = []

    def ask(row: Floats) -> float:
        between()
        said = circuit.asked(torch.from_numpy(row)[None], between)
        errors.append(float(said.variances[0, number]))
        return float(said.values[0, number])

    def own(row: Floats) -> float:
        return float(circuit.exact(torch.from_numpy(row)[None])[0, number])

    rows, answers = known
    best = rows[answers.argmin()].numpy()
    found, predicted = lowest(surrogate, box, asked.seed, [start, best.tolist()])
    budget = min(len(rows), MAX_EVALUATIONS)
    ends: dict[SearchName, tuple[Floats, int]] = {
        "surrogate": (found, len(rows)),
        "start": (np.asarray(start, dtype=np.float64), 0),
        "best_asked": (best, len(rows)),
        "cobyla": (cobyla(ask, box, start, budget, asked.seed), budget),
        "spsa": (spsa(ask, box, start, budget, asked.seed), budget),
    }
    searches = {
        name: Searched(angles=row.tolist(), value=own(row), evaluations=count) for name, (row, count) in ends.items()
    }
    ask(found)
    spread = float(answers.max() - answers.min())
    tolerance = max((errors[-1] / len(rows)) ** 0.5, EQUAL * spread)
    gain, verdict = decided(searches, tolerance)
    expected = circuit.on_engine(torch.from_numpy(found), number)
    return Optimum(
        observable=circuit.names[number],
        inputs=circuit.spec.inputs,
        predicted=predicted,
        searches=searches,
        tolerance=tolerance,
        gain=gain,
        verdict=verdict,
        refined=_refined(own, box, start, found, spread, between) if circuit.at_once else None,
        certificate=submit(certificate(circuit, torch.from_numpy(found), number, expected)),
        expected=expected,
    )


def decided(searches: dict[SearchName, Searched], tolerance: float) -> tuple[bool, str]:
    """(gain, why) in one sentence."""
    ours = searches["surrogate"]
    rival = min((name for name in searches if name != "surrogate"), key=lambda name: searches[name].value)
    other = searches[rival]
    gain = ours.value < other.value - tolerance
    finds = {
        "start": "the start is",
        "best_asked": "the lowest of the answers it was made of was read at",
        "cobyla": f"COBYLA finds with {other.evaluations:,} evaluations",
        "spsa": f"SPSA finds with {other.evaluations:,} evaluations",
    }[rival]
    said = f"{ours.value:.6g} at the surrogate's minimum, after {ours.evaluations:,} evaluations; "
    said += f"{finds} {other.value:.6g}"
    if not gain and ours.value < other.value + tolerance:
        said += ", which is the same"
    return gain, f"{'gain' if gain else 'no gain'}: {said}"


def _refined(
    own: Callable[[Floats], float],
    box: Box,
    start: list[float],
    found: Floats,
    spread: float,
    between: Callable[[], None],
) -> Refined:
    scale = spread or 1.0
    ends = [
        descend(lambda shares: own(box.at(shares)) / scale, box.shares(row), gradient=FLAT, between=between)
        for row in (start, found)
    ]
    (begun, warm), steps = [each.value * scale for each in ends], [len(each.trace) - 1 for each in ends]
    return Refined(start=begun, start_steps=steps[0], surrogate=warm, surrogate_steps=steps[1])


def certificate(circuit: CircuitValues, row: Tensor, number: int, expected: float | None) -> CircuitJob:
    """The circuit at a row of inputs, and the observable of this number; expected: its value there."""
    noise = circuit.spec.noise
    return CircuitJob(
        name="certificate of a minimum",
        labels={} if expected is None else {"expected": f"{expected:.12g}"},
        circuit=OpenQasm3Circuit(format="openqasm3", source=to_openqasm3(circuit.bound(row))),
        shots=SHOTS,
        seed=circuit.spec.seed,
        method="auto" if noise is None or expected is None else "density_matrix",
        noise=noise,
        outputs=["counts"],
        observables=[] if expected is None else [circuit.spec.observables[number]],
    )
