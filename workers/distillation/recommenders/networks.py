"""Networks that score items for users, with initial weights that depend on nothing but a seed."""

import torch
from torch import Tensor, nn

from qstill.contract.distillations.recommenders.architectures import AnyScorer, MatrixFactorisation, MlpScorer, TwoTower
from workers.distillation.networks.network import ACTIVATIONS

SPREAD = 0.1  # standard deviation of initial numbers: scores begin near 0, where no loss is saturated
DENSE = 20  # times as many items as are asked for: up to there one product of matrices is faster than looking each up
MAX_PAIRS_AT_ONCE = 1 << 18  # of a network that every pair passes through; bounds its activations


class ScorerNetwork(nn.Module):
    """Users and items, by their numbers, to scores: the higher, the sooner recommended."""

    def __init__(self, users: int, items: int, dimensions: int) -> None:
        super().__init__()
        self.user = nn.Embedding(users, dimensions)
        self.item = nn.Embedding(items, dimensions)
        nn.init.normal_(self.user.weight, std=SPREAD)
        nn.init.normal_(self.item.weight, std=SPREAD)

    def user_vectors(self, users: Tensor) -> Tensor:
        """(users, n) what the network knows of users; `de` compares it."""
        return self.user(users)  # type: ignore[no-any-return]

    def item_vectors(self, items: Tensor) -> Tensor:
        """(items, n) what the network knows of items."""
        return self.item(items)  # type: ignore[no-any-return]

    def items_side(self) -> Tensor:
        """(items, n) what of a score depends on the item alone: the same for every user."""
        return self.item_vectors(torch.arange(self.item.num_embeddings, device=self.item.weight.device))

    def scores(self, users: Tensor, items_side: Tensor) -> Tensor:
        """(users, items) scores of every item, all at once."""
        raise NotImplementedError

    def forward(self, users: Tensor) -> Tensor:
        """(users, items) scores of every item."""
        return self.scores(users, self.items_side())

    def pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """(users, n) scores of n items for each user. users: (users,). items: (users, n)."""
        raise NotImplementedError

    def multiply_adds(self) -> int:
        """To score every item for one user, with items' vectors kept from one user to the next where possible."""
        raise NotImplementedError


class ProductNetwork(ScorerNetwork):
    """Inner products of vectors, and a bias of the item."""

    def __init__(self, users: int, items: int, dimensions: int) -> None:
        super().__init__(users, items, dimensions)
        self.bias = nn.Embedding(items, 1)
        nn.init.zeros_(self.bias.weight)

    def scores(self, users: Tensor, items_side: Tensor) -> Tensor:
        return torch.addmm(self.bias.weight.T, self.user_vectors(users), items_side.T)

    def pairs(self, users: Tensor, items: Tensor) -> Tensor:
        if self.item.num_embeddings <= DENSE * items.shape[1]:
            return self(users).gather(1, items)  # type: ignore[no-any-return]
        distinct, place = torch.unique(items, return_inverse=True)
        vectors = self.item_vectors(distinct)[place]
        products: Tensor = torch.einsum("ud,und->un", self.user_vectors(users), vectors)
        return products + self.bias.weight[items, 0]


class MatrixFactorisationNetwork(ProductNetwork):
    """The vectors are numbers in a table."""

    def __init__(self, spec: MatrixFactorisation, users: int, items: int) -> None:
        super().__init__(users, items, spec.dimensions)

    def multiply_adds(self) -> int:
        return self.item.weight.numel()


class TwoTowerNetwork(ProductNetwork):
    """The vectors are made by a network of each side."""

    def __init__(self, spec: TwoTower, users: int, items: int) -> None:
        super().__init__(users, items, spec.dimensions)
        self.user_tower = _layers(spec.dimensions, spec.tower)
        self.item_tower = _layers(spec.dimensions, spec.tower)
        self.activation = ACTIVATIONS[spec.activation]

    def user_vectors(self, users: Tensor) -> Tensor:
        return self._through(self.user_tower, self.user(users))

    def item_vectors(self, items: Tensor) -> Tensor:
        return self._through(self.item_tower, self.item(items))

    def _through(self, tower: nn.ModuleList, x: Tensor) -> Tensor:
        for layer in tower[:-1]:
            x = self.activation(layer(x))
        return tower[-1](x)  # type: ignore[no-any-return]

    def multiply_adds(self) -> int:
        a_user = sum(layer.weight.numel() for layer in _linears(self.user_tower))
        return a_user + self.item.num_embeddings * _linears(self.user_tower)[-1].out_features


class MlpScorerNetwork(ScorerNetwork):
    """Every pair passes through the layers; the first of them is a sum of what the user and the item give it."""

    def __init__(self, spec: MlpScorer, users: int, items: int) -> None:
        super().__init__(users, items, spec.dimensions)
        self.hidden = _layers(2 * spec.dimensions, spec.hidden)
        self.head = nn.Linear(spec.hidden[-1], 1)
        self.activation = ACTIVATIONS[spec.activation]

    def items_side(self) -> Tensor:
        return self._of_items(self.item.weight)

    def scores(self, users: Tensor, items_side: Tensor) -> Tensor:
        return self._scores(self._of_users(users)[:, None], items_side)

    def forward(self, users: Tensor) -> Tensor:
        at_once, items = max(1, MAX_PAIRS_AT_ONCE // self.item.num_embeddings), self.items_side()
        return torch.cat([self.scores(part, items) for part in torch.split(users, at_once)])

    def pairs(self, users: Tensor, items: Tensor) -> Tensor:
        return self._scores(self._of_users(users)[:, None], self._of_items(self.item(items)))

    def _of_users(self, users: Tensor) -> Tensor:
        first = _linears(self.hidden)[0]
        return nn.functional.linear(self.user(users), first.weight[:, : self.user.embedding_dim], first.bias)

    def _of_items(self, vectors: Tensor) -> Tensor:
        return nn.functional.linear(vectors, _linears(self.hidden)[0].weight[:, self.user.embedding_dim :])

    def _scores(self, users: Tensor, items: Tensor) -> Tensor:
        x = self.activation(users + items)
        for layer in self.hidden[1:]:
            x = self.activation(layer(x))
        return self.head(x).squeeze(-1)  # type: ignore[no-any-return]

    def multiply_adds(self) -> int:
        first, *others = _linears(self.hidden)
        a_pair = sum(layer.weight.numel() for layer in [*others, self.head])
        return self.user.embedding_dim * first.out_features + self.item.num_embeddings * a_pair


def _layers(inputs: int, widths: list[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(before, after) for before, after in zip([inputs, *widths[:-1]], widths, strict=True))


def _linears(layers: nn.ModuleList) -> list[nn.Linear]:
    return [layer for layer in layers if isinstance(layer, nn.Linear)]


def build(spec: AnyScorer, *, users: int, items: int, seed: int) -> ScorerNetwork:
    """An untrained network in train mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match spec:
            case MatrixFactorisation():
                return MatrixFactorisationNetwork(spec, users, items)
            case TwoTower():
                return TwoTowerNetwork(spec, users, items)
            case MlpScorer():
                return MlpScorerNetwork(spec, users, items)
