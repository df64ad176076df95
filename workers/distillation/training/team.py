"""One training over several processes: each computes its rows of every batch, and this one all the rest.

    with team_of(stage, network, layers, data, run) as team:  # None for one process
        logits = team.answers(x, features, number)
        loss(logits).backward()
        team.collect()

A batch goes like this, by torch.distributed: weights and rows to the helpers | all compute the answers on their rows |
answers to this process | the loss of the whole batch and its slopes | slopes to the helpers | all go back | the sum of
their gradients to this process, which makes the step.

The loss sees the whole batch, as in one process. So losses that compare rows, and means over what is known of a batch,
are what they always are. Helpers know no data, no teacher, no loss and no optimizer, and keep nothing from one batch to
the next, so the state that a job resumes from is that of one process. Only batch normalisation and dropout see that
there are several: the first normalises over the rows of its process, the second draws in each.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed import Work
from torch.nn.utils import parameters_to_vector

from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.network import Features, Network
from workers.distillation.networks.seeds import seed_of
from workers.distillation.training.plan import Stage
from workers.distillation.training.team_member import BATCH, PLACE, READY, TASK, Batch, Place, Task, gradients_of, join
from workers.run import Run

GRACE_SECONDS = 1.0  # for a process that seems to have died to be gone


class Team:
    """`answers`, a backward pass through what it returns, then `collect`: one batch.

    When a helper has died, so does this process (SystemExit), and the ledger tries again.
    """

    def __init__(self, stage: Stage, network: Network, task: Task, helpers: "Helpers") -> None:
        self.stage, self.network, self.layers, self.helpers = stage, network, task.layers, helpers
        self.parameters = list(network.parameters())
        self.sizes: list[int] = []  # rows of each process in the running batch
        self._under_way: list[tuple[Work, Tensor]] = []  # a tensor has to live until it is sent
        helpers.tell([TASK.dump_json(task)] * len(helpers.processes))

    def answers(self, x: Tensor, seen: Features | None, number: int) -> Tensor:
        """Logits of all rows, and in `seen` the features of `layers`. number: of the batch in its stage."""
        self.sizes = shares(len(x), 1 + len(self.helpers.processes))
        stage = self.stage
        seeds = [seed_of("dropout", stage.seed, stage.role, number, rank) for rank in range(len(self.sizes))]
        batches = [Batch(rows=rows, seed=seed) for rows, seed in zip(self.sizes, seeds, strict=True)]
        with self.helpers.all_alive():
            self.helpers.tell([BATCH.dump_json(batch) for batch in batches[1:]])
            distributed.broadcast(parameters_to_vector(self.parameters).detach(), 0)
            features: Features = {}
            logits = self.network(self.deal(x), features if self.layers else None)
            own = (logits, *(features[name] for name in self.layers))
            whole: tuple[Tensor, ...] = _Joined.apply(self, *own)  # type: ignore[no-untyped-call]
        if seen is not None:
            seen.update(zip(self.layers, whole[1:], strict=True))
        return whole[0]

    def collect(self) -> None:
        """Add the helpers' gradients to this process's."""
        total = gradients_of(self.parameters)
        with self.helpers.all_alive():
            distributed.reduce(total, 0)
            for work, _ in self._under_way:
                work.wait()
        self._under_way.clear()
        sizes = [parameter.numel() for parameter in self.parameters]
        for parameter, part in zip(self.parameters, torch.split(total, sizes), strict=True):
            if parameter.grad is not None:
                parameter.grad.copy_(part.view_as(parameter))

    def deal(self, whole: Tensor) -> Tensor:
        """Send each helper its part, in the order of the rows. Returns this process's, which is the first."""
        each = len(whole) // sum(self.sizes)  # a language model answers for every token
        own, *others = torch.split(whole, [each * size for size in self.sizes])
        for rank, part in enumerate(others, 1):
            if len(part):
                sent = part.contiguous()
                work = distributed.isend(sent, rank)
                assert work is not None
                self._under_way.append((work, sent))
        return own

    def gather(self, own: Tensor) -> Tensor:
        """This process's part, and each helper's."""
        each = len(own) // self.sizes[0]
        others = [own.new_empty(each * size, *own.shape[1:]) for size in self.sizes[1:]]
        for rank, part in enumerate(others, 1):
            if len(part):
                distributed.recv(part, rank)
        return torch.cat([own, *others])


