"""Weights of 4 bits, activations in float32.

Along the inputs of each unit, groups of GROUP weights share a scale, their largest size over 7, and are kept as whole
numbers from -7 to 7, two in a byte, the first in the lower half. So 0 stays 0, no weight moves by more than half a
step, and quantising again changes nothing. Matrices become onnxruntime's MatMulNBits, which holds 8 more than that
number; filters, ONNX's own DequantizeLinear in groups. Biases and normalisation stay in float32.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper
from onnxruntime.quantization.onnx_model import ONNXModel

GROUP = 32  # weights a scale: 5 bits a weight in all
LARGEST = 7
ZERO = 8  # what MatMulNBits holds for 0
OPSET = 21  # the first in which DequantizeLinear takes groups of 4 bits

Codes = NDArray[np.int8]
Floats = NDArray[np.float32]


def grouped(weights: Floats) -> tuple[Codes, Floats]:
    """(units, inputs) as codes (units, groups, GROUP), the last group filled up with 0, and scales (units, groups)."""
    units, inputs = weights.shape
    groups = -(-inputs // GROUP)
    parts = np.pad(weights, ((0, 0), (0, groups * GROUP - inputs))).reshape(units, groups, GROUP)
    scales = (np.abs(parts).max(axis=2) / LARGEST).astype(np.float32)
    steps = np.divide(parts, scales[:, :, None], out=np.zeros_like(parts), where=scales[:, :, None] > 0)
    return np.clip(np.rint(steps), -LARGEST, LARGEST).astype(np.int8), scales


def in_bytes(codes: Codes) -> NDArray[np.uint8]:
    """The lower halves of the codes, two in a byte, along the last axis, whose length is even."""
    halves = codes.astype(np.uint8) & np.uint8(0xF)
    return halves[..., ::2] | (halves[..., 1::2] << np.uint8(4))


def to_int4(content: bytes) -> bytes:
    """The model with all constant matrices and filters of 4 bits. What is quantised already stays as it is."""
    wrapped = ONNXModel(onnx.load_from_string(content))
    wrapped.replace_gemm_with_matmul()
    model: onnx.ModelProto = wrapped.model
    constants = {each.name: each for each in model.graph.initializer}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        held = constants.get(node.input[1]) if len(node.input) > 1 else None
        if node.op_type == "MatMul" and held is not None and len(held.dims) == 2:
            nodes.append(_matrix(node, numpy_helper.to_array(held), model.graph))
        elif node.op_type == "Conv" and held is not None:
            nodes += _filters(node, numpy_helper.to_array(held), model.graph)
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _forget_unused(model.graph)
    if any(node.op_type == "MatMulNBits" for node in nodes):
        _import(model, "com.microsoft", 1)
    if any(node.op_type == "DequantizeLinear" for node in nodes):
        _import(model, "", OPSET)
    return bytes(model.SerializeToString())


def _matrix(node: NodeProto, weights: Floats, graph: GraphProto) -> NodeProto:
    inputs, units = weights.shape
    codes, scales = grouped(np.ascontiguousarray(weights.T))
    name = f"{node.input[1]}.int4"
    graph.initializer.append(numpy_helper.from_array(in_bytes(codes + np.int8(ZERO)), name))
    graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], name, f"{name}.scales"],
        node.output,
        domain="com.microsoft",
        K=inputs,
        N=units,
        bits=4,
        block_size=GROUP,
    )


def _filters(node: NodeProto, weights: Floats, graph: GraphProto) -> list[NodeProto]:
    units, inputs = len(weights), int(np.prod(weights.shape[1:]))
    codes, scales = grouped(weights.reshape(units, inputs))
    flat = codes.reshape(units, -1)[:, :inputs].reshape(-1)
    name = f"{node.input[1]}.int4"
    packed = in_bytes(np.pad(flat, (0, len(flat) % 2))).tobytes()
    graph.initializer.append(helper.make_tensor(name, TensorProto.INT4, [units, inputs], packed, raw=True))
    graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scales"))
    graph.initializer.append(numpy_helper.from_array(np.array(weights.shape, dtype=np.int64), f"{name}.shape"))
    filters = NodeProto()
    filters.CopyFrom(node)
    filters.input[1] = f"{name}.filters"
    return [
        helper.make_node("DequantizeLinear", [name, f"{name}.scales"], [f"{name}.flat"], axis=1, block_size=GROUP),
        helper.make_node("Reshape", [f"{name}.flat", f"{name}.shape"], [f"{name}.filters"]),
        filters,
    ]


def _forget_unused(graph: GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _import(model: onnx.ModelProto, domain: str, version: int) -> None:
    for each in model.opset_import:
        if each.domain == domain:
            each.version = max(each.version, version)
            return
    model.opset_import.append(helper.make_opsetid(domain, version))
