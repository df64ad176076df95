"""Error mitigation of trained networks on the circuit engine, from what their circuits would count."""

from collections.abc import Sequence

import numpy as np
from qiskit import QuantumCircuit

from qstill.contract.distillations.mitigation import ZeroNoise
from workers.circuits.program import Reals, generator, seeds
from workers.distillation.quantum.as_circuits import measured
from workers.distillation.quantum.on_engine import Engine, means_of
from workers.quantum.measurements import constants_of, measurements_of
from workers.quantum.mitigate import CANDIDATES, extrapolated, gains_of, near_clifford, telling
from workers.quantum.observables import PauliSum


def variants_of(
    circuit: QuantumCircuit, rows: Reals, sums: Sequence[PauliSum], engine: Engine, *, count: int, seed: int
) -> tuple[Reals, Reals]:
    """Without noise and with the engine's, (count, measurements, 2^n) of near-Clifford variants of rows' circuits.

    Each measurement has variants of its own: of the circuit as it is compiled, so that they have its gates.
    circuit: without measurements. rows: (rows, parameters), its angles.
    """
    ideal_engine = Engine(None, engine.device, engine.seed, engine.threads, engine.between)
    measurements, draw = measurements_of(sums), generator(seed)
    found = np.zeros((2, count, len(measurements), 1 << circuit.num_qubits))
    for number, measurement in enumerate(measurements):
        placed = engine.placed(measured(circuit, measurement.basis))
        bindings = [dict(zip(circuit.parameters, row, strict=True)) for row in rows]
        drawn = [
            near_clifford(placed.assign_parameters(bindings[place % len(rows)]), draw)
            for place in range(CANDIDATES * count)
        ]
        ideal = np.stack([ideal_engine.distribution(each) for each in drawn])
        chosen = telling(ideal @ measurement.worth_of_all(circuit.num_qubits, len(sums)).T, count)
        found[0, :, number] = ideal[chosen]
        found[1, :, number] = np.stack([engine.distribution(drawn[place]) for place in chosen])
    return found[0], found[1]


def gains_by_variants(ideal: Reals, noisy: Reals, sums: Sequence[PauliSum], shots: int | None, seed: int) -> Reals:
    """(observables,): of what is measured, less its constants. ideal, noisy: of `variants_of`."""
    constants = constants_of(sums)
    seen = means_of(noisy, sums, shots, seed) - constants
    return gains_of(means_of(ideal, sums, None, 0) - constants, seen, _variances(seen, sums, shots))


def without_noise(
    at_scales: Sequence[Reals], zne: ZeroNoise, sums: Sequence[PauliSum], shots: int | None, seed: int
) -> Reals:
    """(rows, observables). at_scales: distributions (rows, measurements, 2^n) of circuits folded by each scale."""
    constants = constants_of(sums)
    drawn = zip(at_scales, seeds(seed, len(at_scales)), strict=True)
    values = np.stack([means_of(each, sums, shots, own) - constants for each, own in drawn])
    return extrapolated(values, _variances(values, sums, shots), zne)[0] + constants


def _variances(values: Reals, sums: Sequence[PauliSum], shots: int | None) -> Reals:
    """Of means of so many shots, of strings that were read apart: at most."""
    most = np.array([sum(coefficient**2 for coefficient in terms.values()) for terms in sums])
    return np.broadcast_to(most / shots if shots else 0 * most, values.shape)
