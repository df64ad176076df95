"""Small ONNX models, made node by node."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, outputs, **attributes)


def model(
    nodes: list[onnx.NodeProto],
    *,
    shape: tuple[int | str, ...] = ("n", 4),
    columns: int | str = 3,
    takes: int = TensorProto.FLOAT,
    besides: Mapping[str, int | str] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
    domains: tuple[str, ...] = (),
    **initializers: Any,
) -> onnx.ModelProto:
    """x to z, through the nodes. takes: the type of x. besides: other outputs and their columns."""
    outputs = {"z": columns, **(besides or {})}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", takes, list(shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name, width in outputs.items()],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in initializers.items()],
    )
    opsets = [helper.make_opsetid(domain, 1 if domain else 17) for domain in ("", *domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=functions or [])
