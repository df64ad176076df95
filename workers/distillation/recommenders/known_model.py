"""A recommender that is there already, as the teacher of other data: users and items are found by their names."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints
from workers.distillation.recommenders.checkpoints import Card, card_of
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.networks import ScorerNetwork, build
from workers.distillation.recommenders.signals import Signal, from_network
from workers.distillation.teachers.files.weights import fitting

MODEL = "/teacher/model"
OF_USERS, OF_ITEMS = ("user.weight",), ("item.weight", "bias.weight")  # tables with a row for each
UNKNOWN = -1


def from_model(path: Path | None, data: Data, depth: int, device: torch.device) -> tuple[Signal, ScorerNetwork]:
    """What a model says of this data, and its network with the data's numbers of users and items.

    Of users whom it does not know, or of whom its training saw nothing, it says nothing.
    Raises Problem: file_gone, teacher_invalid, teacher_mismatch.
    """
    if path is None or not path.is_file():
        raise Problem("file_gone", "The model was deleted before the job could read it.", pointer=MODEL)
    try:
        card, weights = _read(path)
    except Problem as problem:
        problem.pointer = MODEL
        raise
    users, items = _places(card.users, data.user_names), _places(card.items, data.item_names)
    if bool((items == UNKNOWN).any()):
        stranger = data.item_names[int((items == UNKNOWN).nonzero()[0])]
        title = f"The model does not know item {stranger!r}; it must know every item of this data. Lists need not."
        raise Problem("teacher_mismatch", title, pointer=MODEL, ways_out=[{"source": "lists"}])
    untrained = set(card.untrained_users)
    speaks = (users != UNKNOWN) & torch.tensor([name not in untrained for name in data.user_names])
    if not speaks.any():
        raise Problem("teacher_mismatch", "The model knows none of the users of this data.", pointer=MODEL)
    weights |= {name: weights[name][users.clamp(min=0)] for name in OF_USERS}
    weights |= {name: weights[name][items] for name in OF_ITEMS if name in weights}
    weights["user.weight"][~speaks] = 0
    network = build(card.architecture, users=data.users, items=data.items, seed=0)
    network.load_state_dict(weights)
    network.to(device).eval()
    return replace(from_network(network, path.read_bytes(), data, depth), speaks=speaks), network


def _read(path: Path) -> tuple[Card, dict[str, Tensor]]:
    """Raises Problem."""
    weights, text = checkpoints.read(path)
    if text is None or not checkpoints.is_recommender(text):
        title = "The model is no recommender that was made here: it does not name its users and items."
        raise Problem("teacher_mismatch", title)
    card = card_of(text)
    return card, fitting(weights, build(card.architecture, users=len(card.users), items=len(card.items), seed=0))


def _places(known: list[str], wanted: list[str]) -> Tensor:
    """(wanted,) where each name stands among those that are known; `UNKNOWN` where it does not."""
    place = {name: number for number, name in enumerate(known)}
    return torch.tensor([place.get(name, UNKNOWN) for name in wanted])
