"""A student in every format that a job asks for."""

from collections.abc import Iterator, Sequence
from typing import Any

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.architectures.family import ExportFormat
from workers.distillation.artifacts.student_circuit import circuit_files
from workers.distillation.artifacts.student_onnx import onnx_files
from workers.distillation.data.dataset import Data
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.network import Network


def exported(
    wanted: Sequence[ExportFormat], network: Network, architecture: AnyArchitecture, data: Data, name: str, threads: int
) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(ending of the name, file, what is known of it). name: of the student's files."""
    yield from onnx_files(wanted, network, architecture, data, threads)
    if isinstance(network, CircuitNetwork):
        yield from circuit_files(wanted, network, name, data.test.x)
