"""The shots that a student learns from: where they come from, and which are held out."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.distillations.circuits.distribution.admission import below_the_data
from qstill.contract.distillations.circuits.distribution.job import (
    MAX_LISTED_BITS,
    MAX_SHOTS,
    DistributionJob,
    GivenShots,
    check_bits,
    check_counts,
    parts_of,
)
from qstill.contract.errors import Problem
from workers.circuits.planning import plan_circuits
from workers.circuits.program import Ask
from workers.circuits.route import simulate, sweep
from workers.distillation.networks.seeds import seed_of
from workers.distillation.training.keeper import Keeper
from workers.run import Run, Stopped

Codes = NDArray[np.int64]
Reals = NDArray[np.float64]

MAX_FILE_BYTES = 256 << 20  # JSON takes a few times as much memory once it is read
NOTED = "shots"  # what the keeper calls a circuit's counts
FORM = {"00": 512, "11": 488}

_COUNTS: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])


@dataclass(frozen=True)
class Shots:
    """What was read; each shot is a key as a number whose bit i is clbit i.

    exact: (2^bits,), the circuit's own distribution, noise included; None where nobody knows it, or it is of too many
    bits. how: where the shots come from.
    """

    bits: int
    training: Codes
    validation: Codes
    held_out: Codes
    exact: Reals | None
    how: str

    @property
    def learned(self) -> Codes:
        """All that a model may be made of."""
        return np.concatenate([self.training, self.validation])

    @property
    def every(self) -> Codes:
        return np.concatenate([self.learned, self.held_out])

    @property
    def digest(self) -> str:
        """Equal counts have equal ones."""
        codes, counts = np.unique(self.every, return_counts=True)
        return hashlib.sha256(np.stack([codes, counts]).tobytes() + bytes([self.bits])).hexdigest()[:16]


def key_of(code: int, bits: int) -> str:
    """clbit 0 is the rightmost character."""
    return f"{code:0{bits}b}"


def read_shots(job: DistributionJob, run: Run, keeper: Keeper | None = None) -> Shots:
    """Run the circuit, or read what is given. keeper: has kept the shots of an earlier attempt, which another machine
    might draw otherwise. Raises Problem, Stopped.
    """
    data = job.dataset
    if data.circuit is not None:
        counts, exact, how = _once(data, run, keeper)
    elif data.file is not None:
        counts, exact, how = read_file(run.files[data.file], data.index), None, "counts of an uploaded file"
        _check(counts, "/dataset/file")
    else:
        assert data.counts is not None
        counts, exact = data.counts, None
        how = "counts as submitted" if data.counts_of is None else f"counts of {data.counts_of}"
        _check(counts, "/dataset/counts")
    bits = len(next(iter(counts)).replace(" ", ""))
    sizes = parts_of(data, sum(counts.values()))
    summed: dict[int, int] = {}
    for key, count in counts.items():
        code = int(key.replace(" ", ""), 2)
        summed[code] = summed.get(code, 0) + count
    codes = np.array(sorted(summed), dtype=np.int64)
    every = np.repeat(codes, [summed[code] for code in codes.tolist()])
    order = np.random.Generator(np.random.PCG64(seed_of("held out", data.seed))).permutation(len(every))
    training, validation, held_out = np.split(every[order], np.cumsum(sizes)[:-1])
    return Shots(bits, training, validation, held_out, exact, how)


def _once(data: GivenShots, run: Run, keeper: Keeper | None) -> tuple[dict[str, int], Reals | None, str]:
    if keeper is None:
        return _run(data, run)
    if NOTED not in keeper.notes:
        counts, exact, how = _run(data, run)
        keeper.note(NOTED, (counts, None if exact is None else torch.from_numpy(exact), how))
    counts, kept, how = keeper.notes[NOTED]
    return counts, None if kept is None else kept.numpy(), how


def _check(counts: Mapping[str, int], pointer: str) -> None:
    try:
        check_counts(counts)
    except Problem as problem:
        inside = problem.pointer if pointer.endswith("counts") else ""
        problem.pointer = f"{pointer}{inside or ''}"
        raise


def _run(data: GivenShots, run: Run) -> tuple[dict[str, int], Reals | None, str]:
    """Counts and the exact distribution of a circuit, as a circuit job finds them."""
    try:
        return _simulated(data.as_circuit_job(), run)
    except Problem as problem:
        raise below_the_data(problem) from None


def _simulated(job: CircuitJob, run: Run) -> tuple[dict[str, int], Reals | None, str]:
    def between() -> None:
        if run.stop_requested():
            raise Stopped

    (planned,) = plan_circuits(job, between)
    check_bits(planned.clbits, "/circuit")
    routed = planned.routed
    assert job.seed is not None
    ask = Ask(
        shots=job.shots,
        seed=job.seed,
        threads=run.threads,
        between=between,
        probabilities=routed.probabilities and planned.clbits <= MAX_LISTED_BITS,
    )
    if job.bindings is not None and routed.program.circuit.parameters:
        ((sample, _),) = sweep(routed, planned.bindings(job.bindings), [ask])
    else:
        sample, _ = simulate(routed, ask)
    how = f"{job.shots:,} shots of the circuit by the method {routed.plan.method.value}"
    if sample.probabilities is None:
        return sample.counts, None, how
    exact = np.zeros(1 << planned.clbits)
    for key, probability in sample.probabilities.items():
        exact[int(key, 2)] = probability
    return sample.counts, exact / exact.sum(), how


def read_file(path: Path, index: int) -> dict[str, int]:
    """Counts of a file. Raises Problem at /dataset/file, or at /dataset/index."""
    if path.stat().st_size > MAX_FILE_BYTES:
        title = f"The file takes {path.stat().st_size >> 20:,} MiB; up to {MAX_FILE_BYTES >> 20} MiB are read."
        raise Problem("file_too_large", title, pointer="/dataset/file", ways_out=[{"note": "leave out all but counts"}])
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise _unreadable("The file is not JSON.") from None
    found = _counts_in(document, index)
    try:
        counts = _COUNTS.validate_python(found, strict=True)
    except ValidationError as error:
        place = "/".join(map(str, error.errors()[0]["loc"]))
        raise _unreadable(f"What stands at {place!r} is no count: counts are whole numbers by keys.") from None
    for key, count in counts.items():
        if not key.strip() or key.replace(" ", "").strip("01"):
            raise _unreadable(f"{key[:64]!r} is no key: keys are written in 0 and 1, clbit 0 rightmost.")
        if not 0 <= count <= MAX_SHOTS:
            raise _unreadable(f"{key[:64]!r} is counted {count} times; counts go from 0 to {MAX_SHOTS:,}.")
    return counts


def _counts_in(document: Any, index: int) -> Any:
    """Counts alone, counts by that name, or those of a circuit of `results.json`."""
    if isinstance(document, dict) and isinstance(document.get("circuits"), list):
        circuits = document["circuits"]
        if index >= len(circuits):
            title = f"The file has {len(circuits):,} circuits; the first one's index is 0."
            raise Problem("no_such_index", title, pointer="/dataset/index", ways_out=[{"dataset": {"index": 0}}])
        document = circuits[index]
    if isinstance(document, dict) and "counts" in document:
        document = document["counts"]
    if not isinstance(document, dict):
        raise _unreadable("The file holds no object of keys and counts.")
    return document


def _unreadable(title: str) -> Problem:
    return Problem("counts_invalid", title, pointer="/dataset/file", ways_out=[{"content": FORM}])
