"""The result and the report of a distribution that was learned."""

from typing import Any

import numpy as np

from qstill.contract.circuits.results.statistics import expected_total_variation
from qstill.contract.distillations.circuits.distribution.job import (
    MAX_LISTED_BITS,
    MEASURE,
    Distances,
    DistributionJob,
    DistributionResult,
)
from qstill.contract.distillations.circuits.distribution.report import (
    Apart,
    DistributionReport,
    LikelihoodPoint,
    Parts,
    ReadOutcome,
)
from workers.distillation.circuits.distribution.judge import Judged, apart, decided
from workers.distillation.circuits.distribution.models import histogram_of
from workers.distillation.circuits.distribution.shots import Shots, key_of
from workers.distillation.networks.costs import parameters
from workers.distillation.report.frame import versions
from workers.distillation.training.keeper import Outcome

TOP = 32  # keys of a report
FEW = 100  # held-out shots, below which an interval decides little


def result(shots: Shots, found: Judged, *, student: str, seconds: float) -> DistributionResult:
    """The few numbers for the job's row. student: the digest of its file."""
    helps, why = decided(found)
    to_exact = {each.model: each.exact for each in found.models}
    return DistributionResult(
        measure=MEASURE,
        returned="student" if helps else "histogram",
        why=why,
        bits=shots.bits,
        shots=len(shots.every),
        outcomes=len(np.unique(shots.every)),
        nll=Distances.model_validate({each.model: each.nll for each in found.models}),
        gain=found.gain,
        total_variation=None
        if shots.exact is None
        else Distances.model_validate({name: each and each.total_variation for name, each in to_exact.items()}),
        checkpoints=1,
        student_sha256=student,
        seconds=round(seconds, 3),
    )


def parts(shots: Shots) -> Parts:
    """How many shots went where."""
    return Parts(training=len(shots.training), validation=len(shots.validation), held_out=len(shots.held_out))


def report(
    job: DistributionJob,
    shots: Shots,
    found: Judged,
    outcome: Outcome,
    answer: DistributionResult,
    exports: list[dict[str, Any]],
) -> DistributionReport:
    """The whole document."""
    return DistributionReport(
        **dict(answer),
        parts=parts(shots),
        models=found.models,
        gain_over_independent=found.nll("independent") - found.nll("student"),
        entropy=_entropy(shots),
        all_shots=_all_shots(shots),
        shot_floor=expected_total_variation(1 << shots.bits, len(shots.learned)),
        unseen=found.histogram.unseen,
        epoch=outcome.epoch,
        parameters=parameters(found.network),
        curve=[
            LikelihoodPoint(epoch=point.epoch, loss=point.loss, validation_nll=-point.validation_score)
            for point in outcome.curve
        ],
        top=_top(shots, found),
        exports=exports,
        notes=notes(shots, found),
        job=job.model_dump(mode="json"),
        seed=job.training.seed,
        digests={"shots": shots.digest},
        versions=versions("torch", "qiskit", "qiskit-aer", "numpy"),
    )


def _entropy(shots: Shots) -> float | None:
    if shots.exact is None:
        return None
    likely = shots.exact[shots.exact > 0]
    return max(0.0, -float((likely * np.log(likely)).sum()))


def _all_shots(shots: Shots) -> Apart | None:
    if shots.exact is None:
        return None
    return apart(histogram_of(shots.every, shots.bits).frequencies(), shots.exact)


def _top(shots: Shots, found: Judged) -> list[ReadOutcome]:
    """Ordered by how often they were read; empty of too many bits to list."""
    if shots.bits > MAX_LISTED_BITS:
        return []
    codes, counts = np.unique(shots.every, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:TOP]
    return [
        ReadOutcome(
            key=key_of(int(codes[place]), shots.bits),
            count=int(counts[place]),
            student=float(found.every["student"][codes[place]]),
            histogram=float(found.every["histogram"][codes[place]]),
            exact=None if shots.exact is None else float(shots.exact[codes[place]]),
        )
        for place in order
    ]


def notes(shots: Shots, found: Judged) -> list[str]:
    """What a reader must know to judge the numbers, in plain words."""
    held_out = len(shots.held_out)
    said = [
        f"Learned from: {shots.how}. {held_out:,} of {len(shots.every):,} are held out: nothing was made of them.",
        "The histogram and the independent bits are made of the student's training and validation shots together. The "
        f"histogram keeps {found.histogram.unseen:.3f} for keys that were not read, by Good's and Turing's estimate: "
        "without it a single new key would make its likelihood 0, and any student win.",
    ]
    if shots.exact is None:
        why = f"it has more than {MAX_LISTED_BITS} bits" if shots.bits > MAX_LISTED_BITS else "it is not known"
        said.append(
            f"There is no distance to an exact distribution: {why}. Distances to the held-out shots' histogram are "
            "mostly the noise of that histogram."
        )
    if held_out < FEW:
        said.append(f"{held_out} held-out shots decide little: the interval is wide.")
    over_independent = found.nll("independent") - found.nll("student")
    if over_independent < 0.01 and decided(found)[0]:
        said.append(
            "Independent bits are as good as the student: what it learned is the frequency of each bit by itself."
        )
    said.append(
        "A model is biased where a histogram is not: it smooths. What it says of a key that was read often may be "
        "worse than the key's own frequency, and what is asked of a few likely keys is better asked of the counts."
    )
    return said
