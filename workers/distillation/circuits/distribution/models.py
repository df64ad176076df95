"""What a student has to beat: the histogram of the same shots, and independent bits."""

from dataclasses import dataclass

import numpy as np

from workers.distillation.circuits.distribution.shots import Codes, Reals


@dataclass(frozen=True)
class Histogram:
    """The frequencies c/N of the keys that were read, and a share for all those that were not.

    The share is Good's and Turing's estimate (Good 1953), (n₁ + ½)/(N + 1) with n₁ the keys that were read once: it is
    what leaving one shot out finds, and much stronger than a constant ½ for what is unseen, which would make any
    student win. It is spread evenly over the unseen keys, and 0 where there are none.
    codes, counts: of the keys that were read, ascending.
    """

    bits: int
    codes: Codes
    counts: Codes

    @property
    def shots(self) -> int:
        return int(self.counts.sum())

    @property
    def unseen(self) -> float:
        """The probability of all keys that were not read together."""
        if len(self.codes) == 1 << self.bits:
            return 0.0
        return (int((self.counts == 1).sum()) + 0.5) / (self.shots + 1)

    @property
    def of_each_unseen(self) -> float:
        return self.unseen / max((1 << self.bits) - len(self.codes), 1)

    def log_probability(self, codes: Codes) -> Reals:
        """(rows,) in nats."""
        places = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        read = self.codes[places] == codes
        shares: Reals = np.where(read, (1 - self.unseen) * self.counts[places] / self.shots, self.of_each_unseen)
        return np.log(shares)

    def probabilities(self) -> Reals:
        """(2^bits,)."""
        every = np.full(1 << self.bits, self.of_each_unseen)
        every[self.codes] = (1 - self.unseen) * self.counts / self.shots
        return every

    def frequencies(self) -> Reals:
        """(2^bits,), of what was read alone: nothing is kept for what was not."""
        every = np.zeros(1 << self.bits)
        every[self.codes] = self.counts / self.shots
        return every


def histogram_of(codes: Codes, bits: int) -> Histogram:
    """codes: (shots,)."""
    read, counts = np.unique(codes, return_counts=True)
    return Histogram(bits, read, counts.astype(np.int64))


@dataclass(frozen=True)
class Independent:
    """Every bit by itself. ones: (bits,), how likely each is a 1: (ones + ½)/(N + 1), Krichevsky and Trofimov's."""

    ones: Reals

    @property
    def log_odds(self) -> Reals:
        odds: Reals = np.log(self.ones) - np.log1p(-self.ones)
        return odds

    def log_probability(self, codes: Codes) -> Reals:
        """(rows,) in nats."""
        bits = codes[:, None] >> np.arange(len(self.ones)) & 1
        found: Reals = np.where(bits, np.log(self.ones), np.log1p(-self.ones)).sum(1)
        return found

    def probabilities(self) -> Reals:
        """(2^bits,)."""
        found: Reals = np.exp(self.log_probability(np.arange(1 << len(self.ones))))
        return found


def independent_of(codes: Codes, bits: int) -> Independent:
    """codes: (shots,)."""
    ones = (codes[:, None] >> np.arange(bits) & 1).sum(0)
    return Independent((ones + 0.5) / (len(codes) + 1))
