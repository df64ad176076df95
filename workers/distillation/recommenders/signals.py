"""What a teacher says about users: scores, a ranking, and its numbers where there is a network to look into."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import torch
from torch import Tensor

from qstill.contract.distillations.recommenders.objectives import Rd, Rrd, SingleRanking
from qstill.contract.errors import Problem
from qstill.contract.tables.bounds import Unreadable
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.data.read import names_of, numbers_of, read_columns
from workers.distillation.recommenders.networks import ScorerNetwork

MAX_SCORES_AT_ONCE = 1 << 22  # bounds the memory of a ranking to some tens of megabytes
VECTORS_AT_ONCE = 4096
TAIL = 16  # of e^(-r/T), in units of T: below it less than a millionth of what is interesting

LISTS = "/teacher/file"

Scores = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Signal:
    """A loss sees this, never a teacher. Everything is without gradients, on the device of the training.

    scores: users (users,) to scores (users, items), -inf for items that the teacher does not name.
    ranking: (users, depth) unseen items, best first; of users that it does not speak of, it says nothing.
    speaks: (users,) of whom there is a ranking. user_vectors, item_vectors: its numbers, or None.
    digest, file_bytes: of its file; 0 bytes for lists, which are no network's.
    """

    scores: Scores
    ranking: Tensor
    speaks: Tensor
    user_vectors: Tensor | None
    item_vectors: Tensor | None
    digest: str
    file_bytes: int = 0


def depth_of(objectives: list[SingleRanking]) -> int:
    """How far down the losses look into a teacher's ranking."""
    depths = [1]
    for objective in objectives:
        if isinstance(objective, Rd):
            depths.append(objective.top)
        if isinstance(objective, Rrd):
            depths.append(objective.interesting + round(TAIL * objective.sharpness))
    return max(depths)


def shortest_list(objectives: list[SingleRanking]) -> int:
    """How many items the losses need of a teacher's list at least."""
    tops = [each.top for each in objectives if isinstance(each, Rd)]
    return max([1, *tops, *(each.interesting for each in objectives if isinstance(each, Rrd))])


