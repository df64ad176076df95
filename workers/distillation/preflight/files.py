"""The time of what a job does once its students are trained: exports, and the comparison with pruning and quantisation.

The exporter is not tried: it takes seconds, and a request waits. Its time hardly depends on anything but the number of
layers, so that constants tell, measured on one core of 2.5 GHz.
"""

from collections.abc import Sequence
from statistics import fmean

from torch import nn

from qstill.contract.distillations.compression import Compression
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight_parts import Seconds
from workers.distillation.compress.fine_tune import stage_of
from workers.distillation.compress.section import ROUNDS, data_of, network_of
from workers.distillation.compress.ways import Way, searched_families, ways_of
from workers.distillation.data.dataset import Data
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.vit import VitNetwork
from workers.distillation.preflight.costs import NOTHING, around, total_of, training_time
from workers.distillation.preflight.pace import Pace
from workers.distillation.preflight.rehearsal import Rehearsal, as_long, excerpt_of, rehearse
from workers.distillation.teachers import Teacher
from workers.distillation.training.plan import Stage, baseline_lesson

FIRST_EXPORT = 2.5  # the exporter's libraries are loaded
AN_EXPORT, A_LAYER = 0.8, 0.06
A_FILE = 0.2  # quantised, opened and timed
A_TURN = 0.02  # of a file: opened, and some tens of rows
SEARCH_STEPS = 8  # a bisection's
PACKED_PARAMETERS = 1e6  # a second; of a file that is quantised and packed


def time_of_exports(files: int, network: nn.Module, evaluation: float) -> Seconds:
    """Of so many files of ONNX; a circuit is text. evaluation: seconds in which the network answers all test rows."""
    if not files:
        return NOTHING
    return around(FIRST_EXPORT + _export(network) + files * (A_FILE + 2 * evaluation))


def _export(network: nn.Module) -> float:
    return AN_EXPORT + A_LAYER * sum(not list(layer.children()) for layer in network.modules())


def time_of_compression(
    job: DistillationJob, data: Data, teacher: Teacher, stage: Stage, student: Rehearsal, *, most: int
) -> Seconds:
    """stage: a student's. student: what its steps take. most: training rows that are looked at."""
    asked = job.compression
    if asked is None:
        return NOTHING
    seeds = asked.seeds or job.evaluation.seeds
    kinds, prunings, own = asked.kinds(), len(asked.pruning), network_of(teacher)
    tuned = [_fine_tuning(job, asked, kind, data_of(teacher, data), teacher, stage, most) for kind in kinds]
    searched = searched_families(asked)
    parts = [_share(tuned, seeds * (prunings + len(searched)), asked)] if tuned else []
    parts += [_share([student], seeds * prunings, asked)] if asked.combine else []
    ways = len(ways_of(asked, baseline=job.evaluation.baseline)) + len(searched)
    written = 2 + seeds * ways if isinstance(own, VitNetwork) else 2  # a vit is exported anew each time
    looked_for = SEARCH_STEPS * len(searched) * parameters(own) / PACKED_PARAMETERS
    judged = seeds * ways * (parameters(own) / PACKED_PARAMETERS + 3 * student.per_epoch)
    timed = ways * (A_FILE + ROUNDS * A_TURN)
    return total_of([*parts, around(FIRST_EXPORT + written * _export(own) + looked_for + judged + timed)])


def _fine_tuning(
    job: DistillationJob, asked: Compression, kind: str, data: Data, teacher: Teacher, stage: Stage, most: int
) -> Rehearsal:
    """A pruned teacher that goes on learning from labels."""
    pruning = next(each for each in asked.pruning if each.kind == kind)
    way = Way("teacher", pruning.kind, pruning.sparsity)
    pruned, lesson = stage_of(job, asked, way, network_of(teacher), stage), baseline_lesson(data)
    few = excerpt_of(data, lesson.positions, pruned, most)
    return rehearse(pruned, as_long(baseline_lesson(few), lesson, few), few, data)


def _share(alike: Sequence[Pace], networks: int, asked: Compression) -> Seconds:
    """So many networks, each of which costs what one of these does, if it is trained for epochs of fine-tuning."""
    takes = [training_time(each, 1) for each in alike]
    epochs = asked.fine_tune_epochs
    part = networks * (1.0 if epochs is None else epochs / alike[0].training.epochs)
    low, expected, high = (part * fmean(getattr(each, name) for each in takes) for name in ("low", "expected", "high"))
    return Seconds(low=low, expected=expected, high=high)
