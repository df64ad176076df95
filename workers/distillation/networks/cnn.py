"""Small convolutional networks."""

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from qstill.contract.distillations.architectures.cnn import Cnn
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import ACTIVATIONS, Features, Joint, Network, chain

POOLED_FROM = 4  # pixels a side; smaller images are not halved


class CnnNetwork(Network):
    """Inputs (batch, channels, height, width); logits (batch, classes)."""

    def __init__(self, architecture: Cnn, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        self.convolutions = nn.ModuleList()
        for wider in architecture.channels:
            self.convolutions.append(nn.Conv2d(channels, wider, 3, padding=1))
            channels = wider
            if min(height, width) >= POOLED_FROM:
                height, width = height // 2, width // 2
        self.head = nn.Linear(channels * height * width, classes)
        self.activation = ACTIVATIONS[architecture.activation]
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        for number, convolution in enumerate(self.convolutions):
            x = self.activation(convolution(x))
            if min(x.shape[2:]) >= POOLED_FROM:
                x = max_pool2d(x, 2)
            if seen is not None:
                seen[f"convolutions.{number}"] = x
        return self.head(self.dropout(x.flatten(1)))  # type: ignore[no-any-return]

    def joints(self) -> list[Joint]:
        """Between any two layers."""
        return chain([*self.convolutions, self.head])


CNN = Family(
    definition=Cnn,
    build=lambda cnn, ends: CnnNetwork(cnn, ends.input_shape, ends.classes),
    scaled_as_they_come=None,
)
