"""Pruning and quantisation beside distillation: what a job may ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_PRUNINGS = 8
FINE_TUNE_RATE = 0.3  # of the student's learning rate; of 1, 0.3, 0.1 and 0.03 the best on digits, few labels or many
MAX_FINE_TUNED = 200  # networks; each costs about what a student costs, or what the teacher's size makes of it

PruningKind = Literal["magnitude", "structured"]
Quantisation = Literal["int8_dynamic", "int8_static", "int4_weights"]

QUANTISATIONS: tuple[Quantisation, ...] = ("int8_dynamic", "int8_static", "int4_weights")


class Pruning(Strict):
    """How much of a network is removed before it is fine-tuned."""

    kind: PruningKind = Field(
        description="`magnitude`: the smallest weights of all layers together become 0 (Han and others 2015, "
        "1506.02626); files get smaller, kernels do not get faster. `structured`: whole units, or channels, of each "
        "hidden layer go, those whose incoming weights have the smallest L1 norm (Li and others 2017, 1608.08710); the "
        "network that is left is a smaller dense one.",
        examples=["structured"],
    )
    sparsity: Annotated[float, Field(ge=0, le=0.95)] = Field(
        description="The share that goes: of all weights that are not biases or normalisation, or of each layer's "
        "units, of which one at least stays.",
        examples=[0.75],
    )


class Compression(Strict):
    """What distillation is set beside: the teacher pruned, the teacher quantised, and both of it and of the student."""

    pruning: Annotated[list[Pruning], Field(max_length=MAX_PRUNINGS)] = Field(
        default_factory=lambda: [
            Pruning(kind="magnitude", sparsity=0.8),
            Pruning(kind="structured", sparsity=0.5),
        ],
        description="Besides these, for each kind that is named the sparsity is looked for at which the pruned teacher "
        "just fits into the bytes of the distilled student.",
        examples=[[{"kind": "magnitude", "sparsity": 0.8}, {"kind": "structured", "sparsity": 0.5}]],
    )
    quantisation: Annotated[list[Quantisation], Field(max_length=3)] = Field(
        default_factory=lambda: list(QUANTISATIONS),
        description="`int8_dynamic`: weights of 8 bits, activations scaled as they come. `int8_static`: their ranges "
        "are those of training rows. `int4_weights`: weights of 4 bits in groups of 32 with one scale each, "
        "activations in float32.",
        examples=[["int8_dynamic", "int4_weights"]],
    )
    combine: bool = Field(
        True,
        description="Also quantise what was pruned, and prune and quantise the distilled student.",
        examples=[True],
    )
    fine_tune_epochs: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        None,
        description="After pruning, as the student is trained, with the labels that it sees; null: as many as the "
        "student's, which are as many optimizer steps. A pruned student goes on learning from the teacher.",
        examples=[10],
    )
    fine_tune_learning_rate: Annotated[float, Field(gt=0, le=10)] | None = Field(
        None,
        description="At the first of these steps; null: 0.3 times the student's, because what has learned already is "
        "moved less. Judge a comparison that distillation wins by trying others.",
        examples=[0.003],
    )
    seeds: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Of how many seeds; null: of all that `evaluation` asks for.", examples=[3]
    )

    @model_validator(mode="after")
    def _compares_something(self) -> Compression:
        if not self.pruning and not self.quantisation:
            refuse(("pruning",), "nothing_to_compare", "name a way of pruning or of quantisation", [])
        for name in ("pruning", "quantisation"):
            asked = getattr(self, name)
            if any(each in asked[:place] for place, each in enumerate(asked)):
                refuse((name,), "named_twice", "each needs to be named once", None)
        return self

    def learning_rate(self, of_student: float) -> float:
        """Of fine-tuning."""
        return self.fine_tune_learning_rate or FINE_TUNE_RATE * of_student

    def kinds(self) -> list[PruningKind]:
        """The ways of pruning, each once, in the order of the job."""
        return list(dict.fromkeys(each.kind for each in self.pruning))

    def fine_tuned(self, seeds: int) -> int:
        """How many networks are fine-tuned at most."""
        files = 1 + (len(self.quantisation) if self.combine else 0)
        sources = 2 if self.combine else 1
        return seeds * (sources * len(self.pruning) + len(self.kinds()) * files)
