"""What one row costs an ONNX model: counted in its graph, whatever framework wrote it."""

import math

import onnx
from onnx import ModelProto, NodeProto

Shape = tuple[int, ...]


def multiply_adds(model: ModelProto, row: Shape) -> int:
    """Of MatMul, Gemm and Conv nodes with constant weights, as for networks of this house; 0 where they cannot be told.

    row: the shape of one input without its batch. Nodes inside loops, branches and functions make it 0: how often they
    run is not written down. So do models without any such node: what a tree or a kernel machine costs is another count.
    """
    if model.functions or any(attribute.HasField("g") or attribute.graphs for attribute in _attributes(model)):
        return 0
    weights: dict[str, Shape] = {each.name: tuple(each.dims) for each in model.graph.initializer}
    try:
        shapes, batch = _shapes(model, row)
        return sum(_of_node(node, weights, shapes) for node in model.graph.node) // batch
    except (onnx.shape_inference.InferenceError, KeyError, ValueError, IndexError):
        return 0


def _attributes(model: ModelProto) -> list[onnx.AttributeProto]:
    return [attribute for node in model.graph.node for attribute in node.attribute]


def _shapes(model: ModelProto, row: Shape) -> tuple[dict[str, Shape], int]:
    """Of what passes between nodes, and for how many rows: one, or as many as the model fixes."""
    one = ModelProto()
    one.CopyFrom(model)
    inputs = [each for each in one.graph.input if each.name not in {held.name for held in one.graph.initializer}]
    sizes = inputs[0].type.tensor_type.shape.dim
    free = [dim for dim in sizes if not dim.HasField("dim_value")]
    if sizes and sizes[0] in free:
        sizes[0].dim_value = 1
        free = free[1:]
    if len(free) == 1:  # the one that is left of the row
        free[0].dim_value = math.prod(row) // math.prod(dim.dim_value for dim in sizes if dim is not free[0])
    found = onnx.shape_inference.infer_shapes(one, strict_mode=True, data_prop=True).graph
    known = {
        each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim)
        for each in (*found.input, *found.value_info, *found.output)
        if all(dim.HasField("dim_value") for dim in each.type.tensor_type.shape.dim)
    }
    return known, max(1, sizes[0].dim_value)


def _of_node(node: NodeProto, weights: dict[str, Shape], shapes: dict[str, Shape]) -> int:
    """Each weight meets every place of the answer that it makes, apart from the dimension that it makes itself."""
    if node.op_type not in ("MatMul", "Gemm", "Conv") or node.domain not in ("", "ai.onnx"):
        return 0
    held, answer = weights[node.input[1]], shapes[node.output[0]]
    places = answer[0] * math.prod(answer[2:]) if node.op_type == "Conv" else math.prod(answer[:-1])
    return math.prod(held) * places
