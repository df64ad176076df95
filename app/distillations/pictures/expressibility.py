"""The picture of how much of its space a quantum student's circuit reaches, and of how steep it is in each angle."""

from app.web.axes import WIDTH, Axis, axes, drawn, heading, linear, logarithmic
from app.web.drawing import Box, Dot, Mark, Path, Text
from qstill.contract.distillations.report.document import DistillationReport
from qstill.contract.distillations.report.quantum import Expressibility
from qstill.contract.errors import Problem

CIRCUIT, HAAR, DEAD = "#2f5fb3", "#c27d12", "#b3472f"
LEAST_SHARE = 0.002  # of the pairs; bins beyond the last that has it are not drawn


def expressibility(report: DistillationReport) -> str:
    """Fidelities of its states beside those of random states; the gradient's variance by angle."""
    found = None if report.quantum is None else report.quantum.nature.expressibility
    if found is None:
        raise Problem("nothing_to_draw", "The report has no expressibility of a quantum student.", status=404)
    said = f"Divergence {found.divergence:.3g} nats; of as many random states {found.floor:.2g}."
    marks = heading("Expressibility and gradients", f"Over angles drawn evenly from the whole circle. {said}")
    for place, (words, colour) in enumerate((("the circuit", CIRCUIT), ("random states (Haar)", HAAR))):
        marks += [Box(72.0 + 120 * place, 67, 14, 4, colour), Text(92.0 + 120 * place, 73, words, 11, "start")]
    marks += _histogram(found) + _gradients(found)
    dead = f"{len(found.dead)} of {len(found.gradient_variance)} angles change nothing that is read"
    return drawn(620, "Expressibility and gradients", f"{said} {dead}.", marks)


def _histogram(found: Expressibility) -> list[Mark]:
    both = zip(found.histogram, found.haar, strict=True)
    seen = [place for place, shares in enumerate(both) if max(shares) >= LEAST_SHARE]
    bins, width = max(seen) + 1, 1 / len(found.histogram)
    across = Axis(0.0, bins * width, 72, WIDTH - 28)
    up = linear([0.0, *found.histogram[:bins], *found.haar[:bins]], 300, 96, least=0.0)
    marks = axes(across, up, "Fidelity of two of its states", "Share of the pairs", percent=True)
    steps = []
    for place in range(bins):
        left, right = across(place * width), across((place + 1) * width)
        own, random = found.histogram[place], found.haar[place]
        words = f"{place * width:.3f} to {(place + 1) * width:.3f}: {own:.2%}, random {random:.2%}"
        marks.append(Box(left + 0.5, up(own), max(0.5, right - left - 1), up.start - up(own), CIRCUIT, words=words))
        steps += [(left, up(random)), (right, up(random))]
    return [*marks, Path(steps, HAAR, 2.0)]


def _gradients(found: Expressibility) -> list[Mark]:
    dead = {*found.dead}
    alive = [each for place, each in enumerate(found.gradient_variance) if place not in dead] or [1.0]
    foot = min(alive) / 10  # where what is dead is drawn
    heights = [foot if place in dead else each for place, each in enumerate(found.gradient_variance)]
    across, up = Axis(-0.5, len(heights) - 0.5, 72, WIDTH - 28), logarithmic(heights, 560, 372)
    marks = axes(across, up, "Angle, in their order", "Variance of the gradient")
    for place, (height, own) in enumerate(zip(heights, found.gradient_variance, strict=True)):
        words = f"angle {place}: {'dead' if place in dead else f'{own:.3g}'}"
        marks.append(Dot(across(place), up(height), DEAD if place in dead else CIRCUIT, words, 2.5))
    if dead:
        marks.append(Text(WIDTH - 28, 362, f"{len(dead)} angles change nothing that is read", 11, "end", DEAD))
    return marks
