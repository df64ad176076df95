"""What a recommender puts first for some users."""

import torch

from qstill.contract.errors import Problem
from qstill.contract.models.answers import Recommendations, Recommended
from qstill.contract.models.questions import AskUsers
from workers.distillation.recommenders.checkpoints import Card
from workers.distillation.recommenders.networks import build
from workers.distillation.teachers.files.weights import fitting

USERS_AT_ONCE = 32  # bounds the table of scores of every item


def recommended(asked: AskUsers, weights: dict[str, torch.Tensor], card: Card, model: str) -> Recommendations:
    """Each user's best items; items of one score in the order of the data's names. Raises Problem."""
    network = build(card.architecture, users=len(card.users), items=len(card.items), seed=0)
    network.load_state_dict(fitting(weights, network))
    network.eval()
    number = {name: code for code, name in enumerate(card.users)}
    for place, user in enumerate(asked.users):
        if user not in number:
            title = (
                f"The model does not know user {user[:100]!r}; it knows {len(number)}, {card.users[0]!r} among them."
            )
            raise Problem("user_unknown", title, pointer=f"/users/{place}")
    users = torch.tensor([number[user] for user in asked.users])
    with torch.no_grad():
        scores = torch.cat([network(part) for part in torch.split(users, USERS_AT_ONCE)])
    if not scores.isfinite().all():
        raise Problem("not_finite", "The model answers with something that is no number.", pointer="/users")
    notes = _without_excluded(scores, asked, card)
    if untrained := sorted(set(asked.users) & set(card.untrained_users)):
        shown = ", ".join(repr(user[:40]) for user in untrained[:5]) + (", …" if len(untrained) > 5 else "")
        notes.append(f"Training saw nothing of {len(untrained)} of these users ({shown}): their lists mean nothing.")
    lists = []
    for row in scores:
        best = row.sort(descending=True, stable=True)
        first = zip(best.values[: asked.k].tolist(), best.indices[: asked.k].tolist(), strict=True)
        lists.append([Recommended(item=card.items[item], score=score) for score, item in first if score > -torch.inf])
    return Recommendations(model=model, notes=notes, recommendations=lists)


def _without_excluded(scores: torch.Tensor, asked: AskUsers, card: Card) -> list[str]:
    """Strike out what is not to be recommended, in place. Returns what a reader must know of it."""
    number = {name: code for code, name in enumerate(card.items)}
    unknown = 0
    for row, items in zip(scores, asked.exclude or [], strict=False):
        known = [number[item] for item in items if item in number]
        unknown += len(items) - len(known)
        row[known] = -torch.inf
    return [f"{unknown} of the items to exclude are unknown to the model."] if unknown else []
