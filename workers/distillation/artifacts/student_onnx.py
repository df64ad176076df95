"""A student as ONNX, in float32 and in int8. What is said of a file was measured by running that file.

session = onnxruntime.InferenceSession("student-seed-0.onnx")
logits = session.run(["logits"], {"inputs": raw_rows})[0]  # float32 rows as they were uploaded; any number of them
values = session.run(["values"], {"inputs": raw_rows})[0]  # regression: a column for each target, in its unit
logits = session.run(["logits"], {"tokens": tokens})[0]  # text: int64 (batch, length), numbers of tokenizer.json
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader
from torch import Tensor

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.family import ExportFormat
from workers.distillation.artifacts.clock import timed
from workers.distillation.artifacts.onnx_file import Form, quantised_dynamically, quantised_statically, written
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.data.dataset import Data
from workers.distillation.data.files.table import Array
from workers.distillation.inputs.text import Text
from workers.distillation.inputs.values import Values
from workers.distillation.networks.answers import logits_of, rows_at_once
from workers.distillation.networks.families import family_of
from workers.distillation.networks.network import Network
from workers.distillation.rows import Rows
from workers.distillation.tasks.task import Block

INPUTS, LOGITS = Values.file_input, "logits"
BATCH_ROWS = 256  # of one run: bounds the activations
CALIBRATION_ROWS = 256  # of the training split; ranges hardly change with more


def to_onnx(network: Network, data: Data, architecture: AnyArchitecture | None) -> bytes:
    """float32, any number of rows, the standardisation its first layer.

    What it is stands in its metadata; architecture None: nothing stands there, only the computation.
    """
    example = torch.cat([data.train.raw[:1]] * 2)
    card = None if architecture is None else {"architecture": architecture.model_dump(mode="json"), **_takes(data)}
    module = data.task.exported(data.inputs.from_raw(network, data.standardisation))
    varying = data.inputs.varying(data.input_shape)
    return written(Form(module, example, data.inputs.file_input, data.task.answers, card, varying))


def _takes(data: Data) -> dict[str, Any]:
    """What the card of a file says of its inputs and outputs."""
    return {**data.inputs.file_card(data.input_shape), **data.task.outputs()}


def to_int8(content: bytes, architecture: AnyArchitecture, calibration: Tensor) -> bytes:
    """The same model with weights of 8 bits.

    Dynamically where its family says so: activations are scaled as they come. Statically otherwise, a scale for each
    channel of the weights; the ranges of activations are those of `calibration`, raw rows.
    """
    if operators := family_of(architecture).scaled_as_they_come:
        return quantised_dynamically(content, [*operators])
    return quantised_statically(content, ["Conv", "MatMul", "Gemm"], CalibrationRows(calibration))


class CalibrationRows(CalibrationDataReader):  # type: ignore[misc]
    """Raw rows for the quantiser, batch after batch."""

    def __init__(self, raw: Tensor) -> None:
        self._batches = iter([{INPUTS: part.numpy()} for part in torch.split(raw, BATCH_ROWS)])

    def get_next(self) -> dict[str, Array] | None:
        return next(self._batches, None)


def calibration_rows(data: Data) -> Tensor:
    """Raw training rows, evenly chosen, whose ranges stand for all."""
    return data.train.raw[:: max(1, len(data.train.raw) // CALIBRATION_ROWS)][:CALIBRATION_ROWS]


def onnx_logits(content: bytes, raw: Tensor, threads: int) -> Tensor:
    """What a file says about raw inputs (rows, ...): (answers, classes), a row's tokens after one another."""
    session, at_once = open_session(content, threads), min(BATCH_ROWS, rows_at_once(raw))
    return torch.cat([_answers(session, part) for part in torch.split(raw, at_once)])


def _answers(session: ort.InferenceSession, raw: Tensor) -> Tensor:
    return torch.from_numpy(session.run(None, {_input_of(raw): raw.numpy()})[0]).flatten(0, -2)


def _input_of(raw: Tensor) -> str:
    return INPUTS if raw.is_floating_point() else Text.file_input


def described(content: bytes, network: Network, data: Data, threads: int) -> dict[str, Any]:
    """What running a file shows, beside the network that it came from: on the test rows, as JSON."""
    session, one = open_session(content, threads), data.test.raw[:1]
    return {
        "bytes": len(content),
        **data.task.of_file(_blocks(session, network, data.test)),
        "rows": len(data.test.y),
        "latency": asdict(timed(lambda: _answers(session, one))),
        "onnxruntime": version("onnxruntime"),
    }


def _blocks(session: ort.InferenceSession, network: Network, rows: Rows) -> Iterator[Block]:
    """A file's answers and its network's, some rows at once."""
    at_once = min(BATCH_ROWS, rows_at_once(rows.raw))
    for first in range(0, len(rows.y), at_once):
        some = rows.some(slice(first, first + at_once))
        whole = replace(some, answered=None)  # a file answers every token
        yield _answers(session, some.raw), logits_of(network, some.x), whole.labels


def onnx_files(
    wanted: Sequence[ExportFormat], network: Network, architecture: AnyArchitecture, data: Data, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it) of each format that is wanted and is ONNX."""
    if not any(each.startswith("onnx") for each in wanted):
        return
    content = to_onnx(network, data, architecture)
    takes = {"input": _input_of(data.train.raw), "input_shape": list(data.input_shape), "output": data.task.answers}
    takes |= data.inputs.file_meta()
    if "onnx" in wanted:
        yield ".onnx", content, {"format": "onnx", **takes, **described(content, network, data, threads)}
    if "onnx_int8" in wanted:
        calibration = calibration_rows(data)
        small = to_int8(content, architecture, calibration)
        dynamic = family_of(architecture).scaled_as_they_come is not None
        how: dict[str, Any] = {"quantisation": "dynamic" if dynamic else "static"}
        if not dynamic:
            how["calibration_rows"] = len(calibration)
        yield ".int8.onnx", small, {"format": "onnx_int8", **takes, **how, **described(small, network, data, threads)}
