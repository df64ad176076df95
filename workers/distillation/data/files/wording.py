"""What a library says of a file that it cannot read, as far as it means something to a person."""

import re

MOST = 300  # characters
NOISE = (
    re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : "),
    re.compile(
        r"(/|[A-Z]:\\)\S+\.(cc|cpp|cu|h|hpp|rs|py):\d+:?\d*( [\w:~<>, &*]+\([^)]*\))?( \[[^\]]*\])?"
    ),  # of its source
    re.compile(r"<[^<>]* (object )?at 0x[0-9a-fA-F]+>"),  # an object and its address
    re.compile(r"\b0x[0-9a-fA-F]+\b"),
    re.compile(r"Error while deserializing(?: header)?: "),
)
NAMES = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b")  # InvalidHeaderLength, as of an enumeration


def in_words(error: Exception) -> str:
    """The first line, without what only the library's own makers read, and without a full stop. May be empty."""
    said = next(iter(str(error).strip().splitlines()), "")
    for noise in NOISE:
        said = noise.sub("", said)
    said = NAMES.sub(lambda name: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[0]).lower(), said)
    return " ".join(said.split())[:MOST].rstrip(".: ")
