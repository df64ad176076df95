"""onnxruntime, as everything here runs it."""

import onnxruntime as ort

from workers.distillation.artifacts import checkpoints
from workers.distillation.data.files.wording import in_words


def open_session(content: bytes, threads: int) -> ort.InferenceSession:
    """onnxruntime on CPU threads, the same bits every time. Raises Problem teacher_invalid."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what is wrong is said in a problem
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen kinds, all from one module of C++
        raise checkpoints.invalid(f"onnxruntime does not take the model: {in_words(error)}") from error
