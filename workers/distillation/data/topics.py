"""Text that comes with every Python: the topics of `help()`, the language reference in short.

Topics repeat one another (`help("if")` is a part of `help("compound")`), so each paragraph is kept where it stands
first: nothing that is read for a test is also trained on.
"""

from collections.abc import Iterator
from pydoc_data.topics import topics

from workers.distillation.data.files.texts import Texts

LEAST_PARAGRAPH = 40  # characters; shorter ones are headings and rules of a grammar
PASSAGE = 1000  # characters after which a passage ends

PARTS = {
    "collections": "typesseq typesseq-mutable typesmapping sequence-types lists dict slicings subscriptions",
    "data model": "specialnames customization attribute-access callable-types specialattrs numeric-types objects types",
    "debugger": "debugger",
    "execution": "execmodel naming dynamic-features exceptions",
    "expressions": "calls comparisons operator-summary atom-identifiers atom-literals attribute-references await "
    "binary bitwise booleans conversions exprlists in lambda power shifting unary yield truth integers floating "
    "imaginary",
    "formatting": "formatstrings",
    "statements": "assignment import try class function with for while if return raise del global nonlocal pass break "
    "continue assert augassign async compound context-managers else",
    "strings": "string-methods strings identifiers id-classes",
}  # the topics of each class, their names as `help()` takes them; a topic that this Python lacks is left out


def paragraphs_of_parts() -> Texts:
    """Paragraphs, each with the part of the reference that it is from."""
    seen: set[str] = set()
    found = [
        (paragraph, part)
        for part, names in PARTS.items()
        for name in names.split()
        for paragraph in _paragraphs(topics.get(name, ""), seen)
        if len(paragraph) >= LEAST_PARAGRAPH
    ]
    texts, labels = zip(*found, strict=True)
    return Texts(list(texts), list(labels), list(PARTS))


def passages() -> Texts:
    """Consecutive paragraphs of one topic, together at least `PASSAGE` characters where the topic has as many."""
    seen: set[str] = set()
    texts = [passage for name in sorted(topics) for passage in _joined(_paragraphs(topics[name], seen))]
    return Texts(texts, [""] * len(texts), [])


def _paragraphs(topic: str, seen: set[str]) -> Iterator[str]:
    """The paragraphs of a topic that were not seen before. seen: is added to; spacing does not count."""
    for paragraph in topic.split("\n\n"):
        words = " ".join(paragraph.split())
        if words and words not in seen:
            seen.add(words)
            yield paragraph.strip("\n")


def _joined(paragraphs: Iterator[str]) -> Iterator[str]:
    passage = ""
    for paragraph in paragraphs:
        passage = f"{passage}\n\n{paragraph}" if passage else paragraph
        if len(passage) >= PASSAGE:
            yield passage
            passage = ""
    if passage:
        yield passage