def in_parts(users: Tensor, items: int) -> tuple[Tensor, ...]:
    """Users in parts whose scores of all items are held at once."""
    return torch.split(users, max(1, MAX_SCORES_AT_ONCE // items))


def from_network(network: ScorerNetwork, file: bytes, data: Data, depth: int, *, asked: Tensor | None = None) -> Signal:
    """What a trained network says, with items that a user chose in training left out of its ranking.

    asked: distinct users, of whom alone it speaks then; None: everybody.
    """
    device = network.user.weight.device

    def scores(users: Tensor) -> Tensor:
        network.eval()
        with torch.no_grad():
            return network(users.to(network.user.weight.device))  # type: ignore[no-any-return]

    everyone = torch.arange(data.users)
    about = everyone if asked is None else asked
    depth = min(depth, _deepest(data, everyone))
    rankings = []
    for part in in_parts(about, data.items):
        found = scores(part)
        rows, items = data.unseen.mask(part)
        found[rows.to(device), items.to(device)] = -torch.inf
        rankings.append(found.topk(depth, dim=1).indices.cpu())
    with torch.no_grad():
        users = torch.cat([network.user_vectors(part.to(device)) for part in torch.split(everyone, VECTORS_AT_ONCE)])
        items = torch.cat(
            [network.item_vectors(part.to(device)) for part in torch.split(torch.arange(data.items), VECTORS_AT_ONCE)]
        )
    speaks = torch.zeros(data.users, dtype=torch.bool).index_fill_(0, about, True)
    ranking = torch.zeros(data.users, depth, dtype=torch.int64).index_copy_(0, about, torch.cat(rankings))
    return Signal(scores, ranking, speaks, users, items, hashlib.sha256(file).hexdigest(), len(file))


def _deepest(data: Data, users: Tensor) -> int:
    """How deep a ranking may be for all of these users: below it, every one has an item left to draw."""
    return max(1, int(data.unseen.counts(users).min()) - 1)


def refuse_full(data: Data, left: Tensor, least: int, *, pointer: str = "/objective") -> None:
    """Raise Problem too_few_items for a user of whom fewer than `least` items are left (users,) to draw from."""
    user = int(left.argmin())
    if left[user] < least:
        title = (
            f"User {data.user_names[user]!r} has chosen so much that {int(left[user])} of the {data.items} items are "
            f"left; {least} are needed to draw from."
        )
        raise Problem("too_few_items", title, pointer=pointer)


def from_lists(path: Path, data: Data, objectives: list[SingleRanking]) -> Signal:
    """What uploaded lists say. Raises Problem: lists_invalid, lists_mismatch, lists_too_short."""
    users, items, scores = _read(path, data)
    order = torch.argsort(scores, descending=True, stable=True)
    order = order[torch.argsort(users[order], stable=True)]
    users, items, scores = users[order], items[order], scores[order]
    listed = users.bincount(minlength=data.users)
    starts = listed.cumsum(0) - listed
    kept = ~torch.isin(users * data.items + items, data.train.users * data.items + data.train.items)
    lengths = users[kept].bincount(minlength=data.users)
    speaks = lengths > 0
    spoken = torch.nonzero(speaks).flatten()
    depth = min(depth_of(objectives), int(lengths[spoken].min()), _deepest(data, spoken)) if len(spoken) else 0
    needed = shortest_list(objectives)
    if depth < needed:
        user = int(torch.where(speaks, lengths, data.items + 1).argmin())
        title = (
            f"The list of user {data.user_names[user]!r} names {int(lengths[user])} items that it has not chosen in "
            f"training; the objective needs {needed}."
        )
        raise Problem("lists_too_short", title, pointer=LISTS)
    first = lengths.cumsum(0) - lengths
    ranking = torch.zeros(data.users, depth, dtype=torch.int64)
    ranking[speaks] = items[kept][first[speaks][:, None] + torch.arange(depth)]

    def said(asked: Tensor) -> Tensor:
        counts = listed[asked]
        rows = torch.arange(len(asked)).repeat_interleave(counts)
        place = torch.arange(len(rows)) - (counts.cumsum(0) - counts)[rows] + starts[asked][rows]
        found = torch.full((len(asked), data.items), -torch.inf)
        found[rows, items[place]] = scores[place]
        return found

    return Signal(said, ranking, speaks, None, None, hashlib.sha256(path.read_bytes()).hexdigest())


def _read(path: Path, data: Data) -> tuple[Tensor, Tensor, Tensor]:
    """(users, items, scores) of every row of the lists."""
    try:
        table = read_columns(path, ["user", "item", "score"])
        users, items = (
            _known(table, column, names) for column, names in (("user", data.user_names), ("item", data.item_names))
        )
        with np.errstate(over="ignore"):  # it becomes infinite, which is told below
            scores = torch.from_numpy(numbers_of(table, "score").astype(np.float32))
    except Unreadable as error:
        raise Problem("lists_invalid", str(error), pointer=LISTS) from error
    if not scores.isfinite().all():
        row = int((~scores.isfinite()).nonzero()[0])
        raise Problem("lists_invalid", f"Row {row}: score is too large for single precision.", pointer=LISTS)
    _, codes, counts = torch.unique(users * data.items + items, return_inverse=True, return_counts=True)
    if int(counts.max()) > 1:
        row = int((codes == counts.argmax()).nonzero()[1])
        title = f"Row {row}: a user's list names an item again that it has named before."
        raise Problem("lists_invalid", title, pointer=LISTS)
    return users, items, scores


def _known(table: pa.Table, column: str, names: list[str]) -> Tensor:
    """A column by the numbers that users, or items, have in the interactions. Raises Problem lists_mismatch."""
    codes, found = names_of(table, column)
    numbers = {name: number for number, name in enumerate(names)}
    place = np.array([numbers.get(name, -1) for name in found])[codes]
    strangers = np.flatnonzero(place < 0)
    if len(strangers):
        row = int(strangers[0])
        title = f"Row {row}: there is no {column} {found[codes[row]]!r} in the interactions."
        raise Problem("lists_mismatch", title, pointer=LISTS)
    return torch.from_numpy(place)
