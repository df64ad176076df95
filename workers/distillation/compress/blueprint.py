"""Networks of one kind as ONNX files, exported once: the exporter takes a second, filling in weights a millisecond."""

from copy import deepcopy

import numpy as np
import onnx
import torch
from onnx import ModelProto, numpy_helper

from workers.distillation.artifacts.student_onnx import to_onnx
from workers.distillation.compress.fold import folded
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.networks.network import Network


class Blueprint:
    """`write(network)` gives the file of a network like the first one, or narrower."""

    def __init__(self, network: Network, data: Data) -> None:
        self._data, network = data, folded(network)
        self._model = onnx.load_from_string(to_onnx(network, data, None))
        _flatten_any_width(self._model)
        held = {each.name: each for each in self._model.graph.initializer}
        self._whole = all(  # not so where the exporter turns a matrix, as it does in a vit
            name in held and np.array_equal(numpy_helper.to_array(held[name]), tensor)
            for name, tensor in _tensors(network).items()
        )

    def write(self, network: Network) -> bytes:
        """Its file."""
        return self._written(folded(network))

    def as_long(self, network: Network) -> bytes:
        """A file as long as the network's, whose weights are random where they are not 0.

        How long a file gets once its tensors are packed depends on which weights are 0, and on no other.
        """
        return self._written(folded(_random(network)))

    def _written(self, network: Network) -> bytes:
        """Filled in where every tensor of a network stands in the file as it is, exported where not."""
        return self._filled(network) if self._whole else to_onnx(network, self._data, None)

    def _filled(self, network: Network) -> bytes:
        filled, tensors = ModelProto(), _tensors(network)
        filled.CopyFrom(self._model)
        for each in filled.graph.initializer:
            if each.name in tensors:
                each.CopyFrom(numpy_helper.from_array(tensors[each.name], each.name))
        del filled.graph.value_info[:]  # shapes that may be other ones now
        return bytes(filled.SerializeToString())


def _random(network: Network) -> Network:
    """A copy in which no weight is near 0 but those that are 0."""
    network, draw = deepcopy(network), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            sizes = 0.5 + 0.5 * torch.rand(weight.shape, generator=draw)
            signs = 1 - 2 * torch.randint(0, 2, weight.shape, generator=draw)
            within = max(1, weight[0].numel()) ** 0.5  # activations stay in the range of numbers
            weight.copy_((weight != 0) * sizes * signs / within)
    return network


def _tensors(network: Network) -> dict[str, Array]:
    return {f"network.{name}": np.ascontiguousarray(tensor.numpy()) for name, tensor in network.state_dict().items()}


def _flatten_any_width(model: ModelProto) -> None:
    """A Reshape to (any rows, n) becomes one to (as many rows, the rest), which is the same for any n."""
    held = {each.name: each for each in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Reshape" and node.input[1] in held:
            shape = held[node.input[1]]
            wanted = numpy_helper.to_array(shape)
            if len(wanted) == 2 and wanted[0] == -1:
                shape.CopyFrom(numpy_helper.from_array(np.array([0, -1], dtype=np.int64), shape.name))
                del node.attribute[:]  # allowzero, under which 0 would mean no rows at all
