"""A program that opens a recommender's file, rebuilds its network and recommends; of other students: `loading`."""

from qstill.contract.distillations.architectures.programs import ACTIVATION

OPENING = """\
import json

import torch
import torch.nn.functional as F
from safetensors import safe_open

with safe_open("{file}", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # what the network is, and the names of users and items
    weights = {{name: file.get_tensor(name) for name in file.keys()}}
architecture = card["architecture"]


def linear(name, x):
    return F.linear(x, weights[f"{{name}}.weight"], weights[f"{{name}}.bias"])
"""

PRODUCT = """

def network(users):
    products = made("user", weights["user.weight"][users]) @ made("item", weights["item.weight"]).T
    return products + weights["bias.weight"].T
"""

MATRIX_FACTORISATION = (
    """

def made(side, vectors):
    return vectors
"""
    + PRODUCT
)

TWO_TOWER = (
    ACTIVATION
    + """

def made(side, vectors):
    last = len(architecture["tower"]) - 1
    for n in range(last):
        vectors = activation(linear(f"{side}_tower.{n}", vectors))
    return linear(f"{side}_tower.{last}", vectors)
"""
    + PRODUCT
)

MLP_SCORER = (
    ACTIVATION
    + """

def network(users):
    of_user, of_item = weights["hidden.0.weight"].split(architecture["dimensions"], dim=1)
    first = F.linear(weights["user.weight"][users], of_user, weights["hidden.0.bias"])[:, None]
    x = activation(first + weights["item.weight"] @ of_item.T)
    for n in range(1, len(architecture["hidden"])):
        x = activation(linear(f"hidden.{n}", x))
    return linear("head", x).squeeze(-1)
"""
)

RECOMMENDS = '''

def logits(users):
    """Scores (users, items) of users by their names."""
    with torch.no_grad():
        return network(torch.tensor([card["users"].index(user) for user in users]))


def predict(user, most=10, exclude=()):
    """[(item, its score), ...]: the best ones for a user, without those that the user has already."""
    scores = logits([user])[0]
    scores[[card["items"].index(item) for item in exclude]] = -torch.inf
    best = scores.sort(descending=True, stable=True)
    return [(card["items"][n], score) for score, n in zip(best.values.tolist()[:most], best.indices.tolist()[:most])]


print(predict(card["users"][0]))  # put yours there
'''

NETWORKS = {"matrix_factorisation": MATRIX_FACTORISATION, "two_tower": TWO_TOWER, "mlp_scorer": MLP_SCORER}


def program(file: str, architecture: str) -> str:
    """file: the name under which it was downloaded. architecture: its `kind`."""
    return OPENING.format(file=file) + NETWORKS[architecture] + RECOMMENDS
