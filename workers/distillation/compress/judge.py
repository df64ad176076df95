"""What the numbers say: the best of each family at the student's bytes and at its speed, and a sentence in plain words.

Which is best is decided on the validation rows; the test rows only say how good it is.
"""

from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Literal

from qstill.contract.distillations.report.compression import CompressedCandidate, CompressedRival
from qstill.contract.distillations.report.measured import NetworkLatency
from qstill.contract.distillations.results import Gain
from workers.distillation.artifacts.clock import Latency
from workers.distillation.compress.ways import Family, Way
from workers.distillation.quality import Comparison, compare, mean_sd

AS_FAST = 1.1  # times the student's median latency: less is the noise of a clock that others share

Budget = Literal["bytes", "latency"]


@dataclass(frozen=True)
class Made:
    """What came of one way. accuracies, validation: of each seed, or of the one network that there is.

    rows: of the test. bytes: of the longest file. The differences of logits and the agreement are to the network it
    was made of.
    """

    way: Way
    bytes: int
    latency: Latency
    accuracies: list[float]
    validation: list[float]
    weights: int
    multiply_adds: int
    max_logit_difference: float
    agreement: float
    rows: int

    def cost(self, budget: Budget) -> float:
        """Bytes, or milliseconds."""
        return self.bytes if budget == "bytes" else self.latency.p50_ms

    def difference_to(self, student: "Made") -> Comparison:
        """The student's accuracy minus this one's in points, paired by seed."""
        count = len(student.accuracies)
        mine = self.accuracies if len(self.accuracies) == count else self.accuracies[:1] * count
        return compare(_points(student.accuracies), _points(mine), most=100, step=100 / self.rows)


@dataclass(frozen=True)
class Row:
    """One family under a budget. times: its cost over the student's."""

    made: Made
    fits: bool
    times: float
    difference: Comparison | None


def table(all_made: list[Made], budget: Budget) -> list[Row]:
    """The best of each family that fits, or the cheapest of one that does not. The first of all is the student."""
    student = all_made[0]
    limit = student.cost(budget) * (1.0 if budget == "bytes" else AS_FAST)
    families: dict[Family, list[Made]] = {}
    for made in all_made:
        families.setdefault(made.way.family, []).append(made)
    rows = []
    for members in families.values():
        fitting = [made for made in members if made.cost(budget) <= limit]
        best = max(fitting, key=_worth) if fitting else min(members, key=lambda made: made.cost(budget))
        difference = None if best is student else best.difference_to(student)
        rows.append(Row(best, bool(fitting), best.cost(budget) / student.cost(budget), difference))
    return rows


def verdict(rows: list[Row], budget: Budget) -> str:
    """Distillation against the best of what fits and is made without it, in one or two sentences."""
    student = rows[0].made
    at = f"At the student's {student.bytes:,} bytes" if budget == "bytes" else "At the student's latency"
    rivals = [row for row in rows if row.made.way.role == "teacher"]
    fitting = [row for row in rivals if row.fits]
    if not fitting:
        nearest = min(rivals, key=lambda row: row.times)
        needs = "bytes" if budget == "bytes" else "time"
        what = f"{nearest.made.way.words} takes {nearest.times:.3g} times the {needs}"
        return f"{at} there is nothing to compare with: {what}."
    rival = max(fitting, key=lambda row: _worth(row.made))
    assert rival.difference is not None
    other = f"the best of what is made without it, {rival.made.way.words}"
    return f"{at}, {_compared(rival.difference, other)}."


def smaller_still(rows: list[Row]) -> str | None:
    """What quantising or pruning the distilled student costs and saves; None where nothing of it was made."""
    student = rows[0].made
    others = [row for row in rows[1:] if row.made.way.role == "student" and row.made.bytes < student.bytes]
    if not others:
        return None
    best = max(others, key=lambda row: _worth(row.made))
    assert best.difference is not None
    share, change = best.made.bytes / student.bytes, -best.difference.mean
    what = _capital(best.made.way.words)
    return f"{what} takes {share:.0%} of its bytes and changes its accuracy by {change:+.2f} points."


def magnitude_note(all_made: list[Made]) -> str | None:
    """That zeros do not make dense kernels faster, as it was measured; None where nothing was pruned so."""
    plain = {made.way.role: made for made in all_made if made.way.pruning is None and made.way.quantisation is None}
    pruned = [made for made in all_made if made.way.pruning == "magnitude" and made.way.quantisation is None]
    if not pruned:
        return None
    sparsest = max(pruned, key=lambda made: made.way.sparsity)
    whole = plain[sparsest.way.role]
    return (
        "Magnitude pruning makes files smaller, not dense kernels faster: a row takes "
        f"{sparsest.latency.p50_ms:.4f} ms with {sparsest.way.sparsity:.1%} of the weights at 0, and "
        f"{whole.latency.p50_ms:.4f} ms with all of them."
    )


def front(all_made: list[Made]) -> list[Made]:
    """Those that no other is smaller and, on the validation rows, better than; from small to large."""
    found: list[Made] = []
    for made in sorted(all_made, key=lambda each: (each.bytes, -fmean(each.validation))):
        if not found or fmean(made.validation) > fmean(found[-1].validation):
            found.append(made)
    return found


def candidate(made: Made, file: str | None) -> CompressedCandidate:
    """A line of the report. file: the export, where it is published."""
    way = made.way
    return CompressedCandidate(
        name=way.name,
        words=way.words,
        role=way.role,
        pruning=way.pruning,
        sparsity=way.sparsity if way.pruning else None,
        searched=way.searched,
        quantisation=way.quantisation,
        accuracy=mean_sd(made.accuracies),
        accuracies=made.accuracies,
        validation_accuracy=mean_sd(made.validation),
        bytes=made.bytes,
        latency=NetworkLatency(**asdict(made.latency)),
        weights=made.weights,
        multiply_adds=made.multiply_adds,
        max_logit_difference=made.max_logit_difference,
        agreement=made.agreement,
        file=file,
    )


def rival(row: Row) -> CompressedRival:
    """A line of a table: the candidate's name, and what the table adds."""
    difference = row.difference
    gain = difference and Gain(points=difference.mean, low=difference.low, high=difference.high)
    return CompressedRival(name=row.made.way.name, fits=row.fits, times=row.times, student_minus_this=gain)


def _worth(made: Made) -> tuple[float, int]:
    return fmean(made.validation), -made.bytes


def _points(accuracies: list[float]) -> list[float]:
    return [100 * accuracy for accuracy in accuracies]


def _compared(difference: Comparison, other: str) -> str:
    points = f"{abs(difference.mean):.2f} points"
    if difference.low is None or difference.high is None:
        side = "above" if difference.mean >= 0 else "below"
        return f"distillation is {points} {side} {other}, which one seed does not decide"
    interval = f"[{difference.low:+.2f} to {difference.high:+.2f}]"
    if difference.low > 0:
        return f"distillation is {points} above {other} {interval}"
    if difference.high < 0:
        return f"distillation did not help: it is {points} below {other} {interval}"
    return f"distillation is not told apart from {other}: {difference.mean:+.2f} points {interval}"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
