"""A student as ONNX, in float32 and in int8. What is said of a file was measured by running that file.

session = onnxruntime.InferenceSession("student-seed-0.onnx")
logits = session.run(["logits"], {"inputs": raw_rows})[0]  # float32 rows as they were uploaded; any number of them
values = session.run(["values"], {"inputs": raw_rows})[0]  # regression: a column for each target, in its unit
logits = session.run(["logits"], {"tokens": tokens})[0]  # text: int64 (batch, length), numbers of tokenizer.json
"""

from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.family import ExportFormat
from workers.distillation.artifacts.clock import timed
from workers.distillation.artifacts.onnx_file import Form, quantised_dynamically, quantised_statically, written
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.data.dataset import Data, Text
from workers.distillation.data.files.table import Array
from workers.distillation.networks.answers import logits_of, rows_at_once
from workers.distillation.networks.families import family_of
from workers.distillation.networks.network import Network
from workers.distillation.networks.tokens import END, MASK, PAD, UNKNOWN_TOKEN
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.quality import LEAST_PROBABILITY_LOG
from workers.distillation.rows import Standardisation
from workers.distillation.tasks.targets import Targets, correlation, errors

INPUTS, TOKENS, LOGITS, VALUES = "inputs", "tokens", "logits", "values"
TOKENIZER_FILE = "tokenizer.json"  # published beside the exports; all students of a job share it
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


