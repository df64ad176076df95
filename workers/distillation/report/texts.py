"""What a report says of text, beside what it says of everything."""

import math
from collections.abc import Sequence as Many
from statistics import fmean, stdev
from typing import Any

from qstill.contract.distillations.datasets import AnyTextData
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.tokenizers import TeachersTokenizer
from workers.distillation.data.dataset import Data, Text
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.quality import Comparison, compare
from workers.distillation.tasks.masks import CHOSEN, MASKED, REPLACED
from workers.distillation.teachers import Use


def text_section(text: Text) -> dict[str, Any]:
    """Of the tokenizer, and of what it did to the texts."""
    return {
        "tokenizer_sha256": text.digest,
        "vocabulary": text.vocabulary,
        "truncated_texts": text.truncated,
        "unknown_share": text.unknown,
    }


def language_section(
    data: Data, teacher: float, students: Many[float], baselines: Many[float]
) -> dict[str, Any] | None:
    """Perplexity of a token, and bits of a character, of each arm; each given its nats of a token, one for each seed.

    `saved_bits_per_character`: of the baseline less those of the student, paired by seed, with the 95% interval.
    """
    if not data.language or data.text is None or data.masked:
        return None
    labels = data.test.labels
    tokens = int((labels != UNKNOWN).sum())
    bits = tokens / math.log(2) / data.text.test_characters  # of a character, for each nat of a token
    arms = {"teacher": [teacher], "student": students, "baseline": baselines}
    saved = compare([bits * nats for nats in baselines], [bits * nats for nats in students]) if baselines else None
    return {
        **{name: _arm(nats, bits) if nats else None for name, nats in arms.items()},
        "saved_bits_per_character": _interval(saved),
        "test_tokens": tokens,
        "test_characters": data.text.test_characters,
    }


def masked_section(data: Data, teacher: float, students: Many[float], baselines: Many[float]) -> dict[str, Any] | None:
    """Pseudo-perplexity and bits of a hidden token, of each arm; given as to `language_section`.

    e to the mean nats of hidden tokens: as Salazar and others' (2020, arXiv:1910.14659), but with 15 % of the tokens
    hidden at once, not one at a time. It is no perplexity, because the network sees what follows.
    `saved_bits_per_token`: of the baseline less those of the student, paired by seed, with the 95% interval.
    """
    if not data.masked:
        return None
    bit = 1 / math.log(2)  # for each nat
    arms = {"teacher": [teacher], "student": students, "baseline": baselines}
    saved = compare([bit * nats for nats in baselines], [bit * nats for nats in students]) if baselines else None
    return {
        **{name: _masked_arm(nats, bit) if nats else None for name, nats in arms.items()},
        "saved_bits_per_token": _interval(saved),
        "test_tokens": len(data.test.labels),
        "chosen": CHOSEN,
        "masked": MASKED,
        "replaced": REPLACED,
    }


def _masked_arm(nats: Many[float], bit: float) -> dict[str, Any]:
    return {
        "pseudo_perplexity": _mean_sd([math.exp(one) for one in nats]),
        "bits_per_token": _mean_sd([bit * one for one in nats]),
    }


def _interval(saved: Comparison | None) -> dict[str, float | None] | None:
    return None if saved is None else {"mean": saved.mean, "low": saved.low, "high": saved.high}


def _arm(nats: Many[float], bits: float) -> dict[str, Any]:
    return {
        "perplexity": _mean_sd([math.exp(one) for one in nats]),
        "bits_per_character": _mean_sd([bits * one for one in nats]),
    }


def _mean_sd(values: list[float]) -> dict[str, float | None]:
    return {"mean": fmean(values), "sd": stdev(values) if len(values) > 1 else None}


def lesson_note(data: Data) -> str:
    """What the student of a language model saw."""
    rows, tokens = data.train.x.shape
    own = int((data.seen != UNKNOWN).any(1).sum())
    said = f"The text is {rows} training rows of {tokens} tokens. "
    if data.masked:
        said += f"In every epoch {CHOSEN:.0%} of their tokens were hidden anew, for student and baseline the same. "
    what = "hidden" if data.masked else "next"
    said += f"Student and baseline saw the {what} tokens of {own} of "
    said += f"them; the student also learned from {len(data.learned) - own} rows that only the teacher speaks about. "
    return said + "The baseline took as many optimizer steps."


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
    if data.masked:
        said.append(
            f"Accuracy and likelihood are of the {len(data.test.labels)} test tokens that were hidden, always the same "
            "ones. They depend on the tokenizer: compare models of one tokenizer alone. Ends of texts and tokens that "
            "the tokenizer does not know are never hidden."
        )
    elif data.language:
        said.append(
            "Perplexity is of a token and depends on the tokenizer: compare models of other tokenizers by bits per "
            "character. Both count the marks that end texts; each row is read without the row before it."
        )
        if spec.tokenizer.kind == "word":
            said.append("Words lose capitals and spaces, so that bits per character flatter all models alike.")
        if spec.tokenizer.kind != "bpe" and text.unknown:
            said.append(
                "What is unknown counts as one easy token, so that bits per character flatter all models alike."
            )
    return said


def sequence_note(objective: Sequence, use: Use) -> str:
    """How the texts of a teacher came to be."""
    how = "the most likely token each time" if objective.decode == "greedy" else "tokens drawn from its distribution"
    return (
        f"The teacher went on after the first {objective.prompt} tokens of {use.computed_rows} training rows, {how}; "
        "the student learned what it wrote, and nothing of its probabilities."
    )


def views_note(use: Use) -> str:
    """How a teacher of masked language models was heard."""
    return (
        "The teacher was asked in every epoch about the tokens that were hidden then, with the student's own masks: "
        f"{use.computed_rows + use.reused_rows} tokens in the first. They are kept for later jobs of these seeds."
    )


def likelihood_note(section: dict[str, Any]) -> str:
    """What bits decide, beside the accuracy that the verdict rests on."""
    if section["verdict"] is None:
        return "Accuracy counts the likeliest token alone; bits count how likely the right one was."
    return (
        "The verdict rests on accuracy, which counts the likeliest token alone. By bits, which count how likely the "
        f"right one was, it is {section['verdict']}."
    )


def masked_lost_note(student: int, teacher: int, lost: dict[str, Any]) -> str:
    """What the smaller model costs. student, teacher: parameters."""
    mine, theirs = (lost[arm]["bits_per_token"]["mean"] for arm in ("student", "teacher"))
    return (
        f"With {student:,} parameters in place of {teacher:,} ({teacher / student:.1f} times fewer) the student needs "
        f"{mine:.3f} bits per hidden token where the teacher needs {theirs:.3f}."
    )


def lost_note(student: int, teacher: int, lost: dict[str, Any]) -> str:
    """What the smaller model costs. student, teacher: parameters."""
    mine, theirs = (lost[arm]["bits_per_character"]["mean"] for arm in ("student", "teacher"))
    return (
        f"With {student:,} parameters in place of {teacher:,} ({teacher / student:.1f} times fewer) the student needs "
        f"{mine:.3f} bits per character where the teacher needs {theirs:.3f}."
    )
