"""Learning from what the teacher writes, instead of from its probabilities."""

from typing import Annotated, Literal

from pydantic import Field

from qstill.contract.schemas import Strict

MAX_PROMPT = 511  # tokens; one less than a row may have


class Sequence(Strict):
    """Sequence-level distillation of Kim and Rush (2016, 1606.07947): cross-entropy on texts that the teacher wrote.

    The teacher goes on after the first `prompt` tokens of training rows, once, before the student is trained; only what
    it wrote is a label. The paper decodes with a beam of five; here it is greedy, a beam of one, or sampled.
    """

    kind: Literal["sequence"] = Field(
        description="Learn from the teacher's own texts. language_modelling only.", examples=["sequence"]
    )
    prompt: Annotated[int, Field(ge=1, le=MAX_PROMPT)] = Field(
        16, description="Tokens of a training row that the teacher goes on from.", examples=[16]
    )
    decode: Literal["greedy", "sample"] = Field(
        "greedy",
        description="greedy: the most likely token, each time. sample: drawn from the teacher's distribution.",
        examples=["sample"],
    )
    alpha: Annotated[float, Field(ge=0, le=1)] = Field(
        1.0,
        description="α: the share of rows that are the teacher's text; the others keep their own. Rows whose own text "
        "the student may not see (`labelled`) are always the teacher's.",
        examples=[0.5],
    )
