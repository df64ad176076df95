"""An encoder as ONNX, from numbers of tokens to vectors. What is said of a file was measured by running it.

session = onnxruntime.InferenceSession("student-seed-0.onnx")
vectors = session.run(["sentence_embedding"], {"input_ids": numbers})[0]  # int64 (batch, tokens), short ones filled up
"""

from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from workers.distillation.artifacts.clock import timed
from workers.distillation.artifacts.onnx_file import Form, written
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.embeddings.metrics import Judge
from workers.distillation.networks.pretrained.encoder import TextEncoder, trimmed

TOKENS, VECTORS = "input_ids", "sentence_embedding"
ROWS_AT_ONCE = 64


def exported(
    network: TextEncoder, tokens: Tensor, longest: int, judge: Judge, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it). tokens: of the test sentences, on which it is run.
    longest: tokens that a row may have.
    """
    padding = network.form.pad
    card = {
        "inputs": f"{TOKENS} (batch, tokens), int64: numbers of tokens, filled up with {padding}",
        "outputs": f"{VECTORS} (batch, {network.width})",
    }
    content = written(Form(network, trimmed(tokens[:2], padding), TOKENS, VECTORS, card, {1: ("tokens", longest)}))
    session = open_session(content, threads)

    def run(some: Tensor) -> Tensor:
        return torch.from_numpy(session.run([VECTORS], {TOKENS: trimmed(some, padding).numpy()})[0])

    found, own = torch.cat([run(some) for some in torch.split(tokens, ROWS_AT_ONCE)]), network.vectors(tokens)
    known = {
        "format": "onnx",
        "bytes": len(content),
        "input": TOKENS,
        "output": VECTORS,
        "tokens": longest,
        "padding": padding,
        "rows": len(tokens),
        "spearman": judge.spearman(found),
        "max_difference": float((found - own).abs().max()),
        "latency": asdict(timed(lambda: run(tokens[:1]))),
        "onnxruntime": version("onnxruntime"),
    }
    yield ".onnx", content, known
