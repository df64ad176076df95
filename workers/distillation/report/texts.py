"""What a report says of text, beside what it says of everything."""

from qstill.contract.distillations.objectives import Sequence
from workers.distillation.teachers import Use


def sequence_note(objective: Sequence, use: Use) -> str:
    """How the texts of a teacher came to be."""
    how = "the most likely token each time" if objective.decode == "greedy" else "tokens drawn from its distribution"
    rows = use.computed_rows + use.reused_rows
    return (
        f"The teacher went on after the first {objective.prompt} tokens of {rows} training rows, {how}; the student "
        "learned what it wrote, and nothing of its probabilities."
    )
