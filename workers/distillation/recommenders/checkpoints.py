"""Recommenders as files: safetensors whose card names users and items, so that a model is usable alone.

with safe_open("student-seed-0.safetensors", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # domain, architecture, users, items
"""

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import save
from torch import Tensor

from qstill.contract.distillations.recommenders.architectures import AnyScorer, Scorer
from workers.distillation.artifacts.checkpoints import CARD, invalid
from workers.distillation.recommenders.data.dataset import Data


class Card(BaseModel):
    """What a recommender needs besides its weights. The n-th row of a table belongs to the n-th name.

    untrained_users: those of whom training saw nothing, so that their numbers are as they were drawn.
    """

    model_config = ConfigDict(extra="forbid")

    domain: Literal["recommender"]
    architecture: Scorer
    users: list[str]
    items: list[str]
    untrained_users: list[str] = []


def card_for(architecture: AnyScorer, data: Data) -> Card:
    """The card of a recommender that was trained on this data."""
    seen = data.train.users.bincount(minlength=data.users)
    return Card(
        domain="recommender",
        architecture=architecture,
        users=data.user_names,
        items=data.item_names,
        untrained_users=[data.user_names[code] for code in (seen == 0).nonzero().flatten().tolist()],
    )


def to_bytes(weights: dict[str, Tensor], architecture: AnyScorer, data: Data) -> bytes:
    """A safetensors file; equal models have equal bytes."""
    card = json.dumps(card_for(architecture, data).model_dump(mode="json"), sort_keys=True)
    return save({name: weights[name].contiguous() for name in sorted(weights)}, metadata={CARD: card})


def card_of(text: str) -> Card:
    """Raises Problem teacher_invalid."""
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        raise invalid("The card in the file's metadata cannot be read.") from error
