"""What a report says of text, beside what it says of everything."""

from typing import Any

from qstill.contract.distillations.datasets import AnyTextData
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.tokenizers import TeachersTokenizer
from workers.distillation.data.dataset import Data, Text
from workers.distillation.teachers import Use


def text_section(text: Text) -> dict[str, Any]:
    """Of the tokenizer, and of what it did to the texts."""
    return {
        "tokenizer_sha256": text.digest,
        "vocabulary": text.vocabulary,
        "truncated_texts": text.truncated,
        "unknown_share": text.unknown,
    }


def text_notes(spec: AnyTextData, data: Data, text: Text) -> list[str]:
    """What a reader must know of how text became numbers."""
    if isinstance(spec.tokenizer, TeachersTokenizer):
        made = f"({text.vocabulary} tokens) is the teacher's, and was trained on its texts"
    else:
        made = f"({spec.tokenizer.kind}, {text.vocabulary} tokens) was trained on the training split alone"
    said = [f"The tokenizer {made}; teacher, student and baseline share it."]
    if text.truncated:
        count = data.total
        said.append(f"{text.truncated} of {count} texts were cut off after {spec.max_length} tokens.")
    if text.unknown:
        said.append(f"{text.unknown:.2%} of the test texts' tokens are unknown to the tokenizer.")
    return said + data.task.text_notes(spec.tokenizer.kind, data.test.labels, text.unknown)


def sequence_note(objective: Sequence, use: Use) -> str:
    """How the texts of a teacher came to be."""
    how = "the most likely token each time" if objective.decode == "greedy" else "tokens drawn from its distribution"
    return (
        f"The teacher went on after the first {objective.prompt} tokens of {use.computed_rows} training rows, {how}; "
        "the student learned what it wrote, and nothing of its probabilities."
    )
