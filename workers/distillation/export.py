"""A student as ONNX, in float32 and in int8. What is said of a file was measured by running that file.

session = onnxruntime.InferenceSession("student-seed-0.onnx")
logits = session.run(["logits"], {"inputs": raw_rows})[0]  # float32 rows as they were uploaded; any number of them
"""

import contextlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime.quantization as quantization  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from app.distillations.architectures import AnyArchitecture, Mlp, Vit
from app.distillations.schemas import ExportFormat
from workers.distillation.checkpoints import CARD
from workers.distillation.data import Data, Standardisation
from workers.distillation.evaluate import agreement, timed
from workers.distillation.networks.network import Network
from workers.distillation.read import Array
from workers.distillation.students import logits_of
from workers.distillation.teachers.onnx_model import open_session

INPUTS, LOGITS = "inputs", "logits"
BATCH_ROWS = 256  # of one run: bounds the activations
CALIBRATION_ROWS = 256  # of the training split; ranges hardly change with more


class Raw(nn.Module):
    """A network behind its standardisation: raw inputs (batch, ...) to logits (batch, classes).

    The mean is subtracted in two parts of single precision, so that inputs far from zero lose nothing by it.
    """

    mean: Tensor
    rest: Tensor
    std: Tensor

    def __init__(self, network: Network, standardisation: Standardisation) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", standardisation.mean.float())
        self.register_buffer("rest", (standardisation.mean - standardisation.mean.float().double()).float())
        self.register_buffer("std", standardisation.std.float())

    def forward(self, raw: Tensor) -> Tensor:
        """Logits."""
        return self.network((raw - self.mean - self.rest) / self.std)  # type: ignore[no-any-return]


def to_onnx(network: Network, data: Data, architecture: AnyArchitecture) -> bytes:
    """float32, any number of rows, the standardisation its first layer; what it is stands in its metadata."""
    example = data.train.raw[:2]
    with _quietly():
        program = torch.onnx.export(
            Raw(network, data.standardisation).eval(),
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            input_names=[INPUTS],
            output_names=[LOGITS],
            verbose=False,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    _forget_the_exporters_notes(model.graph)
    card = {
        "inputs": "raw: the standardisation is the model's first layer",
        "input_shape": list(data.input_shape),
        "outputs": "logits, one column a class",
        "classes": data.classes,
        "architecture": architecture.model_dump(mode="json"),
    }
    onnx.helper.set_model_props(model, {CARD: json.dumps(card)})
    return bytes(model.SerializeToString())


def to_int8(content: bytes, architecture: AnyArchitecture, calibration: Tensor) -> bytes:
    """The same model with weights of 8 bits.

    Networks of matrix products are quantised dynamically: activations are scaled as they come. Convolutional ones
    statically, a scale for each channel of the weights; the ranges of activations are those of `calibration`, raw rows.
    """
    with tempfile.TemporaryDirectory() as folder, _quietly():
        place = Path(folder) / "int8.onnx"
        if quantised_dynamically(architecture):
            kind = quantization.QuantType.QInt8
            model = onnx.load_from_string(content)
            quantization.quantize_dynamic(model, place, weight_type=kind, op_types_to_quantize=["MatMul"])
        else:
            quantization.quantize_static(
                onnx.load_from_string(content),
                place,
                _Rows(calibration),
                per_channel=True,
                op_types_to_quantize=["Conv", "MatMul", "Gemm"],
            )
        return place.read_bytes()


def quantised_dynamically(architecture: AnyArchitecture) -> bool:
    """Whether the activations' scales are found anew for every batch."""
    return isinstance(architecture, Mlp | Vit)


def onnx_logits(content: bytes, raw: Tensor, threads: int) -> Tensor:
    """What a file says about raw inputs (rows, ...): (rows, classes)."""
    session = open_session(content, threads)
    parts = [session.run([LOGITS], {INPUTS: part.numpy()})[0] for part in torch.split(raw, BATCH_ROWS)]
    return torch.from_numpy(np.concatenate(parts))


def described(content: bytes, network: Network, data: Data, threads: int) -> dict[str, Any]:
    """What running a file shows, beside the network that it came from: on the test rows, as JSON."""
    rows = data.test
    expected, found = logits_of(network, rows.x), onnx_logits(content, rows.raw, threads)
    session, one = open_session(content, threads), rows.raw[:1].numpy()
    return {
        "bytes": len(content),
        "accuracy": float((found.argmax(1) == rows.y).double().mean()),
        "pytorch_accuracy": float((expected.argmax(1) == rows.y).double().mean()),
        "max_logit_difference": float((found - expected).abs().max()),
        "agreement": agreement(found, expected),
        "rows": len(rows.y),
        "latency": asdict(timed(lambda: session.run([LOGITS], {INPUTS: one}))),
        "onnxruntime": version("onnxruntime"),
    }


def exported(
    wanted: list[ExportFormat], network: Network, architecture: AnyArchitecture, data: Data, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it) of each format that is wanted."""
    if not wanted:
        return
    content = to_onnx(network, data, architecture)
    takes = {"input": INPUTS, "input_shape": list(data.input_shape), "output": LOGITS, "standardisation": "inside"}
    if "onnx" in wanted:
        yield ".onnx", content, {"format": "onnx", **takes, **described(content, network, data, threads)}
    if "onnx_int8" in wanted:
        calibration = data.train.raw[:: max(1, len(data.train.raw) // CALIBRATION_ROWS)][:CALIBRATION_ROWS]
        small = to_int8(content, architecture, calibration)
        dynamic = quantised_dynamically(architecture)
        how: dict[str, Any] = {"quantisation": "dynamic" if dynamic else "static"}
        if not dynamic:
            how["calibration_rows"] = len(calibration)
        yield ".int8.onnx", small, {"format": "onnx_int8", **takes, **how, **described(small, network, data, threads)}


class _Rows(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, raw: Tensor) -> None:
        self._batches = iter([{INPUTS: part.numpy()} for part in torch.split(raw, BATCH_ROWS)])

    def get_next(self) -> dict[str, Array] | None:
        return next(self._batches, None)


def _forget_the_exporters_notes(graph: onnx.GraphProto) -> None:
    """They name files and lines of Python, and are half of a small model."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter and the quantiser talk about themselves, by every way there is."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
