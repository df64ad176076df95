"""Residual networks for small images (He and others 2016, arXiv:1512.03385, sec. 4.2), and wide ones
(Zagoruyko, Komodakis 2016, arXiv:1605.07146).

Inputs (batch, channels, height, width); logits (batch, classes). Three stages, the second and the third of half the
size and twice the channels of the one before; then the mean over places, and one linear layer.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from qstill.contract.distillations.architectures.resnet import ResNet, WideResNet
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import BatchNorm, Features, Joint, Network

WIDE_STEM = 16  # channels before the first stage of a wide network, whatever its width


def convolution(channels: int, wider: int, size: int = 3, *, stride: int = 1) -> nn.Conv2d:
    """Without a bias, which the normalisation would remove; of the initial size that keeps the signal's (He 2015)."""
    layer = nn.Conv2d(channels, wider, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class Block(nn.Module):
    """relu(x + f(x)). Where the shape changes, x is subsampled and filled up with empty channels: no weights."""

    def __init__(self, channels: int, wider: int, stride: int) -> None:
        super().__init__()
        self.first, self.first_norm = convolution(channels, wider, stride=stride), BatchNorm(wider)
        self.second, self.second_norm = convolution(wider, wider), BatchNorm(wider)
        self.stride, self.new_channels = stride, wider - channels

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, wider, h/stride, w/stride)."""
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        return torch.relu(y + pad(shortcut, (0, 0, 0, 0, 0, self.new_channels)))


class ResNetNetwork(Network):
    """ResNet-(6n+2), with the shortcuts of option A."""

    def __init__(self, architecture: ResNet, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        width, blocks = architecture.width, (architecture.depth - 2) // 6
        self.stem, self.stem_norm = convolution(input_shape[0], width), BatchNorm(width)
        self.stages = nn.ModuleList(
            nn.Sequential(
                Block(width * max(1, times // 2), width * times, min(2, times)),
                *(Block(width * times, width * times, 1) for _ in range(blocks - 1)),
            )
            for times in (1, 2, 4)
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        seen = {} if seen is None else seen
        x = seen["stem"] = torch.relu(self.stem_norm(self.stem(x)))
        for number, stage in enumerate(self.stages):
            x = seen[f"stages.{number}"] = stage(x)
        x = seen["pool"] = x.mean((2, 3))
        return self.head(x)  # type: ignore[no-any-return]

    def joints(self) -> list[Joint]:
        """Inside blocks: what comes out of one is added to what passes it by."""
        blocks = (block for block in self.modules() if isinstance(block, Block))
        return [Joint(block.first, block.second, block.first_norm) for block in blocks]


class WideBlock(nn.Module):
    """x + f(x), normalised and activated before each convolution; a 1x1 convolution where the shape changes."""

    def __init__(self, channels: int, wider: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.first_norm, self.first = BatchNorm(channels), convolution(channels, wider, stride=stride)
        self.second_norm, self.second = BatchNorm(wider), convolution(wider, wider)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = None if channels == wider and stride == 1 else convolution(channels, wider, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, wider, h/stride, w/stride)."""
        active = torch.relu(self.first_norm(x))
        y = self.dropout(torch.relu(self.second_norm(self.first(active))))
        return self.second(y) + (x if self.shortcut is None else self.shortcut(active))  # type: ignore[no-any-return]


class WideResNetNetwork(Network):
    """WRN-(6n+4)-widen."""

    def __init__(self, architecture: WideResNet, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        blocks, channels = (architecture.depth - 4) // 6, WIDE_STEM
        self.stem = convolution(input_shape[0], WIDE_STEM)
        self.stages = nn.ModuleList()
        for times in (1, 2, 4):
            wider = WIDE_STEM * architecture.widen * times
            stage = [WideBlock(channels, wider, min(2, times), architecture.dropout)]
            stage += [WideBlock(wider, wider, 1, architecture.dropout) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(*stage))
            channels = wider
        self.norm = BatchNorm(channels)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        seen = {} if seen is None else seen
        x = seen["stem"] = self.stem(x)
        for number, stage in enumerate(self.stages):
            x = seen[f"stages.{number}"] = stage(x)
        x = seen["stages.2"] = torch.relu(self.norm(x))
        x = seen["pool"] = x.mean((2, 3))
        return self.head(x)  # type: ignore[no-any-return]

    def joints(self) -> list[Joint]:
        """Inside blocks: what comes out of one is added to what passes it by."""
        blocks = (block for block in self.modules() if isinstance(block, WideBlock))
        return [Joint(block.first, block.second, block.second_norm) for block in blocks]


RESNET = Family(
    definition=ResNet,
    build=lambda resnet, ends: ResNetNetwork(resnet, ends.input_shape, ends.classes),
    scaled_as_they_come=None,
)
WIDE_RESNET = Family(
    definition=WideResNet,
    build=lambda wide, ends: WideResNetNetwork(wide, ends.input_shape, ends.classes),
    scaled_as_they_come=None,
)
