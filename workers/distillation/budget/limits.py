"""A budget in numbers, what networks take of it, and what is said where nothing fits."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.budget.budget import Budget
from qstill.contract.distillations.budget.report import BudgetLimits
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.teachers import EnsembleTeacher, TrainedTeacher, parts
from qstill.contract.errors import Problem
from workers.distillation import teachers
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.artifacts.clock import latency_of, milliseconds_of
from workers.distillation.data.dataset import Data
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build
from workers.distillation.networks.network import Network
from workers.distillation.training.plan import teacher_stage
from workers.run import Run

POINTER = "/student/budget"
TIMINGS, TIMING_SECONDS = 60, 0.15  # of one network, of which a search looks at some dozens
SPARE = 1.1  # of a time that is suggested: the next one measured is another

UNITS = {
    "parameters": "parameters",
    "bytes": "bytes",
    "multiply_adds": "multiply-adds of a row",
    "milliseconds": "milliseconds for a row",
}


def teacher_parameters(job: DistillationJob, data: Data, run: Run) -> int:
    """Weights and biases of the teacher, of all members together; one that this job trains is not trained for it.

    Raises Problem teacher_without_size.
    """
    total, alone = 0, not isinstance(job.teacher, EnsembleTeacher)
    for number, (place, spec) in enumerate(parts(job.teacher)):
        pointer = "".join(f"/{step}" for step in place)
        if isinstance(spec, TrainedTeacher):
            count = parameters(teacher_stage(job, spec, None if alone else number).begin(data))
        else:
            count = teachers.loaded(spec, data, run, pointer).parameters
        if not count:
            title = "Nobody knows how many weights this teacher has: say what the student may take as `bytes`."
            ways_out = [{"bytes": 50_000}]
            raise Problem("teacher_without_size", title, pointer=f"{POINTER}/times_smaller", ways_out=ways_out)
        total += count
    return total


def limits_of(budget: Budget, teacher: int | None) -> BudgetLimits:
    """teacher: its weights and biases; None: not asked for."""
    smaller = None if budget.times_smaller is None or teacher is None else int(teacher / budget.times_smaller)
    return BudgetLimits(
        parameters=smaller,
        bytes=budget.bytes,
        multiply_adds=budget.multiply_adds,
        milliseconds=budget.milliseconds,
    )


class Scale:
    """What networks of a job's data take, each found out once."""

    def __init__(self, data: Data, limits: BudgetLimits) -> None:
        self.data = data
        self.limits: dict[str, float] = {name: most for name, most in limits if most is not None}
        self._taken: dict[tuple[str, str], float] = {}

    def taken(self, architecture: AnyArchitecture, name: str) -> float:
        """name: of a limit."""
        key = architecture.model_dump_json(), name
        if key not in self._taken:
            self._taken[key] = self._measured(architecture, name)
        return self._taken[key]

    def used(self, architecture: AnyArchitecture) -> float:
        """The share of the limit that is nearest; above 1 it does not fit."""
        return max(self.taken(architecture, name) / max(most, 1e-9) for name, most in self.limits.items())

    def nearest(self, architecture: AnyArchitecture) -> str:
        """The name of that limit."""
        return max(self.limits, key=lambda name: self.taken(architecture, name) / max(self.limits[name], 1e-9))

    def said(self, architecture: AnyArchitecture, name: str) -> str:
        """What it takes, in words."""
        taken = self.taken(architecture, name)
        return f"{taken:,.3g} {UNITS[name]}" if name == "milliseconds" else f"{taken:,.0f} {UNITS[name]}"

    def _measured(self, architecture: AnyArchitecture, name: str) -> float:
        network = self._network(architecture)
        match name:
            case "parameters":
                return parameters(network)
            case "bytes":
                return len(to_bytes(network.state_dict(), architecture, self.data))
            case "multiply_adds":
                return multiply_adds(network, self.data.input_shape)
        return milliseconds(network, self.data)

    def _network(self, architecture: AnyArchitecture) -> Network:
        data = self.data
        return build(
            architecture,
            data.input_shape,
            len(data.classes),
            seed=0,
            pointer=POINTER,
            vocabulary=data.inputs.vocabulary,
            standardisation=data.standardisation,
            source=data.inputs.source,
            padding=data.inputs.padding,
        )


def milliseconds(network: Network, data: Data) -> float:
    """Of one row on one core, the median."""
    network.eval()
    row = data.train.x[:1]
    with one_core(), torch.inference_mode():
        return latency_of(milliseconds_of(lambda: network(row), TIMINGS, TIMING_SECONDS)).p50_ms


@contextmanager
def one_core() -> Iterator[None]:
    """As many threads of torch, inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def nothing_fits(smallest: AnyArchitecture, words: str, scale: Scale, teacher: int | None) -> Problem:
    """words: what the smallest candidate is. teacher: its weights and biases, where the budget is a part of them."""
    name = scale.nearest(smallest)
    taken, most = scale.taken(smallest, name), scale.limits[name]
    field, value = name, float(math.ceil(taken))
    if name == "milliseconds":
        value = float(f"{taken * SPARE:.2g}")
    if name == "parameters" and teacher is not None:
        field, value = "times_smaller", math.floor(10 * teacher / taken) / 10
    title = (
        f"Nothing fits into this budget: the smallest candidate, {words}, takes {scale.said(smallest, name)}, and at "
        f"most {most:,.10g} may be taken."
    )
    ways_out = [{field: value if field in ("times_smaller", "milliseconds") else int(value)}]
    possible = field != "times_smaller" or value >= 1
    return Problem("nothing_fits", title, pointer=f"{POINTER}/{field}", ways_out=ways_out if possible else [])
