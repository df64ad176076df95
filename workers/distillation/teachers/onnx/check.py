"""Looking at an ONNX model before anything runs it: its own bytes and nothing else, the standard's operators, bounds.

The format may name other files in every tensor, and tensors hide in initialisers, sparse ones, attributes, subgraphs
and functions; onnxruntime would read what they name. Functions that call functions can double their size with each
line, so they are counted as if they were written out.
"""

import math
from collections.abc import Iterator

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto

from qstill.contract.errors import Problem
from workers.distillation.artifacts import checkpoints
from workers.distillation.data.files.wording import in_words

STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml"})
RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)  # a teacher must say the same thing twice
MAX_NODES = 50_000  # functions written out; a large transformer has some 5,000
MAX_VALUES = 1 << 28  # of one tensor: 1 GiB in single precision
MAX_RANK = 16
MAX_DEPTH = 16  # of graphs within graphs
OLDEST_OPSET = 7  # the first that onnxruntime promises to run

FunctionKey = tuple[str, str]


def read_onnx(content: bytes) -> ModelProto:
    """The model of a file. Raises Problem teacher_invalid."""
    if len(content) > checkpoints.MAX_TEACHER_BYTES:
        raise checkpoints.invalid(f"The file is larger than {checkpoints.MAX_TEACHER_BYTES} bytes.")
    model = ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RecursionError) as error:
        raise checkpoints.invalid("The file is not a whole ONNX model.") from error
    if not model.graph.node or not model.graph.output:
        raise checkpoints.invalid("The file is not a whole ONNX model: it computes nothing.")
    _check_opsets(model)
    functions = {(function.domain, function.name): function for function in model.functions}
    _Count(functions).nodes(_everywhere(model.graph, 0))
    for graph in (model.graph, *(info.initialization for info in model.training_info)):
        _check_graph(graph, functions, 0)
    for function in model.functions:
        for node in function.node:
            _check_node(node, functions, 0)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError, TypeError) as error:
        raise checkpoints.invalid(f"The ONNX model breaks the standard: {in_words(error)}.") from error
    return model


def parameters(model: ModelProto) -> int:
    """How many floating-point values its initialisers hold."""
    floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    return sum(math.prod(tensor.dims) for tensor in model.graph.initializer if tensor.data_type in floats)


def _check_opsets(model: ModelProto) -> None:
    newest = onnx.defs.onnx_opset_version()
    imports = [*model.opset_import, *(each for function in model.functions for each in function.opset_import)]
    for each in imports:
        if each.domain in ("", "ai.onnx") and not OLDEST_OPSET <= each.version <= newest:
            title = f"The model needs operator set {each.version}; {OLDEST_OPSET} to {newest} are run here."
            raise checkpoints.invalid(f"{title} Export it with another opset.")


def _check_graph(graph: GraphProto, functions: dict[FunctionKey, FunctionProto], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise checkpoints.invalid("The model's graphs lie too deep within each other.")
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for sparse in graph.sparse_initializer:
        _check_sparse(sparse)
    for node in graph.node:
        _check_node(node, functions, depth)


def _check_node(node: NodeProto, functions: dict[FunctionKey, FunctionProto], depth: int) -> None:
    if node.domain not in STANDARD and (node.domain, node.op_type) not in functions:
        title = f"Operator {node.op_type[:50]!r} of {node.domain[:50]!r} is not of the ONNX standard."
        raise Problem("teacher_invalid", f"{title} Export the model with standard operators.", pointer="/file")
    if node.domain in STANDARD and node.op_type in RANDOM:
        raise checkpoints.invalid(f"Operator {node.op_type} draws at random: no two answers of such a teacher agree.")
    for attribute in node.attribute:
        for tensor in (attribute.t, *attribute.tensors):
            _check_tensor(tensor)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            _check_sparse(sparse)
        for graph in _graphs(attribute):
            _check_graph(graph, functions, depth + 1)


def _check_sparse(sparse: SparseTensorProto) -> None:
    _check_dims(sparse.dims, "A sparse tensor")
    _check_tensor(sparse.values)
    _check_tensor(sparse.indices)


def _check_tensor(tensor: TensorProto) -> None:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        title = f"Tensor {tensor.name[:100]!r} lies in another file. Save the model as one file, without external data."
        raise Problem("teacher_invalid", title, pointer="/file")
    _check_dims(tensor.dims, f"Tensor {tensor.name[:100]!r}")


def _check_dims(dims: "list[int]", what: str) -> None:
    if len(dims) > MAX_RANK or any(dim < 0 for dim in dims) or math.prod(dims) > MAX_VALUES:
        raise checkpoints.invalid(f"{what} has dimensions {list(dims)[:MAX_RANK]}, more than are read here.")


def _graphs(attribute: AttributeProto) -> Iterator[GraphProto]:
    if attribute.HasField("g"):
        yield attribute.g
    yield from attribute.graphs


def _everywhere(graph: GraphProto, depth: int) -> Iterator[NodeProto]:
    """The nodes of a graph and of the graphs in it."""
    for node in graph.node:
        yield from _with_inner(node, depth)


def _with_inner(node: NodeProto, depth: int) -> Iterator[NodeProto]:
    if depth > MAX_DEPTH:
        raise checkpoints.invalid("The model's graphs lie too deep within each other.")
    yield node
    for attribute in node.attribute:
        for inner in _graphs(attribute):
            yield from _everywhere(inner, depth + 1)


class _Count:
    """Counts nodes as if every function were written out where it is called."""

    def __init__(self, functions: dict[FunctionKey, FunctionProto]) -> None:
        self._functions = functions
        self._sizes: dict[FunctionKey, int | None] = {}  # None while it is being counted

    def nodes(self, nodes: Iterator[NodeProto]) -> int:
        """Raises Problem teacher_invalid for more than MAX_NODES, and for functions that call themselves."""
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            total += self._size(key) if key in self._functions else 1
            if total > MAX_NODES:
                raise checkpoints.invalid(f"The model has more than {MAX_NODES} nodes.")
        return total

    def _size(self, key: FunctionKey) -> int:
        if key not in self._sizes:
            if len(self._sizes) > MAX_NODES:
                raise checkpoints.invalid(f"The model has more than {MAX_NODES} functions.")
            self._sizes[key] = None
            try:
                inner = (each for node in self._functions[key].node for each in _with_inner(node, 0))
                self._sizes[key] = self.nodes(inner)
            except RecursionError as error:
                raise checkpoints.invalid("The model's functions call each other too deeply.") from error
        size = self._sizes[key]
        if size is None:
            raise checkpoints.invalid("The model has a function that calls itself.")
        return size
