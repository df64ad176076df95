"""Qiskit's SamplerV2 on the service. Qubits of many shots, registers by their names, parameters by arrays."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import BaseSamplerV2, BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers import SamplerPubLike
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qstill.client import Client
from qstill.client.bodies import CircuitSettings
from qstill.client.results import Result
from qstill.qiskit.jobs import PrimitiveJob, points

SHOTS = 1024
Bits = NDArray[np.uint8]


class SamplerV2(BaseSamplerV2):
    """client: None for one of this environment. settings: of all jobs, such as noise, method, device or seed.

    PUBs without parameters go as one job for each number of shots; one with parameters is a job of its own, all of its
    points in it. The shots of a circuit are exchangeable: their order is drawn, as any order is as likely.
    """

    def __init__(
        self, client: Client | None = None, *, default_shots: int = SHOTS, **settings: Unpack[CircuitSettings]
    ) -> None:
        self._client, self._shots, self._settings = client or Client(), default_shots, settings

    @property
    def default_shots(self) -> int:
        return self._shots

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> PrimitiveJob[PrimitiveResult[SamplerPubResult]]:
        """Submits at once; `result()` waits."""
        asked = [SamplerPub.coerce(pub, self._shots if shots is None else shots) for pub in pubs]
        if any(not pub.circuit.cregs for pub in asked):
            warnings.warn("A circuit has no classical register, so that its result is empty: measure it.", stacklevel=2)
        groups = _grouped(asked)
        jobs = [self._submitted([asked[place] for place in group]) for group in groups]

        def read(found: list[list[Result]]) -> PrimitiveResult[SamplerPubResult]:
            answers: dict[int, SamplerPubResult] = {}
            for group, results in zip(groups, found, strict=True):
                if len(group) == 1:
                    answers[group[0]] = _read(asked[group[0]], results)
                    continue
                answers |= {place: _read(asked[place], [each]) for place, each in zip(group, results, strict=True)}
            said = [answers[place] if place in answers else _read(pub, []) for place, pub in enumerate(asked)]
            return PrimitiveResult(said, metadata={"version": 2})

        return PrimitiveJob(jobs, read)

    def _submitted(self, pubs: Sequence[SamplerPub]) -> Any:
        shots, first = pubs[0].shots, pubs[0]
        if first.circuit.num_parameters:
            bindings = points(first.parameter_values, first.circuit)
            return self._client.run(first.circuit, shots=shots, bindings=bindings, wait=False, **self._settings)
        circuits = [pub.circuit for pub in pubs]
        return self._client.run(circuits, shots=shots, wait=False, **self._settings)


def _grouped(pubs: Sequence[SamplerPub]) -> list[list[int]]:
    """Places of PUBs that go as one job. What measures nothing is not asked."""
    groups: dict[tuple[int, int], list[int]] = {}
    for place, pub in enumerate(pubs):
        if _measures(pub.circuit):
            alone = place if pub.circuit.num_parameters else -1
            groups.setdefault((pub.shots, alone), []).append(place)
    return list(groups.values())


def _measures(circuit: Any) -> bool:
    return any(each.name == "measure" or each.is_control_flow() for each in circuit.data)


def _read(pub: SamplerPub, results: Sequence[Result]) -> SamplerPubResult:
    """results: a circuit for each point of the PUB; none where it measures nothing."""
    rows = [result.to_samples() for result in results]
    data: dict[str, BitArray] = {}
    for number, register in enumerate(pub.circuit.cregs):
        packed = np.zeros((pub.parameter_values.size, pub.shots, -(-register.size // 8)), dtype=np.uint8)
        for point, (result, bits) in enumerate(zip(results, rows, strict=True)):
            clbits = result.found["registers"][number]["clbits"]
            packed[point] = _packed(bits[:, clbits])
        data[register.name] = BitArray(packed.reshape(*pub.shape, *packed.shape[1:]), register.size)
    metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
    return SamplerPubResult(DataBin(**data, shape=pub.shape), metadata=metadata)


def _packed(bits: Bits) -> Bits:
    """(shots, bytes) as a BitArray holds them: big-endian, zeros before the highest bit."""
    padding = -bits.shape[1] % 8
    return np.packbits(np.pad(bits[:, ::-1], ((0, 0), (padding, 0))), axis=1)
