"""How a path names a model, and which questions it answers."""

from typing import Annotated

from fastapi import Path

from ledger.ids import id_pattern
from qstill.contract.answers.models import EXAMPLE_ID
from qstill.contract.distillations.architectures import AnyArchitecture, family_of
from qstill.contract.distillations.architectures.family import Question
from qstill.contract.distillations.embeddings.students import AnyEncoder
from qstill.contract.distillations.recommenders.architectures import AnyScorer

ModelId = Annotated[str, Path(pattern=id_pattern("model"), description="The id of a model.", examples=[EXAMPLE_ID])]


def answers_of(
    architecture: AnyArchitecture | AnyScorer | AnyEncoder | None, format: str, *, has_card: bool
) -> Question | None:
    """Which field a question to a model has; None where that is not known here. has_card: that names its tokenizer."""
    if format == "folder" or isinstance(architecture, AnyEncoder):
        return "texts"
    if architecture is None:
        return "inputs" if format == "onnx" else None
    if isinstance(architecture, AnyScorer):
        return "users"
    family = family_of(architecture)
    return family.question if has_card or family.reads != "text" else None
