"""The student as ONNX: from the bits of a key to the logarithm of its probability."""

from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from qstill.contract.errors import Problem
from workers.distillation.artifacts.onnx_file import Form, written
from workers.distillation.artifacts.onnx_session import open_session
from workers.distillation.circuits.distribution.network import BitNetwork, bits_of
from workers.distillation.circuits.distribution.shots import Shots
from workers.run import Run

NAME, INPUT, OUTPUT = "student.onnx", "bits", "log_probability"
COMPARED = 4_096  # different keys that were read, which the file is asked about again
CLOSE = 1e-5  # nats for each bit, between the file and the network


class _OfKeys(nn.Module):
    """(rows,) in nats, single precision, of bits (rows, n), float32 of 0 and 1."""

    def __init__(self, network: BitNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, bits: Tensor) -> Tensor:
        return -softplus((1 - 2 * bits) * self.network(bits)).sum(1)  # log σ(s·x) = -softplus(-s·x)


def publish_onnx(network: BitNetwork, shots: Shots, run: Run) -> dict[str, Any]:
    """Returns what is known of the file. Raises Problem where it does not say what the network says."""
    codes = torch.from_numpy(np.unique(shots.every)[:COMPARED])
    bits = bits_of(codes, shots.bits).float()
    example = torch.cat([bits, bits])[:2]
    content = written(Form(_OfKeys(network), example, INPUT, OUTPUT, None, {}))
    session = open_session(content, run.threads)
    said = torch.from_numpy(session.run([OUTPUT], {INPUT: bits.numpy()})[0]).double()
    with torch.no_grad():
        off = float((said - network.log_probability(bits)).abs().max())
    if off > CLOSE * shots.bits:
        raise Problem("onnx_differs", f"As ONNX the student is off by {off:.2g} nats.", pointer="/export", status=500)
    path = run.scratch / NAME
    path.write_bytes(content)
    meta = {
        "format": "onnx",
        "input": INPUT,
        "output": OUTPUT,
        "bits": shots.bits,
        "bytes": len(content),
        "rows": len(codes),
        "max_difference": off,
        "onnxruntime": version("onnxruntime"),
    }
    run.publish(path, kind="export", name=NAME, media_type="application/octet-stream", meta=meta)
    return {"name": NAME, **meta}
