"""The ways to a small network that are compared: of whom it is made, and what is done to it."""

from dataclasses import dataclass, replace

from qstill.contract.distillations.compression import Compression, Pruning, PruningKind, Quantisation
from workers.distillation.training.stage import Role

Family = tuple[Role, PruningKind | None, Quantisation | None]
Pruned = tuple[Role, PruningKind | None, float]

QUANTISED = {"int8_dynamic": "int8 dynamic", "int8_static": "int8 static", "int4_weights": "int4 weights"}


@dataclass(frozen=True)
class Way:
    """searched: whether the sparsity was looked for, and not asked for."""

    role: Role
    pruning: PruningKind | None = None
    sparsity: float = 0.0
    quantisation: Quantisation | None = None
    searched: bool = False

    @property
    def family(self) -> Family:
        """Ways that differ in their sparsity only are of one family."""
        return self.role, self.pruning, self.quantisation

    @property
    def network(self) -> Pruned:
        """Names what is quantised: ways that share it are made of the same networks."""
        return self.role, self.pruning, self.sparsity

    @property
    def name(self) -> str:
        """For machines: `teacher-structured-0.94-int8_static`."""
        pruned = None if self.pruning is None else f"{self.pruning}-{self.sparsity:.6g}"
        return "-".join(part for part in (self.role, pruned, self.quantisation) if part)

    @property
    def file(self) -> str:
        """Under which its file is published, if it is: names of exports have no underscores."""
        return f"compressed-{self.name.replace('_', '-')}.onnx"

    @property
    def words(self) -> str:
        """For people, a noun phrase."""
        done = []
        if self.pruning is not None:
            what = "units" if self.pruning == "structured" else "weights"
            done.append(f"{self.pruning} pruning of {100 * self.sparsity:.4g}% of its {what}")
        if self.quantisation is not None:
            done.append(QUANTISED[self.quantisation])
        whole = {"teacher": "the teacher", "student": "the distilled student", "baseline": "the baseline student"}
        return whole[self.role] + (f" after {' and '.join(done)}" if done else "")


def ways_of(asked: Compression, *, baseline: bool) -> list[Way]:
    """All but those whose sparsity has to be looked for. The distilled student as it is comes first."""
    found = [Way("student"), *([Way("baseline")] if baseline else []), Way("teacher")]
    found += [Way("teacher", quantisation=each) for each in asked.quantisation]
    found += [way for pruning in asked.pruning for way in pruned_ways("teacher", pruning, asked)]
    if asked.combine:
        found += [Way("student", quantisation=each) for each in asked.quantisation]
        found += [way for pruning in asked.pruning for way in pruned_ways("student", pruning, asked)]
    return found


def pruned_ways(role: Role, pruning: Pruning, asked: Compression) -> list[Way]:
    """What is made of one pruned network."""
    plain = Way(role, pruning.kind, pruning.sparsity)
    return [plain, *(replace(plain, quantisation=each) for each in asked.quantisation if asked.combine)]


def searched_families(asked: Compression) -> list[Family]:
    """Those of which one is made that just fits."""
    quantised: list[Quantisation | None] = [None, *(asked.quantisation if asked.combine else [])]
    return [("teacher", kind, each) for kind in asked.kinds() for each in quantised]
