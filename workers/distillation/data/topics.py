"""Text that comes with every Python: the topics of `help()`, the language reference in short.

Topics repeat one another (`help("if")` is a part of `help("compound")`), so each paragraph is kept where it stands
first: nothing that is read for a test is also trained on.
"""

import re
from collections.abc import Iterator
from pydoc_data.topics import topics

from workers.distillation.data.files.texts import Texts

LEAST_PARAGRAPH = 40  # characters; shorter ones are headings and rules of a grammar
PASSAGE = 1000  # characters after which a passage ends
SENTENCE = (20, 600)  # characters of one: shorter are headings, longer are tables
IN_WORDS = 0.6  # of its characters letters or spaces: with fewer it is a program
END_OF_SENTENCE = re.compile(r"""(?<=[.!?])\s+(?=[A-Z*(“"'])""")

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


def sentences() -> list[list[str]]:
    """The sentences of each paragraph in their order, none of them twice."""
    seen: set[str] = set()
    paragraphs = (paragraph for name in sorted(topics) for paragraph in _paragraphs(topics[name], seen))
    said: set[str] = set()
    found = []
    for paragraph in paragraphs:
        fresh = [each for each in dict.fromkeys(_sentences(paragraph)) if each not in said]
        said.update(fresh)
        if fresh:
            found.append(fresh)
    return found


def _sentences(paragraph: str) -> Iterator[str]:
    """Those that are words."""
    for sentence in END_OF_SENTENCE.split(" ".join(paragraph.split())):
        in_words = sum(character.isalpha() or character == " " for character in sentence)
        if SENTENCE[0] <= len(sentence) <= SENTENCE[1] and in_words >= IN_WORDS * len(sentence):
            yield sentence


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
