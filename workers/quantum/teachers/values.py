"""A circuit's expectation values for rows of inputs: exact, or from as many shots as a teacher has.

values = CircuitValues(teacher, threads=1)
values.asked(rows)              # Answers: (B, O) and what is not known of them, as the job's shots and noise make them
values.exact(rows)              # (B, O) without shots and noise; None of a circuit that has no such values here

Circuits without noise are one state for all rows at once (`workers/quantum/circuit.py`); resets and measurements midway
are put off to the end for that. With noise, where a measurement decides what follows, and of many qubits, each row is a
circuit of its own on the engines of circuit jobs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import psutil
import torch
from qiskit import ClassicalRegister, QuantumCircuit
from torch import Tensor

from qstill.contract.circuits.job import MAX_SHOTS, CircuitJob
from qstill.contract.circuits.noise.model import Noise
from qstill.contract.circuits.outputs import check_observable
from qstill.contract.distillations.mitigation import CliffordGains, ZeroNoise
from qstill.contract.distillations.report.surrogate import JudgedBy
from qstill.contract.distillations.teachers.circuit import CircuitTeacher, check_inputs
from qstill.contract.errors import Problem
from workers.circuits.binding import bound
from workers.circuits.engines.dynamic.deferred import deferred
from workers.circuits.engines.final_state import draw, rounded
from workers.circuits.examine.shape import examine, final_measurements
from workers.circuits.parse import parse
from workers.circuits.planning import plan_parsed
from workers.circuits.program import Ask, generator
from workers.circuits.route import simulate
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.measurements import MAX_TABLE, constants_of, estimated, measurements_of, rotated
from workers.quantum.mitigate import CANDIDATES, extrapolated, folded, gains_of, near_clifford, telling
from workers.quantum.observables import sums_of
from workers.quantum.teachers.frequencies import Frequencies, frequencies_of
from workers.quantum.teachers.opened import opened

MAX_NUMBERS = 1 << 26  # of a circuit for all rows at once, where each angle is 2^n of them: 512 MiB
STATES_AT_ONCE = 1 << 20  # amplitudes of the rows that are drawn from together
ROWS_BETWEEN = 64  # looks whether the job was cancelled


@dataclass(frozen=True)
class Answers:
    """values: (B, O). variances: (B, O) of them, by the shots; 0 where they are exact."""

    values: Tensor
    variances: Tensor


class CircuitValues:
    """circuits, shots: of one row; shots is 0 of exact values."""

    def __init__(self, spec: CircuitTeacher, *, threads: int) -> None:
        """Raises Problem, with a pointer below the teacher."""
        self.asked_for = spec  # as it was submitted
        spec, self._sum = opened(spec)
        self.spec, self.threads = spec, threads
        self.circuit = parse(spec.circuit, bound=False)
        used = self.circuit.copy()
        used.global_phase = 0
        check_inputs(spec.inputs, {each.name for each in used.parameters})
        for number, observable in enumerate(spec.observables):
            check_observable(observable, self.circuit.num_qubits, f"/observables/{number}")
        sums = sums_of(spec.observables, self.circuit.num_qubits)
        self._constants = torch.from_numpy(constants_of(sums))
        self._measurements = measurements_of(sums)
        self._whole = _without_decisions(self.circuit)
        self._module: DifferentiableCircuit | None = None
        if self._whole is not None and _fits(self._whole):
            unread = "I" * (self._whole.num_qubits - self.circuit.num_qubits)
            widened = [{unread + string: coefficient for string, coefficient in terms.items()} for terms in sums]
            self._module = self._differentiable(self._whole, widened)
        self._noisy = spec.noise is not None and spec.noise.model != "ideal"
        self._direct = self._module is not None and not self._noisy
        self._shape = examine(self.circuit)
        if spec.shots is None and not self._direct and self._shape.dynamic:
            title = "This circuit measures or resets on its way, and has no exact values here: give it shots."
            raise Problem("no_exact_value", title, pointer="/shots", ways_out=[{"shots": 8192}])

        if spec.mitigation is not None:
            folded(self.circuit, 1)  # for what it refuses

    @property
    def circuits(self) -> int:
        each = 1 if self.spec.shots is None else len(self._measurements)
        return each * (1 if self.spec.mitigation is None else self.spec.mitigation.circuits)

    @property
    def circuits_before(self) -> int:
        """That are run once, for what all rows are mitigated by."""
        mitigation = self.spec.mitigation
        return self.circuits * mitigation.variants if isinstance(mitigation, CliffordGains) else 0

    @property
    def shots(self) -> int:
        return (self.spec.shots or 0) * self.circuits

    @property
    def names(self) -> list[str]:
        """Of the observables."""
        return [each.name or f"observable {number}" for number, each in enumerate(self.spec.observables)]

    @property
    def at_once(self) -> bool:
        """Whether exact values of many rows are computed together, in microseconds each."""
        return self._module is not None

    @property
    def judged_by(self) -> JudgedBy:
        """What `exact` is: of a circuit without exact values its answers stand for them."""
        return "exact" if self._module is not None or not self._shape.dynamic else "teacher"

    def frequencies(self) -> Frequencies:
        """Raises Problem not_periodic."""
        if self._sum is not None:
            return self._sum
        return frequencies_of(
            self.circuit, self.spec.inputs, [term.letters for each in self._measurements for term in each.terms]
        )

    def exact(self, rows: Tensor) -> Tensor:
        """(B, O), double precision, without shots and noise. rows: (B, I), double precision."""
        if self._module is not None:
            return self._module(rows.new_zeros(1, 0), rows)[0]
        if self._shape.dynamic:
            return self.asked(rows).values
        return torch.stack([self._means(self.bound(row), row, noise=None) for row in rows])

    def asked(self, rows: Tensor, between: Callable[[], None] = lambda: None) -> Answers:
        """What this teacher says: a function of a row alone. between: called now and then; it may raise."""
        if self._direct and self.spec.shots is None:
            values = self.exact(rows)
            return Answers(values, torch.zeros_like(values))
        found = torch.zeros(2, len(rows), len(self._constants), dtype=torch.float64)
        if self._direct:
            piece = max(1, STATES_AT_ONCE >> self._bare.qubits)
            for first in range(0, len(rows), piece):
                between()
                self._draw(rows[first : first + piece], found[:, first : first + piece])
        else:
            for row, values in enumerate(rows):
                if row % ROWS_BETWEEN == 0:
                    between()
                found[:, row] = self._run(values)
        return Answers(found[0] + self._constants, found[1])

    def _differentiable(self, circuit: QuantumCircuit, sums: Any) -> DifferentiableCircuit | None:
        try:
            return DifferentiableCircuit(circuit, inputs=self.spec.inputs, sums=sums, precision=torch.float64)
        except Problem as problem:
            if problem.code != "untrainable_gate":
                raise
            return None

    @cached_property
    def _bare(self) -> DifferentiableCircuit:
        """The circuit that is drawn from."""
        assert self._whole is not None
        found = self._differentiable(self._whole, [])
        assert found is not None  # as `_module` is there
        return found

    def _draw(self, rows: Tensor, found: Tensor) -> None:
        """Add to (2, B, O) what the measurements of these rows say, drawn from their states."""
        assert self.spec.shots is not None
        states, count = self._bare.states(rows.new_zeros(1, 0), rows)[0], found.shape[2]
        for number, measurement in enumerate(self._measurements):
            size = 1 << len(measurement.qubits)
            table = measurement.worth(np.arange(size), count) if size * count <= MAX_TABLE else None
            for row, probabilities in enumerate(measurement.probabilities(states).numpy()):
                random = generator(_seed(self.spec.seed, number, rows[row]))
                outcomes, frequencies = draw(rounded(probabilities), self.spec.shots, random)
                worth = measurement.worth(outcomes, count) if table is None else table[:, outcomes]
                found[:, row] += torch.from_numpy(np.stack(estimated(worth, frequencies)))

    def _run(self, row: Tensor) -> Tensor:
        """(2, O): values and variances of one row, by the engines of circuit jobs, less constants."""
        circuit, mitigation = self.bound(row), self.spec.mitigation
        if not isinstance(mitigation, ZeroNoise):
            found = self._measured(circuit, row)
            return found if mitigation is None else found * torch.stack([self.gains, self.gains.square()])
        at_scales = [
            self._measured(folded(circuit, scale), row, place * len(self._measurements))
            for place, scale in enumerate(mitigation.scales)
        ]
        values, variances = torch.stack(at_scales, 1).numpy()
        return torch.from_numpy(np.stack(extrapolated(values, variances, mitigation)))

    @cached_property
    def gains(self) -> Tensor:
        """(O,), of near-Clifford variants of the circuit, each at inputs of its own."""
        mitigation = self.spec.mitigation
        assert isinstance(mitigation, CliffordGains)
        random, count = generator(self.spec.seed), CANDIDATES * mitigation.variants
        rows = torch.from_numpy(random.uniform(-math.pi, math.pi, (count, len(self.spec.inputs))))
        variants = [near_clifford(self.bound(row), random) for row in rows]
        ideal = torch.stack([self._means(each, row, noise=None) for each, row in zip(variants, rows, strict=True)])
        ideal -= self._constants
        chosen = telling(ideal.numpy(), mitigation.variants)
        noisy = torch.stack([self._measured(variants[number], rows[number]) for number in chosen], 1)
        return torch.from_numpy(gains_of(ideal[chosen].numpy(), *noisy.numpy()))

    def unmitigated(self) -> CircuitValues:
        """The same teacher without mitigation, with as many shots for a row in all."""
        mitigation, shots = self.spec.mitigation, self.spec.shots
        assert mitigation is not None
        in_all = None if shots is None else min(MAX_SHOTS, shots * mitigation.circuits)
        return CircuitValues(self.spec.model_copy(update={"mitigation": None, "shots": in_all}), threads=self.threads)

    def _measured(self, circuit: QuantumCircuit, row: Tensor, first: int = 0) -> Tensor:
        """(2, O) of a circuit of a row. first: of the numbers that its readings' seeds are drawn by."""
        if self.spec.shots is None:
            exact = self._means(circuit, row, noise=self.spec.noise)
            return torch.stack([exact - self._constants, torch.zeros_like(exact)])
        found = torch.zeros(2, len(self._constants), dtype=torch.float64)
        before = _unmeasured(circuit)
        for number, measurement in enumerate(self._measurements, first):
            measured = rotated(before, measurement.basis)
            register = ClassicalRegister(len(measurement.qubits))
            measured.add_register(register)
            measured.measure(measurement.qubits, register)
            counts = self._simulated(measured, number, row, noise=self.spec.noise).counts
            outcomes = np.array([int(key[: len(register)], 2) for key in counts], dtype=np.int64)
            frequencies = np.array([*counts.values()], dtype=np.int64)
            worth = measurement.worth(outcomes, len(self._constants))
            found += torch.from_numpy(np.stack(estimated(worth, frequencies)))
        return found

    def on_engine(self, row: Tensor, observable: int) -> float | None:
        """The exact value by the engines of circuit jobs, with noise; None of a circuit that has none there.

        row: (I,), double precision.
        """
        if self._shape.dynamic:
            return None
        return float(self._means(self.bound(row), row, noise=self.spec.noise)[observable])

    def bound(self, row: Tensor) -> QuantumCircuit:
        """The circuit, measured, with a row's numbers (I,) in it."""
        values = dict(zip(self.spec.inputs, row.tolist(), strict=True))
        return bound(self.circuit, {each: values[each.name] for each in self.circuit.parameters})

    def _means(self, circuit: QuantumCircuit, row: Tensor, *, noise: Noise | None) -> Tensor:
        """(O,), exact, of a circuit that is not dynamic."""
        mixed = noise is not None or self._shape.channels > 0
        method = "density_matrix" if mixed else "statevector"
        found = self._simulated(circuit, 0, row, noise=noise, observables=self.spec.observables, method=method)
        return torch.tensor([mean.value for mean in found.expectations], dtype=torch.float64)

    def _simulated(self, circuit: QuantumCircuit, number: int, row: Tensor, **asked: Any) -> Any:
        seed = _seed(self.spec.seed, number, row)
        job = CircuitJob(
            circuit=self.spec.circuit,
            shots=self.spec.shots or 1,
            seed=seed,
            ideal=False,
            **asked,
        )
        planned = plan_parsed(job, self.spec.circuit, circuit, psutil.virtual_memory().available)
        return simulate(planned.routed, Ask(shots=job.shots, seed=seed, threads=self.threads))[0]


def _without_decisions(circuit: QuantumCircuit) -> QuantumCircuit | None:
    """A circuit without resets and measurements midway, its first qubits ending as the circuit's; None: they decide."""
    return deferred(circuit) if examine(circuit).dynamic else circuit


def _fits(circuit: QuantumCircuit) -> bool:
    return len(circuit.data) << int(circuit.num_qubits) <= MAX_NUMBERS


def _unmeasured(circuit: QuantumCircuit) -> QuantumCircuit:
    """Without its final measurements."""
    ending = final_measurements(circuit)
    found = circuit.copy_empty_like()
    for position, instruction in enumerate(circuit.data):
        if position not in ending:
            found._append(instruction)
    return found


def _seed(seed: int, number: int, row: Tensor) -> int:
    """Of one circuit: by the teacher's seed, the measurement and the row, so that rows may be asked in any order."""
    told = f"{seed} {number} ".encode() + row.numpy().tobytes()
    return int.from_bytes(sha256(told).digest()[:6], "big")
