"""A student as ONNX, in float32 and in int8. What is said of a file was measured by running that file.

session = onnxruntime.InferenceSession("student-seed-0.onnx")
logits = session.run(["logits"], {"inputs": raw_rows})[0]  # float32 rows as they were uploaded; any number of them
values = session.run(["values"], {"inputs": raw_rows})[0]  # regression: a column for each target, in its unit
logits = session.run(["logits"], {"tokens": tokens})[0]  # text: int64 (batch, length), numbers of tokenizer.json
logits = session.run(["logits"], columns)[0]  # a table with words: see column_graph.py
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
from workers.distillation.artifacts.column_graph import column_inputs, with_columns
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
from workers.distillation.stored.rows import blocks_of
from workers.distillation.tables.frame import fed
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
    return torch.cat([_answers(session, part) for part in blocks_of(raw, at_once)])


def _answers(session: ort.InferenceSession, raw: Tensor) -> Tensor:
    return _said(session, {_input_of(raw): raw.numpy()})


def _said(session: ort.InferenceSession, given: dict[str, Array]) -> Tensor:
    return torch.from_numpy(session.run(None, given)[0]).flatten(0, -2)


def given_to(session: ort.InferenceSession, data: Data, rows: Rows) -> dict[str, Array]:
    """Rows as a file takes them: the cells of a table whose columns are encoded inside, or raw inputs."""
    if data.columns is None or data.columns.encoding is None:
        return {_input_of(rows.raw): rows.raw.numpy()}
    frame = data.columns.frame.some(rows.index.numpy())
    return {
        each.input: fed(frame.columns[each.column], each.numpy_type)
        for each in column_inputs(data.columns.encoding, [each.name for each in session.get_outputs()])
    }


def _input_of(raw: Tensor) -> str:
    return INPUTS if raw.is_floating_point() else Text.file_input


def described(content: bytes, network: Network, data: Data, threads: int) -> dict[str, Any]:
    """What running a file shows, beside the network that it came from: on the test rows, as JSON."""
    session = open_session(content, threads)
    one = given_to(session, data, data.test.some(slice(0, 1)))
    return {
        "bytes": len(content),
        **data.task.of_file(_blocks(session, network, data)),
        "rows": len(data.test.y),
        "latency": asdict(timed(lambda: _said(session, one))),
        "onnxruntime": version("onnxruntime"),
    }


def _blocks(session: ort.InferenceSession, network: Network, data: Data) -> Iterator[Block]:
    """A file's answers to the test rows and its network's, some rows at once."""
    rows = data.test
    at_once = min(BATCH_ROWS, rows_at_once(rows.raw))
    for first in range(0, len(rows.y), at_once):
        some = rows.some(slice(first, first + at_once))
        whole = replace(some, answered=None)  # a file answers every token
        yield _said(session, given_to(session, data, some)), logits_of(network, some.x), whole.labels


def onnx_files(
    wanted: Sequence[ExportFormat], network: Network, architecture: AnyArchitecture, data: Data, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it) of each format that is wanted and is ONNX."""
    if not any(each.startswith("onnx") for each in wanted):
        return
    content, encoding = to_onnx(network, data, architecture), data.encoding
    takes: dict[str, Any] = {"input": _input_of(data.train.raw), "input_shape": list(data.input_shape)}
    takes |= {"output": data.task.answers, **data.inputs.file_meta()}
    if encoding is not None:
        takes["columns"] = [each.model_dump() for each in column_inputs(encoding, [data.task.answers])]
    if "onnx" in wanted:
        whole = content if encoding is None else with_columns(content, encoding)
        yield ".onnx", whole, {"format": "onnx", **takes, **described(whole, network, data, threads)}
    if "onnx_int8" in wanted:
        calibration = calibration_rows(data)
        small = to_int8(content, architecture, calibration)
        small = small if encoding is None else with_columns(small, encoding)
        dynamic = family_of(architecture).scaled_as_they_come is not None
        how: dict[str, Any] = {"quantisation": "dynamic" if dynamic else "static"}
        if not dynamic:
            how["calibration_rows"] = len(calibration)
        yield ".int8.onnx", small, {"format": "onnx_int8", **takes, **how, **described(small, network, data, threads)}
