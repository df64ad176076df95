"""The student: a recurrent network of the conditional probability of every bit, given those before it.

log p(b) = Σ_i log p(b_i | b_0 … b_{i-1}), as in 1306.2201 and 1502.03509, with gated recurrent units (1406.1078) in
place of their layers: the same cells at every bit, which is what a few hundred shots of a chain can teach.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import logsigmoid

from qstill.contract.distillations.circuits.distribution.job import MAX_LISTED_BITS, Autoregressive
from workers.distillation.networks.seeds import seed_of

DRAWN_AT_ONCE = 65_536  # samples; their states are some tens of megabytes

States = list[Tensor]  # of each layer of cells: (1, rows, width)


class BitNetwork(nn.Module):
    """bits: (rows, n) of 0 and 1, column i clbit i. What it says of a row is a logit for each bit, of being 1."""

    def __init__(self, architecture: Autoregressive, log_odds: Tensor, seed: int) -> None:
        """log_odds: (n,), of each bit's being 1: the untrained network says these, whatever the bits before are."""
        super().__init__()
        widths = architecture.hidden
        self.cells = nn.ModuleList(
            nn.GRU(before, width, batch_first=True) for before, width in zip([1, *widths], widths, strict=False)
        )
        self.head = nn.Linear(widths[-1], 1, bias=False)
        self.log_odds = nn.Parameter(log_odds.float().clone())
        draw = Generator().manual_seed(seed_of("weights", seed))
        with torch.no_grad():
            for cells, width in zip(self.cells, widths, strict=True):
                for weights in cells.parameters():
                    weights.copy_((2 * torch.rand(weights.shape, generator=draw) - 1) * width**-0.5)
            self.head.weight.zero_()

    @property
    def bits(self) -> int:
        return len(self.log_odds)

    def forward(self, bits: Tensor) -> Tensor:
        """Logits (rows, n). Bit i does not see itself, nor what comes after."""
        signs = 2 * bits.float() - 1
        seen = torch.cat([torch.zeros_like(signs[:, :1]), signs[:, :-1]], dim=1)[:, :, None]
        for cells in self.cells:
            seen, _ = cells(seen)
        return self.head(seen).squeeze(2) + self.log_odds  # type: ignore[no-any-return]

    def log_probability(self, bits: Tensor) -> Tensor:
        """(rows,) in nats, double precision."""
        signs = 2 * bits.double() - 1
        return logsigmoid(signs * self(bits).double()).sum(1)

    def step(self, bit: int, before: Tensor, states: States | None) -> tuple[Tensor, States]:
        """Logits (rows,) of one bit, and the states after it. before: (rows,), the bit before as -1 or 1, or 0."""
        seen, after = before[:, None, None], []
        for layer, cells in enumerate(self.cells):
            seen, state = cells(seen, None if states is None else states[layer])
            after.append(state)
        return self.head(seen)[:, 0, 0] + self.log_odds[bit], after


@torch.no_grad()
def log_probabilities(network: BitNetwork) -> Tensor:
    """(2^n,) in nats of every key, by its number: a tree of prefixes, each of which is computed once."""
    assert network.bits <= MAX_LISTED_BITS
    logs, before, states = torch.zeros(1, dtype=torch.float64), torch.zeros(1), None
    for bit in range(network.bits):
        logits, states = network.step(bit, before, states)
        of_one = logsigmoid(logits.double())
        of_none = logsigmoid(-logits.double())
        count = len(logs)
        logs = torch.cat([logs + of_none, logs + of_one])  # the new bit is the highest
        before = torch.tensor([-1.0, 1.0]).repeat_interleave(count)
        states = [torch.cat([state, state], dim=1) for state in states]
    return logs


@torch.no_grad()
def drawn(network: BitNetwork, samples: int, seed: int) -> Tensor:
    """Keys as numbers (samples,), each drawn from the network bit by bit."""
    draw = Generator().manual_seed(seed_of("samples", seed))
    parts = []
    for first in range(0, samples, DRAWN_AT_ONCE):
        rows = min(DRAWN_AT_ONCE, samples - first)
        codes, before, states = torch.zeros(rows, dtype=torch.int64), torch.zeros(rows), None
        for bit in range(network.bits):
            logits, states = network.step(bit, before, states)
            ones = torch.rand(rows, dtype=torch.float64, generator=draw) < logits.double().sigmoid()
            codes |= ones.long() << bit
            before = 2.0 * ones.float() - 1
        parts.append(codes)
    return torch.cat(parts)


def bits_of(codes: Tensor, bits: int) -> Tensor:
    """(rows, n) of 0 and 1."""
    return (codes[:, None] >> torch.arange(bits)) & 1
