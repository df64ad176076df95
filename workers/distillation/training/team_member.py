"""One process of a training over several: `python -m workers.distillation.training.team_member`, started by `team.py`.

It reads JSON lines on standard input: its `Place`, then a `Task` for each network, and after it a `Batch` for each of
its batches. It ends itself when the process that started it does: its standard input closes then, whatever it does.
"""

import os
import queue
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import psutil
import torch
from pydantic import TypeAdapter
from torch import Tensor, distributed, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from qstill.contract.distillations.architectures import Architecture
from workers.distillation.networks.build import build, input_type
from workers.distillation.networks.network import Features, Network
from workers.distillation.training.autocast import Precision, half

READY = "ready"
LONGEST_WAIT = timedelta(minutes=30)  # of one process for another, within a batch


@dataclass(frozen=True, kw_only=True)
class Place:
    """A process among those of a training. rank: from 0, which is the one that has helpers.

    meeting: a file by which they find each other. threads: of each. cuda: whether each has a GPU of its own.
    """

    rank: int
    processes: int
    meeting: str
    threads: int
    cuda: bool

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return torch.device("cuda", self.rank) if self.cuda else torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Task:
    """A network to compute with. layers: whose features are answered besides the logits."""

    architecture: Architecture
    input_shape: tuple[int, ...]
    classes: int
    vocabulary: int | None
    precision: Precision
    layers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """This process's rows of it, how many, and the seed of what dropout draws for them."""

    rows: int
    seed: int


PLACE, TASK, BATCH = TypeAdapter(Place), TypeAdapter(Task), TypeAdapter(Batch)
NEXT: TypeAdapter[Task | Batch] = TypeAdapter(Task | Batch)


def main() -> None:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    place = PLACE.validate_json(lines.get())
    torch.set_num_threads(place.threads)
    torch.use_deterministic_algorithms(True)
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # whatever else is printed disturbs nobody
    join(place)
    while True:
        match NEXT.validate_json(lines.get()):
            case Task() as task:
                network = _network(task).to(place.device)
            case Batch() as batch:
                _help(network, task, batch, place.device)


def join(place: Place) -> None:
    """Meet the other processes. Nothing listens beyond this machine."""
    addresses = {name: {each.address for each in some} for name, some in psutil.net_if_addrs().items()}
    loopback = next(name for name, some in addresses.items() if "127.0.0.1" in some)
    os.environ |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    if place.cuda:
        torch.cuda.set_device(place.device)
    distributed.init_process_group(
        "nccl" if place.cuda else "gloo",
        init_method=f"file://{place.meeting}",
        rank=place.rank,
        world_size=place.processes,
        timeout=LONGEST_WAIT,
    )


def _network(task: Task) -> Network:
    """Its initial weights are nobody's: those of the training come with every batch."""
    return build(task.architecture, task.input_shape, task.classes, seed=0, pointer="", vocabulary=task.vocabulary)


def _help(network: Network, task: Task, batch: Batch, device: torch.device) -> None:
    """One batch: answers on its rows, then the gradients that follow from their slopes."""
    parameters = list(network.parameters())
    weights = parameters_to_vector(parameters).detach()
    distributed.broadcast(weights, 0)
    vector_to_parameters(weights, parameters)
    for parameter in parameters:
        parameter.grad = None
    if batch.rows:
        torch.manual_seed(batch.seed)
        x = torch.empty(batch.rows, *task.input_shape, dtype=input_type(network), device=device)
        distributed.recv(x, 0)
        features: Features = {}
        with half(device, task.precision):
            logits = network(x, features if task.layers else None)
        answers = [logits, *(features[name] for name in task.layers)]
        for answer in answers:
            distributed.send(answer.detach().contiguous(), 0)
        slopes = [torch.empty(answer.shape, dtype=answer.dtype, device=device) for answer in answers]
        for slope in slopes:
            distributed.recv(slope, 0)
        torch.autograd.backward(answers, slopes)
    distributed.reduce(gradients_of(parameters), 0)


def gradients_of(parameters: Sequence[nn.Parameter]) -> Tensor:
    """All of them, one after another; 0 where there is none."""
    gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
    return torch.cat([gradient.flatten() for gradient in gradients])


def _listen(lines: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)  # the job is over, or its process is gone


if __name__ == "__main__":
    main()
