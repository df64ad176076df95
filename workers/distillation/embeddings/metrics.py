"""How much of the teacher's similarities vectors keep, and whether texts find by them what belongs to them."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

MAX_PAIRS = 200_000  # whose cosines are ordered: all of 632 sentences; of more, drawn ones
MAX_QUERIES = 10_000  # sentences that look for what belongs to them
QUERIES_AT_ONCE = 256
K = 10  # of NDCG@k


@dataclass(frozen=True)
class Quality:
    """Of the test sentences. spearman: of cosines with the teacher's. cosine: to the teacher's vectors, None where
    widths differ. ndcg, mrr: of a sentence finding what belongs to it among all others.
    """

    spearman: float
    cosine: float | None
    ndcg: float
    mrr: float


@dataclass(frozen=True)
class Judge:
    """teacher: its vectors (sentences, numbers). pairs, belonging: (2, n) and (n, 2), positions among them."""

    teacher: Tensor
    pairs: Tensor
    belonging: Tensor

    def __call__(self, vectors: Tensor) -> Quality:
        """Of vectors of the same sentences."""
        mine, theirs = normalize(vectors, dim=1), normalize(self.teacher, dim=1)
        alike = vectors.shape == self.teacher.shape
        ranks = ranks_of(mine, self.belonging)
        return Quality(
            spearman=self.spearman(vectors),
            cosine=float((mine * theirs).sum(1).mean()) if alike else None,
            ndcg=float(torch.where(ranks <= K, 1 / torch.log2(1 + ranks.double()), 0).mean()),
            mrr=float((1 / ranks.double()).mean()),
        )

    def spearman(self, vectors: Tensor) -> float:
        """The one measure that chooses epochs."""
        return spearman(*(_cosines(normalize(each, dim=1), self.pairs) for each in (vectors, self.teacher)))


def judge_of(teacher: Tensor, belonging: Tensor, seed: int) -> Judge:
    """teacher: vectors of the sentences that judge. belonging: (n, 2), positions among them; empty: what is nearest to
    the teacher belongs together.
    """
    draw = torch.Generator().manual_seed(seed)
    if not len(belonging):
        belonging = nearest(teacher)
    if len(belonging) > MAX_QUERIES:
        belonging = belonging[torch.randperm(len(belonging), generator=draw)[:MAX_QUERIES]]
    return Judge(teacher, drawn_pairs(len(teacher), draw), belonging)


def drawn_pairs(count: int, draw: torch.Generator) -> Tensor:
    """(2, pairs) of different rows: all, or drawn ones."""
    if count * (count - 1) // 2 <= MAX_PAIRS:
        return torch.triu_indices(count, count, 1)
    first = torch.randint(count, (MAX_PAIRS,), generator=draw)
    other = torch.randint(count - 1, (MAX_PAIRS,), generator=draw)
    return torch.stack([first, other + (other >= first)])


def spearman(first: Tensor, second: Tensor) -> float:
    """Pearson's correlation of ranks, equal values sharing theirs; 0 where one of both does not vary. Both: (n,)."""
    from scipy.stats import rankdata  # half a second to import, which other jobs are spared

    ranks = [rankdata(each.double().numpy()) for each in (first, second)]
    centred = [each - each.mean() for each in ranks]
    size = math.prod(float(np.sqrt(np.square(each).sum())) for each in centred)
    return float(np.dot(*centred) / size) if size else 0.0


def ranks_of(directions: Tensor, belonging: Tensor) -> Tensor:
    """(n,), from 1: the place of what belongs to a row among all others; rows of equal cosine count as before it."""
    found = []
    for some in torch.split(belonging, QUERIES_AT_ONCE):
        likeness = directions[some[:, 0]] @ directions.T
        own = likeness.gather(1, some[:, 1:])
        ahead = likeness >= own
        ahead.scatter_(1, some, False)  # neither itself nor what is looked for
        found.append(1 + ahead.sum(1))
    return torch.cat(found)


def nearest(vectors: Tensor) -> Tensor:
    """(rows, 2): each row, and the other that is nearest to it."""
    directions, numbers = normalize(vectors, dim=1), torch.arange(len(vectors))
    found = []
    for some in torch.split(numbers, QUERIES_AT_ONCE):
        likeness = directions[some] @ directions.T
        found.append(likeness.scatter(1, some[:, None], -torch.inf).argmax(1))
    return torch.stack([numbers, torch.cat(found)], dim=1)


def _cosines(directions: Tensor, pairs: Tensor) -> Tensor:
    """(pairs,)."""
    return torch.cat(
        [(directions[a] * directions[b]).sum(1) for a, b in zip(*(p.split(1 << 15) for p in pairs), strict=True)]
    )
