"""Circuits that are measured at the end: one final state, pure or mixed, and one multinomial draw for all shots."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qstill.contract.circuits.outputs import MAX_PROBABILITY_QUBITS
from qstill.contract.errors import Problem
from workers.circuits.engines import aer, dense
from workers.circuits.engines.aer import AerMethod
from workers.circuits.engines.dense import StateMethod
from workers.circuits.engines.diagonals import merged
from workers.circuits.engines.readout import misread
from workers.circuits.outcome_keys import counts_of, keys_of
from workers.circuits.program import Ask, Integers, Mean, Program, Reals, Sample, generator

MAX_DRAWN_QUBITS = (
    MAX_PROBABILITY_QUBITS  # beyond 2^20 probabilities Aer samples the state itself, without a second copy of that size
)
STATES_AT_ONCE = 1 << 22  # amplitudes of a sweep that one call to Aer may hold

_PRECISION = 2.0**49  # of a probability: what threads add up in another order must not change the counts
_FEW = 8  # shots for each outcome, below which drawing them one by one is faster than outcome by outcome


def sample(program: Program, ask: Ask, method: StateMethod = "statevector") -> Sample:
    """Counts, and where they are asked for exact probabilities and expectation values."""
    return sample_each(program, [ask], method)[0]


def sample_each(
    program: Program,
    asks: Sequence[Ask],
    method: StateMethod = "statevector",
    bindings: Sequence[Mapping[Any, float]] = (),
) -> list[Sample]:
    """The same circuit for every set of values of its parameters: translated once, bound by the simulator."""
    if not bindings and (state := dense.final_state(program, method)) is not None:
        return [_drawn(program, _of_few_qubits(program, state), ask) for ask in asks]
    final = program.final(aer.prepare(method))
    if method == "statevector" and final.num_qubits >= aer.FUSED_QUBITS:
        final = merged(final)
    measured = program.measured
    positions = [final.find_bit(qubit).index for qubit in measured]
    translated = aer.translate(final, method)
    save_observables(translated, program)
    if len(measured) > MAX_DRAWN_QUBITS:
        return [_sampled_by_aer(program, translated, positions, ask, method, bindings, i) for i, ask in enumerate(asks)]
    if measured:
        translated.save_probabilities(positions)
    asked = measured or (program.observables and program.shape.active)
    found: list[Sample] = []
    step = max(1, STATES_AT_ONCE >> len(program.shape.active) * (2 if method == "density_matrix" else 1))
    for start in range(0, len(asks), step):
        asks[start].between()
        chunk = bindings[start : start + step]
        if asked:
            options = {"noise_model": program.aer_noise} | _binds(chunk)
            result = aer.run(translated, method, threads=asks[0].threads, shots=1, **options)
        for index, ask in enumerate(asks[start : start + step]):
            at = index if translated.parameters else 0  # Aer runs once what has only a phase of everything to bind
            data = result.data(at) if asked else {}
            found.append(_drawn(program, data, ask))
    return found


def _of_few_qubits(program: Program, state: dense.State) -> dict[str, Any]:
    """What Aer would have saved."""
    place = {qubit: index for index, qubit in enumerate(program.shape.active)}
    found: dict[str, Any] = {"probabilities": dense.probabilities(state, [place[qubit] for qubit in program.measured])}
    for index, observable in enumerate(program.observables):
        found[f"observable {index}"] = dense.expectation(state, observable.operator)
        if observable.square is not None:
            found[f"square {index}"] = dense.expectation(state, observable.square)
    return found


def _binds(bindings: Sequence[Mapping[Any, float]]) -> dict[str, Any]:
    if not bindings:
        return {}
    values = {parameter: [binding[parameter] for binding in bindings] for parameter in bindings[0]}
    return {"parameter_binds": [values], "runtime_parameter_bind_enable": True}


def save_observables(circuit: QuantumCircuit, program: Program) -> None:
    """Have Aer compute ⟨O⟩, and where it is affordable ⟨O²⟩, at this place."""
    if not program.shape.active:
        return  # then the observables are numbers
    every = range(circuit.num_qubits)
    for index, observable in enumerate(program.observables):
        circuit.save_expectation_value(observable.operator, every, label=f"observable {index}")
        if observable.square is not None:
            circuit.save_expectation_value(observable.square, every, label=f"square {index}")


def means(program: Program, data: Mapping[str, Any]) -> list[Mean]:
    """The expectation values that `save_observables` had saved."""

    def value(operator: SparsePauliOp, label: str) -> float:
        return float(np.real(data[label] if program.shape.active else operator.coeffs.sum()))

    found = []
    for index, observable in enumerate(program.observables):
        mean = value(observable.operator, f"observable {index}")
        square = None if observable.square is None else value(observable.square, f"square {index}")
        found.append(Mean(mean, variance=None if square is None else max(0.0, square - mean**2)))
    return found


def _drawn(program: Program, data: Mapping[str, Any], ask: Ask) -> Sample:
    """One multinomial draw from the probabilities of the qubits measured."""
    measured = program.measured
    if not measured:
        key = "0" * program.circuit.num_clbits
        sure = {key: 1.0} if ask.probabilities else None
        return Sample(counts={key: ask.shots}, kind="exact", probabilities=sure, expectations=means(program, data))
    exact: Reals = misread(np.asarray(data["probabilities"]), program)
    probabilities = rounded(exact)
    outcomes, frequencies = draw(probabilities, ask.shots, generator(ask.seed))
    columns = program.columns(measured)
    likely = likely_outcomes(exact, columns) if ask.probabilities else None
    return Sample(
        counts=counts_of(outcomes, frequencies, columns), probabilities=likely, expectations=means(program, data)
    )


def rounded(probabilities: Reals) -> Reals:
    """Probabilities that add up to 1, without their last bits. Powers of ½, the most frequent of all, stay exact."""
    grid = np.rint(probabilities * _PRECISION)
    whole: Reals = grid / grid.sum()
    return whole


def draw(probabilities: Reals, count: int, random: np.random.Generator) -> tuple[Integers, Integers]:
    """Outcomes that were read in `count` shots, in ascending order, and how often."""
    if count * _FEW > len(probabilities):
        frequencies = random.multinomial(count, probabilities)
        outcomes = np.flatnonzero(frequencies)
        return outcomes, frequencies[outcomes]
    places = np.sort(random.random(count))
    shots = np.searchsorted(np.cumsum(probabilities), places, side="right").clip(max=len(probabilities) - 1)
    outcomes, frequencies = np.unique(shots, return_counts=True)
    return outcomes, frequencies


def _sampled_by_aer(
    program: Program,
    translated: QuantumCircuit,
    positions: list[int],
    ask: Ask,
    method: AerMethod,
    bindings: Sequence[Mapping[Any, float]],
    index: int,
) -> Sample:
    """The same, sampled by Aer from its state. Raises Problem where more outcomes are possible than are given out."""
    ask.between()
    measured = translated.copy()
    if ask.probabilities:
        measured.save_probabilities(positions)
    measured.add_register(ClassicalRegister(len(positions)))
    measured.measure(positions, range(len(positions)))
    options = {"noise_model": program.aer_noise} | _binds(bindings[index : index + 1])
    data = aer.run(measured, method, threads=ask.threads, shots=ask.shots, seed=ask.seed, **options).data(0)
    outcomes, frequencies = sorted_outcomes(data["counts"])
    columns = program.columns(program.measured)
    counts = counts_of(outcomes, frequencies, columns)
    likely = likely_outcomes(np.asarray(data["probabilities"]), columns) if ask.probabilities else None
    return Sample(counts=counts, probabilities=likely, expectations=means(program, data))


def likely_outcomes(exact: Reals, columns: Sequence[int]) -> dict[str, float]:
    """The outcomes that are possible, with their probabilities. Raises Problem where they are too many to give out."""
    possible = np.flatnonzero(rounded(exact))
    if len(possible) > 1 << MAX_PROBABILITY_QUBITS:
        title = (
            f"Probabilities of {1 << MAX_PROBABILITY_QUBITS:,} outcomes are given out; {len(possible):,} are possible."
        )
        raise Problem("state_too_large", title, pointer="/outputs")
    return dict(zip(keys_of(possible, columns), exact[possible].tolist(), strict=True))


def sorted_outcomes(counts: Mapping[str, int]) -> tuple[Integers, Integers]:
    """Aer's counts by hexadecimal keys as ascending outcomes and their frequencies."""
    ascending = sorted((int(key, 16), count) for key, count in counts.items())
    outcomes, frequencies = zip(*ascending, strict=True)
    return np.array(outcomes, dtype=np.int64), np.array(frequencies, dtype=np.int64)