class _Joined(torch.autograd.Function):
    """The answers of all processes; going back, each gets the slopes of its own."""

    @staticmethod
    def forward(ctx: Any, team: Team, *own: Tensor) -> tuple[Tensor, ...]:
        ctx.team = team
        return tuple(map(team.gather, own))

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        with ctx.team.helpers.all_alive():
            return None, *map(ctx.team.deal, slopes)


def shares(rows: int, processes: int) -> list[int]:
    """How many rows of a batch each process computes: as evenly as can be, and the first has some if any has."""
    return [rows // processes + (rank < rows % processes) for rank in range(processes)]


@dataclass(frozen=True)
class Helpers:
    """Processes that wait for a task. place: this one's among them."""

    place: Place
    processes: list[subprocess.Popen[bytes]]

    def tell(self, lines: list[bytes]) -> None:
        """A line to each."""
        for helper, line in zip(self.processes, lines, strict=True):
            assert helper.stdin is not None
            helper.stdin.write(line + b"\n")
            helper.stdin.flush()

    @contextmanager
    def all_alive(self) -> Iterator[None]:
        """Raise SystemExit for what went wrong because one of them had died."""
        try:
            yield
        except (RuntimeError, OSError) as error:
            for helper in self.processes:
                with suppress(subprocess.TimeoutExpired):
                    helper.wait(GRACE_SECONDS)
                    raise _died(helper) from error
            raise


_here: Helpers | None = None  # torch.distributed has one group for a process, so there is one team


@contextmanager
def team_of(stage: Stage, network: Network, layers: frozenset[str], data: Data, run: Run) -> Iterator[Team | None]:
    """The processes that a stage asks for, or None for one. layers: whose features its loss wants.

    They go on to the job's next stage; after an exception they are ended.
    """
    how, before = stage.training, torch.get_num_threads()
    if how.processes == 1:
        yield None
        return
    task = Task(
        architecture=stage.architecture,
        input_shape=data.input_shape,
        classes=len(data.classes),
        vocabulary=data.vocabulary,
        precision=how.precision,
        layers=tuple(sorted(layers)),
    )
    try:
        helpers = _helpers(how.processes, next(network.parameters()).is_cuda, run)
        torch.set_num_threads(helpers.place.threads)
        with helpers.all_alive():
            team = Team(stage, network, task, helpers)
        yield team
    except BaseException:
        dismiss()
        raise
    finally:
        torch.set_num_threads(before)


def _helpers(processes: int, cuda: bool, run: Run) -> Helpers:
    """Those of the stage before, if they fit."""
    global _here
    if _here is not None and (_here.place.processes, _here.place.cuda) == (processes, cuda):
        return _here
    dismiss()
    threads = max(1, run.threads // processes)
    place = Place(rank=0, processes=processes, meeting=str(run.scratch / "meeting"), threads=threads, cuda=cuda)
    command = [sys.executable, "-m", "workers.distillation.training.team_member"]
    pipe = subprocess.PIPE
    _here = Helpers(place, [subprocess.Popen(command, stdin=pipe, stdout=pipe) for _ in range(1, processes)])
    with _here.all_alive():
        _here.tell([PLACE.dump_json(replace(place, rank=rank)) for rank in range(1, processes)])
        for helper in _here.processes:
            assert helper.stdout is not None
            if helper.stdout.readline().strip() != READY.encode():
                raise _died(helper)
        join(place)
    return _here


def dismiss() -> None:
    """End the helpers, if there are any: they have nothing that anybody wants."""
    global _here
    if _here is None:
        return
    for helper in _here.processes:
        helper.kill()
        helper.communicate()
    if distributed.is_initialized():
        distributed.destroy_process_group()
    Path(_here.place.meeting).unlink(missing_ok=True)
    _here = None


def _died(helper: subprocess.Popen[bytes]) -> SystemExit:
    return SystemExit(f"process {helper.pid} of this training ended with exit status {helper.wait()}")


def refuse_processes(stage: Stage, device: torch.device) -> None:
    """Raise Problem too_few_processors where a stage asks for more processes than can compute beside each other."""
    there = torch.cuda.device_count() if device.type == "cuda" else len(os.sched_getaffinity(0))
    if stage.training.processes > there:
        what = f"{there} {'GPU' if device.type == 'cuda' else 'processor'}{'s' if there > 1 else ''}"
        title = f"This worker has {what}, one for each process; this training asks for {stage.training.processes}."
        pointer = f"{stage.training_pointer}/processes"
        raise Problem("too_few_processors", title, pointer=pointer, ways_out=[{"processes": there}])
