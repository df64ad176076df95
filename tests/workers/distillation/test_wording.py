"""What a library says reaches a person in words: no address, no line of its source, no name of its enumerations."""

import pytest

from workers.distillation.data.files.wording import in_words


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[ONNXRuntimeError] : 1 : FAIL : Load model failed.\nat line 3", "Load model failed"),
        ("Error while deserializing header: InvalidHeaderDeserialization", "invalid header deserialization"),
        ("cannot identify image file <_io.BytesIO object at 0x7f3a2b>", "cannot identify image file"),
        (
            "[ONNXRuntimeError] : 1 : FAIL : Status Message: /src/core/providers/cpu/math/matmul_helper.h:144 "
            "onnxruntime::Status Compute(const X& a, bool b) left operand cannot broadcast",
            "Status Message: left operand cannot broadcast",
        ),
        ("", ""),
    ],
)
def test_only_what_means_something_to_a_person_is_left(said: str, told: str) -> None:
    assert in_words(RuntimeError(said)) == told
