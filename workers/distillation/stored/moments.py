"""Mean and deviation of many rows, a block of them in memory at a time."""

import math

import torch
from torch import Tensor

from workers.distillation.stored.rows import blocks_of

BLOCK_VALUES = 1 << 20  # 8 MB in double precision; the allocator keeps larger pieces, and in pieces


def moments(x: Tensor, over: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """(mean, standard deviation) over rows and other sides `over` of x (rows, ...), both float64.

    Blocks are put together pairwise (Chan, Golub, LeVeque 1983, eq. 1.1 and 1.5), in the order of rows: the same rows
    give the same bits wherever they are kept.
    """
    blocks = blocks_of(x, max(1, BLOCK_VALUES // math.prod(x.shape[1:])))
    first = next(blocks).double()
    count, mean, std = len(first), first.mean(over), first.std(over, correction=0)
    squares = std.square() * count  # of differences from the mean, over the other sides' mean
    if count == len(x):
        return mean, std
    for block in blocks:
        values, more = block.double(), len(block)
        of_block = values.mean(over)
        apart, whole = of_block - mean, count + more
        squares += values.var(over, correction=0) * more + apart.square() * (count * more / whole)
        mean = mean + apart * (more / whole)
        count = whole
    return mean, torch.sqrt(squares / count)
