"""What one circuit leaves in `results.json`: counts, and what else was asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.outputs import MAX_INLINE_NUMBERS
from qstill.contract.circuits.results.document import CircuitResults, Expectation, shots_in_order
from workers.circuits.engines import final_state
from workers.circuits.engines.dense import StateMethod
from workers.circuits.engines.states import state
from workers.circuits.planning import STATES, PlannedCircuit
from workers.circuits.program import Ask, Sample
from workers.run import Run

NPY = "application/x-npy"


def results_of(
    job: CircuitJob, planned: PlannedCircuit, seed: int, sample: Sample, run: Run, *, index: int
) -> CircuitResults:
    """States are published as `statevector-0.npy` and the like, and stand here too where they are small."""
    circuit = planned.circuit
    found = CircuitResults(
        shots=job.shots,
        seed=seed,
        clbits=circuit.num_clbits,
        registers=[
            {"name": register.name, "clbits": [circuit.find_bit(bit).index for bit in register]}
            for register in circuit.cregs
        ],
        method=planned.routed.plan.method.value,
        counts=sample.counts,
    )
    if job.bindings is not None:
        found["binding"] = dict(job.bindings[index])
    if sample.probabilities is not None:
        found["probabilities"] = sample.probabilities
    if planned.ideal is not None:
        ask = Ask(shots=1, seed=seed, threads=run.threads, probabilities=True)
        method: StateMethod = "density_matrix" if planned.ideal.mixed else "statevector"
        ideal = final_state.sample(planned.ideal, ask, method).probabilities
        assert ideal is not None  # they were asked for
        found["ideal"] = ideal
    if "memory" in job.outputs:
        found["memory"] = shots_in_order(sample.counts, seed)
    if sample.expectations:
        found["expectations"] = [
            Expectation(
                name=observable.name,
                value=mean.value,
                standard_error=mean.standard_error,
                shot_noise=mean.shot_noise(job.shots),
            )
            for observable, mean in zip(job.observables, sample.expectations, strict=True)
        ]
    for name in STATES:
        if name in job.outputs:
            array = state(name, circuit, planned.routed.program, planned.layout, threads=run.threads)
            path = run.scratch / f"{name}-{index}.npy"
            np.save(path, array, allow_pickle=False)
            run.publish(path, kind="array", name=path.name, media_type=NPY)
            if array.size <= MAX_INLINE_NUMBERS:
                found[name] = _amplitudes(array)
    return found


def _amplitudes(array: NDArray[np.complex128]) -> Any:
    """[real, imaginary] in place of every number."""
    return np.stack([array.real, array.imag], axis=-1).tolist()
