"""Which of the short circuits is taken, and whether it is worth having."""

from collections.abc import Sequence

from qstill.contract.distillations.circuits.job import FAITHFUL
from qstill.contract.distillations.circuits.report import GivenCost, ShortCircuit

MARGIN = 0.001  # of a fidelity; what is nearer than this is the same


def chosen(students: Sequence[ShortCircuit]) -> ShortCircuit:
    """Under noise the best fidelity, of equal ones the shallowest. Without, the shallowest faithful one, or the best.

    students: of every depth and start.
    """
    if students[0].fidelity_noisy is not None:
        return min(students, key=lambda each: (-(each.fidelity_noisy or 0.0), each.layers, each.restart))
    best = {each.layers: each for each in sorted(students, key=lambda each: each.fidelity_ideal)}
    faithful = [each for each in best.values() if each.fidelity_ideal >= FAITHFUL]
    if faithful:
        return min(faithful, key=lambda each: (each.layers, each.restart))
    return min(students, key=lambda each: (-each.fidelity_ideal, each.layers, each.restart))


def verdict(short: ShortCircuit, given: GivenCost, transpiled: GivenCost) -> tuple[bool, str]:
    """Whether there is a gain, and one sentence."""
    gates = f"{short.cx} two-qubit gates instead of {given.cx}"
    if short.fidelity_noisy is None or given.fidelity_noisy is None or transpiled.fidelity_noisy is None:
        return _without_noise(short, given, transpiled, gates)
    after, control = short.fidelity_noisy, max(given.fidelity_noisy, transpiled.fidelity_noisy)
    numbers = f"{given.fidelity_noisy:.3f} for the given circuit, {transpiled.fidelity_noisy:.3f} at level 3"
    if after > control + MARGIN:
        return True, f"gain: {gates}, and {after:.3f} under the noise, against {numbers}"
    why = f"the short circuit keeps {after:.3f} under the noise, against {numbers}"
    if short.fidelity_ideal < FAITHFUL:
        why += f"; without noise it reaches {short.fidelity_ideal:.3f}, so that more layers may help"
    return False, f"no gain: {why}"


def _without_noise(short: ShortCircuit, given: GivenCost, transpiled: GivenCost, gates: str) -> tuple[bool, str]:
    fewest = min(given.cx, transpiled.cx)
    if short.fidelity_ideal < FAITHFUL:
        return False, f"no gain: the best short circuit reaches {short.fidelity_ideal:.3f}, less than {FAITHFUL}"
    if short.cx >= fewest:
        return False, f"no gain: it takes {short.cx} two-qubit gates, and level 3 of the transpiler {transpiled.cx}"
    return True, f"gain: {gates} ({transpiled.cx} at level 3), at a fidelity of {short.fidelity_ideal:.4f}"