class InUnits(nn.Module):
    """A network of regression that takes rows as they were uploaded and answers in the units of the targets."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Network, standardisation: Standardisation, targets: Targets) -> None:
        super().__init__()
        self.raw = Raw(network, standardisation)
        self.register_buffer("mean", targets.mean.float())
        self.register_buffer("std", targets.std.float())

    def forward(self, raw: Tensor) -> Tensor:
        """Values (batch, targets)."""
        return self.raw(raw) * self.std + self.mean  # type: ignore[no-any-return]


class EveryToken(nn.Module):
    """A language model whose answers stand where their tokens do: (batch, length) to (batch, length, vocabulary)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits."""
        return self.network(tokens).unflatten(0, tokens.shape)  # type: ignore[no-any-return]


def to_onnx(network: Network, data: Data, architecture: AnyArchitecture | None) -> bytes:
    """float32, any number of rows, the standardisation its first layer.

    What it is stands in its metadata; architecture None: nothing stands there, only the computation.
    """
    example = torch.cat([data.train.raw[:1]] * 2)
    card = None if architecture is None else {"architecture": architecture.model_dump(mode="json"), **_takes(data)}
    if data.text is not None:
        module = EveryToken(network) if data.language else network
        return written(Form(module, example, TOKENS, LOGITS, card, {1: ("length", data.input_shape[0])}))
    if data.targets is not None:
        return written(Form(InUnits(network, data.standardisation, data.targets), example, INPUTS, VALUES, card, {}))
    return written(Form(Raw(network, data.standardisation), example, INPUTS, LOGITS, card, {}))


def _takes(data: Data) -> dict[str, Any]:
    """What the card of a file says of its inputs and outputs."""
    if data.text is not None:
        return _takes_tokens(data, data.text)
    takes = {"inputs": "raw: the standardisation is the model's first layer", "input_shape": list(data.input_shape)}
    if data.targets is not None:
        return {**takes, "outputs": "values, one column a target, in its unit", "targets": data.targets.names}
    return {**takes, "outputs": "logits, one column a class", "classes": data.classes}


def _takes_tokens(data: Data, text: Text) -> dict[str, Any]:
    which = "stands at" if data.masked else "follows"
    answers: dict[str, Any] = {"outputs": "logits, one column a class", "classes": data.classes}
    if data.language:
        said = f"logits (batch, length, vocabulary): of the token that {which} each; at padding they mean nothing"
        answers = {"outputs": said} | ({"mask": MASK} if data.masked else {})
    return {
        "inputs": "tokens (batch, length), int64, by their numbers in the tokenizer; short rows are filled up at their "
        "end with the padding token, which changes no answer",
        "max_length": data.input_shape[0],
        "tokenizer": {
            "file": TOKENIZER_FILE,
            "sha256": text.digest,
            "library": "tokenizers; a text that spells a special token out means letters: encode_special_tokens = True",
        },
        "padding": PAD,
        "unknown": UNKNOWN_TOKEN,
        "end_of_text": END,
        **answers,
    }


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
    return INPUTS if raw.is_floating_point() else TOKENS


def described(content: bytes, network: Network, data: Data, threads: int) -> dict[str, Any]:
    """What running a file shows, beside the network that it came from: on the test rows, as JSON."""
    session, one = open_session(content, threads), data.test.raw[:1]
    measured = _measured if data.targets is None else _measured_numbers
    return {
        "bytes": len(content),
        **measured(session, network, data),
        "rows": len(data.test.y),
        "latency": asdict(timed(lambda: _answers(session, one))),
        "onnxruntime": version("onnxruntime"),
    }


def _measured_numbers(session: ort.InferenceSession, network: Network, data: Data) -> dict[str, Any]:
    """Of regression. In units of the targets, of several in standard deviations, as in the report."""
    assert data.targets is not None
    expected = logits_of(network, data.test.x)
    answers = torch.cat([_answers(session, part) for part in torch.split(data.test.raw, BATCH_ROWS)])
    found = data.targets.standardised(answers)
    files, networks = (errors(each, data.test.y, expected, data.targets) for each in (found, expected))
    return {
        "rmse": files.rmse,
        "pytorch_rmse": networks.rmse,
        "r2": files.r2,
        "max_logit_difference": float((answers - data.targets.in_units(expected)).abs().max()),
        "agreement": correlation(found, expected),
    }


def _measured(session: ort.InferenceSession, network: Network, data: Data) -> dict[str, Any]:
    """Losses in nats, of a token for language models. Block by block: a language model answers every token."""
    rows, at_once = data.test, min(BATCH_ROWS, rows_at_once(data.test.raw))
    right, expected_right, agree, losses, expected_losses, furthest = [], [], [], [], [], 0.0
    for raw, x, labels in zip(*(torch.split(part, at_once) for part in (rows.raw, rows.x, rows.y)), strict=True):
        known = labels.flatten() != UNKNOWN
        answers, y = labels.flatten()[known], _answers(session, raw)[known]
        expected = logits_of(network, x)[known]
        right.append(y.argmax(1) == answers)
        expected_right.append(expected.argmax(1) == answers)
        agree.append(y.argmax(1) == expected.argmax(1))
        losses.append(_losses(y, answers))
        expected_losses.append(_losses(expected, answers))
        furthest = max(furthest, float((y - expected).abs().max()) if len(y) else 0.0)
    return {
        "accuracy": _mean(right),
        "pytorch_accuracy": _mean(expected_right),
        "negative_log_likelihood": _mean(losses),
        "pytorch_negative_log_likelihood": _mean(expected_losses),
        "max_logit_difference": furthest,
        "agreement": _mean(agree),
    }


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """(answers,) negative log-likelihoods in nats, as the report has them."""
    log_p = log_softmax(logits.double(), dim=1).clamp(min=LEAST_PROBABILITY_LOG)
    return -log_p.gather(1, labels[:, None])[:, 0]


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean())


def exported(
    wanted: list[ExportFormat], network: Network, architecture: AnyArchitecture, data: Data, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it) of each format that is wanted."""
    if not wanted:
        return
    content = to_onnx(network, data, architecture)
    takes = {"input": _input_of(data.train.raw), "input_shape": list(data.input_shape), "output": LOGITS}
    takes |= {} if data.targets is None else {"output": VALUES}
    takes |= {"standardisation": "inside"} if data.text is None else {"tokenizer": TOKENIZER_FILE}
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
