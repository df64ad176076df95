"""The Pareto front: what no other beats in everything."""

from collections.abc import Sequence

Costs = tuple[float, ...]  # of one candidate, each the smaller the better


def dominates(one: Costs, other: Costs) -> bool:
    """Whether one is nowhere worse than the other, and somewhere better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def front(candidates: Sequence[Costs]) -> list[int]:
    """The positions of those that no other one dominates. Equal ones stay together."""
    return [i for i, costs in enumerate(candidates) if not any(dominates(other, costs) for other in candidates)]
