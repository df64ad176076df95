"""Writing ONNX: what exports of every kind of network share."""

import contextlib
import io
import json
import logging
import math
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import onnxruntime.quantization as quantization
import torch
from onnxruntime.quantization import CalibrationDataReader
from torch import Tensor, nn

from workers.distillation.artifacts.checkpoints import CARD
from workers.run import Run

FLOAT = {"DefaultTensorType": onnx.TensorProto.FLOAT}  # where a file does not say it, as behind operators of others


@dataclass(frozen=True)
class Form:
    """What a file takes and gives. example: at least two rows of inputs. sides: the largest of each side of one row
    that may vary, by its position; the number of rows always may. card: what its metadata says; None: nothing.
    """

    module: nn.Module
    example: Tensor
    input: str
    output: str
    card: Mapping[str, Any] | None
    sides: Mapping[int, tuple[str, int]]


def written(form: Form) -> bytes:
    """float32, any number of rows; what it is stands in its metadata."""
    varying = {0: torch.export.Dim("batch", min=1)}
    varying |= {side: torch.export.Dim(name, min=1, max=most) for side, (name, most) in form.sides.items()}
    with quietly():
        program = torch.onnx.export(
            form.module.eval(),
            (form.example,),
            dynamo=True,
            dynamic_shapes=(varying,),
            input_names=[form.input],
            output_names=[form.output],
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    _forget_the_exporters_notes(model.graph)
    if form.card is not None:
        onnx.helper.set_model_props(model, {CARD: json.dumps(form.card)})
    return bytes(model.SerializeToString())


def quantised_dynamically(content: bytes, operators: list[str]) -> bytes:
    """The same model with weights of 8 bits in these operators; activations are scaled as they come.

    Weights are unsigned: processors without VNNI add up two signed products in 16 bits, where they saturate.
    """
    with tempfile.TemporaryDirectory() as folder, quietly():
        place = Path(folder) / "int8.onnx"
        model = onnx.load_from_string(content)
        quantization.quantize_dynamic(
            model,
            place,
            weight_type=quantization.QuantType.QUInt8,
            op_types_to_quantize=operators,
            extra_options=FLOAT,
        )
        return place.read_bytes()


def quantised_statically(content: bytes, operators: list[str], calibration: CalibrationDataReader) -> bytes:
    """The same with a scale for each channel of the weights; the ranges of activations are those of `calibration`."""
    with tempfile.TemporaryDirectory() as folder, quietly():
        place = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            onnx.load_from_string(content), place, calibration, per_channel=True, op_types_to_quantize=operators
        )
        return place.read_bytes()


def publish_exports(
    files: Iterable[tuple[str, bytes, dict[str, Any]]], name: str, whose: Mapping[str, Any], run: Run
) -> list[dict[str, Any]]:
    """Hand exports over. files: (ending of the name, content, what is known). Returns what is known, for the report."""
    told = []
    for ending, content, known in files:
        path = run.scratch / f"{name}{ending}"
        path.write_bytes(content)
        meta = {**whose, **known}
        run.publish(path, kind="export", name=path.name, media_type="application/octet-stream", meta=meta)
        told.append({"name": path.name, **meta})
    return told


def notes_of_exports(exports: list[dict[str, Any]]) -> list[str]:
    """What to know of the files. exports: as `publish_exports` returns them."""
    size = {each["format"]: each["bytes"] for each in exports}
    if size.get("onnx_int8", 0) <= size.get("onnx", math.inf):
        return []
    return [
        f"As onnx_int8 the student takes {size['onnx_int8']:,} bytes, and as onnx {size['onnx']:,}: with so few "
        "weights, what describes the scales of 8 bits is larger than what they save."
    ]


def _forget_the_exporters_notes(graph: onnx.GraphProto) -> None:
    """They name files and lines of Python, and are half of a small model."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """The exporter and the quantiser talk about themselves, by every way there is."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
