"""Shots made into a model of their distribution, from the shots to the report: train, judge, decide, hand over."""

import hashlib
import json
from typing import Any

import numpy as np

from qstill.contract.distillations.circuits.distribution.job import MAX_LISTED_BITS, DistributionJob
from qstill.contract.distillations.report.measured import written
from workers.distillation.circuits.distribution.checkpoint import NAME, to_bytes
from workers.distillation.circuits.distribution.fit import fitted, trained
from workers.distillation.circuits.distribution.judge import Judged, decided, judged
from workers.distillation.circuits.distribution.models import histogram_of, independent_of
from workers.distillation.circuits.distribution.network import drawn
from workers.distillation.circuits.distribution.onnx import publish_onnx
from workers.distillation.circuits.distribution.report import report, result
from workers.distillation.circuits.distribution.shots import Shots, key_of, read_shots
from workers.distillation.report.frame import publish_documents
from workers.distillation.training.keeper import Keeper
from workers.run import Run

DISTRIBUTION = "distribution.json"
SAMPLES = 65_536  # of a student with too many bits to list all


def learn_distribution(job: DistributionJob, run: Run) -> dict[str, Any]:
    """Compute a job. Returns a DistributionResult as JSON; publishes the student, the distribution and report.json.

    Raises Problem when the job cannot succeed, Stopped after saving its state.
    """
    keeper = Keeper(job, run)
    run.progress(phase="shots", done=0, total=1, unit="circuits")
    shots = read_shots(job, run, keeper)
    outcome = fitted(job, shots, keeper)
    content = to_bytes(outcome.weights, job.student.architecture, shots.bits)
    meta = {
        "role": "student",
        "seed": job.training.seed,
        "epoch": outcome.epoch,
        "validation_nll": -outcome.validation_score,
        "architecture": job.student.architecture.model_dump(mode="json"),
    }
    keeper.hand_over(NAME, content, meta)
    run.progress(phase="evaluation", done=0, total=1, unit="reports")
    network = trained(job, shots, outcome)
    learned = shots.learned
    found = judged(network, histogram_of(learned, shots.bits), independent_of(learned, shots.bits), shots)
    exports = [_export(job, shots, found, run)]
    if "onnx" in job.export:
        exports.append(publish_onnx(network, shots, run))
    answer = result(shots, found, student=hashlib.sha256(content).hexdigest(), seconds=keeper.seconds())
    document = report(job, shots, found, outcome, answer, exports)
    publish_documents({"report.json": written(document)}, run)
    return answer.model_dump(mode="json")


def _export(job: DistributionJob, shots: Shots, found: Judged, run: Run) -> dict[str, Any]:
    """Publish the distribution that is given back. Returns what is known of the file."""
    helps, _ = decided(found)
    said: dict[str, Any] = {"returned": "student" if helps else "histogram", "bits": shots.bits, "bit_order": "little"}
    if not helps:
        codes, logs = found.histogram.codes, found.histogram.log_probability(found.histogram.codes)
        said |= {"probabilities": _by_key(codes, np.exp(logs), shots.bits)}
        said |= {"of_each_other_key": found.histogram.of_each_unseen}
    elif shots.bits <= MAX_LISTED_BITS:
        every = found.every["student"]
        said |= {"probabilities": _by_key(np.arange(len(every)), every, shots.bits)}
    else:
        codes, counts = np.unique(drawn(found.network, SAMPLES, job.training.seed).numpy(), return_counts=True)
        said |= {"counts": _by_key(codes, counts, shots.bits)}
    path = run.scratch / DISTRIBUTION
    path.write_text(json.dumps(said), encoding="utf-8")
    meta = {"format": "distribution", "returned": said["returned"], "bits": shots.bits}
    run.publish(path, kind="export", name=DISTRIBUTION, media_type="application/json", meta=meta)
    return {"name": DISTRIBUTION, **meta}


def _by_key(codes: Any, numbers: Any, bits: int) -> dict[str, float]:
    return {key_of(code, bits): number for code, number in zip(codes.tolist(), numbers.tolist(), strict=True)}
