"""What is mostly one value is stored as the other values and where they are: by a bitmap, or by the gaps between them.

A tensor of n values of b bytes each, m of them other than the commonest, takes ⌈n/8⌉ + (m + 1)·b bytes by the bitmap,
and (m + f + 1)·(b + 1) by gaps of one byte, f of which are stops on the way across a gap longer than 255.
The file stays an ONNX file that needs nothing to be read: functions in it put the tensor together again, which
onnxruntime does once, when it loads the file. What it then computes is what it computed of the file before, as fast.
"""

from collections.abc import Callable

import numpy as np
import onnx
import onnx.parser
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from workers.distillation.data.files.table import Array

DOMAIN = "qstill"
LEAST_SAVING = 160  # bytes: about what the node and the names of a stored tensor take
PACKED = (TensorProto.FLOAT, TensorProto.INT8, TensorProto.UINT8)
STORED = (".bitmap", ".gaps", ".values")  # endings of what is packed already
LONGEST_GAP = 255

Bytes = NDArray[np.uint8]
Places = Callable[[Array, NDArray[np.bool_]], tuple[Bytes, Array]]

FUNCTIONS = {
    "bitmap": """<opset_import: ["" : {opset}], domain: "qstill">
FromBitmap (bitmap, values, shape) => (tensor) {{
  powers = Constant<value = uint8[8] {{1, 2, 4, 8, 16, 32, 64, 128}}>()
  two = Constant<value = uint8 {{2}}>()
  axis = Constant<value = int64 {{0}}>()
  first = Constant<value = int64[1] {{0}}>()
  last = Constant<value = int64[1] {{-1}}>()
  bytes = Unsqueeze(bitmap, last)
  shifted = Div(bytes, powers)
  bits = Mod(shifted, two)
  numbers = Cast<to = 6>(bits)
  given = Reshape(numbers, last)
  rank = CumSum(given, axis)
  place = Mul(rank, given)
  flat = Gather(values, place)
  size = ReduceProd<keepdims = 1>(shape)
  whole = Slice(flat, first, size)
  tensor = Reshape(whole, shape)
}}""",
    "gaps": """<opset_import: ["" : {opset}], domain: "qstill">
FromGaps (gaps, values, shape) => (tensor) {{
  axis = Constant<value = int64 {{0}}>()
  zero = Constant<value = int64[1] {{0}}>()
  one = Constant<value = int64[1] {{1}}>()
  steps = Cast<to = 6>(gaps)
  place = CumSum(steps, axis)
  size = ReduceProd<keepdims = 1>(shape)
  end = Add(size, one)
  common = Slice(values, zero, one)
  empty = Expand(common, end)
  flat = ScatterElements<axis = 0>(empty, place, values)
  whole = Slice(flat, one, end)
  tensor = Reshape(whole, shape)
}}""",
}


def packed(content: bytes) -> bytes:
    """The same model with every tensor stored the shortest way. What is packed already stays as it is."""
    model = onnx.load_from_string(content)
    del model.graph.value_info[:]  # shapes between layers, which follow from the rest
    plain = bytes(model.SerializeToString())
    nodes: list[NodeProto] = []
    kept: list[TensorProto] = []
    used: set[str] = set()
    for tensor in model.graph.initializer:
        found = None if tensor.name.endswith(STORED) else _shorter(tensor)
        if found is None:
            kept.append(tensor)
            continue
        way, parts = found
        kept += parts
        used.add(way)
        nodes.append(helper.make_node(_function(way), [part.name for part in parts], [tensor.name], domain=DOMAIN))
    if not nodes:
        return plain
    _replace(model, kept, nodes, used)
    return min(plain, bytes(model.SerializeToString()), key=len)  # a small file may not be worth its functions


def by_bitmap(flat: Array, others: NDArray[np.bool_]) -> tuple[Bytes, Array]:
    """(bitmap, values): a bit for each place, lowest first; the commonest value, then the others in their order."""
    return np.packbits(others, bitorder="little"), np.concatenate([_common(flat, others), flat[others]])


def by_gaps(flat: Array, others: NDArray[np.bool_]) -> tuple[Bytes, Array]:
    """(gaps, values): from a place before the first to each other value; first a gap of 0 for the commonest value."""
    places = np.flatnonzero(others) + 1
    gaps = np.diff(places, prepend=0)
    stops = (gaps - 1) // LONGEST_GAP  # on the way, where the commonest value is put once more
    after = np.cumsum(stops) + np.arange(len(gaps))  # where each value comes to stand
    common = _common(flat, others)
    steps = np.full(int(stops.sum()) + len(gaps) + 1, LONGEST_GAP, dtype=np.uint8)
    values = np.repeat(common, len(steps))
    steps[0] = 0
    steps[after + 1], values[after + 1] = gaps - stops * LONGEST_GAP, flat[others]
    return steps, values


WAYS: dict[str, Places] = {"bitmap": by_bitmap, "gaps": by_gaps}


def _shorter(tensor: TensorProto) -> tuple[str, list[TensorProto]] | None:
    """(way, its parts) of a tensor, or None where none is shorter."""
    if tensor.data_type not in PACKED:
        return None
    whole = numpy_helper.to_array(tensor)
    if whole.nbytes <= LEAST_SAVING:
        return None
    flat = whole.reshape(-1)
    found, counts = np.unique(flat, return_counts=True)
    others = flat != found[counts.argmax()]
    way, (places, values) = min(
        ((way, store(flat, others)) for way, store in WAYS.items()),
        key=lambda each: sum(part.nbytes for part in each[1]),
    )
    if places.nbytes + values.nbytes + LEAST_SAVING >= whole.nbytes:
        return None
    shape = np.array(whole.shape, dtype=np.int64)
    parts = {way: places, "values": values, "shape": shape}
    return way, [numpy_helper.from_array(part, f"{tensor.name}.{name}") for name, part in parts.items()]


def _common(flat: Array, others: NDArray[np.bool_]) -> Array:
    """(1,), the value where the others are not."""
    return flat[~others][:1]


def _function(way: str) -> str:
    return f"From{way.capitalize()}"


def _replace(model: ModelProto, tensors: list[TensorProto], nodes: list[NodeProto], used: set[str]) -> None:
    del model.graph.initializer[:]
    model.graph.initializer.extend(tensors)
    after = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *after])
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    there = {each.name for each in model.functions}
    for way in sorted(used):
        if _function(way) not in there:
            model.functions.append(onnx.parser.parse_function(FUNCTIONS[way].format(opset=opset)))
    if not any(each.domain == DOMAIN for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
