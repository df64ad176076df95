"""Qiskit's EstimatorV2 on the service: expectation values with their standard errors, parameters by arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from qiskit.primitives import BaseEstimatorV2, DataBin, PrimitiveResult, PubResult
from qiskit.primitives.containers import EstimatorPubLike
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qstill.client import Client
from qstill.client.bodies import CircuitSettings
from qstill.client.results import Result
from qstill.qiskit.jobs import PrimitiveJob, points

MAX_OBSERVABLES = 100  # of one job
MAX_POINTS = 10_000


class EstimatorV2(BaseEstimatorV2):
    """client: None for one of this environment. settings: of all jobs, such as noise, method, device or seed.

    Values are computed, not sampled: `stds` are the service's standard errors, 0 where a value is exact, and no
    precision is asked for that they have not. A PUB is one job: a sweep over its points, with all of its observables.
    """

    def __init__(self, client: Client | None = None, **settings: Unpack[CircuitSettings]) -> None:
        self._client, self._settings = client or Client(), settings

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> PrimitiveJob[PrimitiveResult[PubResult]]:
        """Submits at once; `result()` waits."""
        asked = [_Asked.of(EstimatorPub.coerce(pub, precision or 0.0)) for pub in pubs]
        jobs = [self._submitted(each, part) for each in asked for part in each.parts()]

        def read(found: list[list[Result]]) -> PrimitiveResult[PubResult]:
            left = iter(found)
            said = [each.read([next(left) for _ in each.parts()]) for each in asked]
            return PrimitiveResult(said, metadata={"version": 2})

        return PrimitiveJob(jobs, read)

    def _submitted(self, asked: "_Asked", part: tuple[slice, slice]) -> Any:
        at, of = part
        settings: dict[str, Any] = {**self._settings, "observables": asked.observables[of]}
        circuit, bindings = asked.pub.circuit, asked.bindings[at]
        return self._client.run(circuit, bindings=bindings or None, shots=1, wait=False, **settings)


@dataclass(frozen=True)
class _Asked:
    """observables: different ones, as the service takes them. which: the place of each in an array of the PUB's shape.

    bindings: of each point; empty where the circuit has no parameters. at: the point of each, in the same shape.
    """

    pub: EstimatorPub
    observables: list[dict[str, Any]]
    which: Any
    bindings: list[dict[Any, float]]
    at: Any

    @classmethod
    def of(cls, pub: EstimatorPub) -> "_Asked":
        known: dict[tuple[tuple[str, float], ...], int] = {}
        which = np.zeros(pub.observables.shape, dtype=int)
        for place in np.ndindex(which.shape):
            found: Any = pub.observables[place]  # its coefficients are real: Qiskit refuses others
            terms = tuple(sorted((str(letters), float(np.real(value))) for letters, value in found.items()))
            which[place] = known.setdefault(terms, len(known))
        bindings = points(pub.parameter_values, pub.circuit) if pub.circuit.num_parameters else []
        at = np.arange(max(1, len(bindings))).reshape(pub.parameter_values.shape if bindings else ())
        which, at = np.broadcast_arrays(which, at)
        return cls(pub, [_observable(terms) for terms in known], which, bindings, at)

    def parts(self) -> list[tuple[slice, slice]]:
        """(points, observables) of each job that it is."""
        return [
            (slice(first, first + MAX_POINTS), slice(start, start + MAX_OBSERVABLES))
            for first in range(0, max(1, len(self.bindings)), MAX_POINTS)
            for start in range(0, len(self.observables), MAX_OBSERVABLES)
        ]

    def read(self, found: Sequence[Sequence[Result]]) -> PubResult:
        """found: the results of each part."""
        table = np.zeros((2, max(1, len(self.bindings)), len(self.observables)))
        for (at, of), results in zip(self.parts(), found, strict=True):
            table[0, at, of] = [[each["value"] for each in result.expectations] for result in results]
            table[1, at, of] = [[each["standard_error"] for each in result.expectations] for result in results]
        evs, stds = table[:, self.at, self.which]
        metadata = {"target_precision": self.pub.precision, "circuit_metadata": self.pub.circuit.metadata}
        return PubResult(DataBin(evs=evs, stds=stds, shape=evs.shape), metadata=metadata)


def _observable(terms: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Letters as Qiskit writes them, the rightmost for qubit 0; identities are left out."""
    written = []
    for letters, coefficient in terms:
        if set(letters) - set("IXYZ"):
            raise ValueError(f"an observable is a sum of Pauli strings; {letters} is none")
        acts = [(letter, qubit) for qubit, letter in enumerate(reversed(letters)) if letter != "I"] or [("I", 0)]
        named = {"paulis": "".join(letter for letter, _ in acts), "qubits": [qubit for _, qubit in acts]}
        written.append({**named, "coefficient": coefficient})
    return {"terms": written}
