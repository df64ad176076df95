"""Weights and activations of 8 bits, by onnxruntime's own quantiser: its files run on its integer kernels."""

from torch import Tensor

from workers.distillation.artifacts.onnx_file import quantised_dynamically, quantised_statically
from workers.distillation.artifacts.student_onnx import CalibrationRows


def to_int8_dynamic(content: bytes) -> bytes:
    """Weights of 8 bits; activations are scaled anew for every batch. What is quantised already stays as it is."""
    return quantised_dynamically(content, ["MatMul", "Conv"])


def to_int8_static(content: bytes, calibration: Tensor) -> bytes:
    """Weights of 8 bits, a scale for each channel; activations by their ranges over `calibration`, raw rows."""
    return quantised_statically(content, ["Conv", "MatMul", "Gemm"], CalibrationRows(calibration))
