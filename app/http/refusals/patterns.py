"""Regular expressions in words, for those whose text did not match one."""

import re

from qstill.contract.distillations.measures.measure import MEASURE, NAMED
from qstill.contract.kinds import IN_WORDS, JOB_NAME
from qstill.contract.schemas import PRINTABLE

_ID = re.compile(r"\^\(?([a-z|]+)\)?_\[0-9a-f\]\{32\}\$")
_WORDS = {
    PRINTABLE: "Line breaks, tabs and other control characters are not allowed here.",
    r"\S": "Text that holds more than white space is wanted here.",
    JOB_NAME: f"It is {IN_WORDS}.",
    r"^[0-9]{1,19}$": "A whole number in decimal digits is wanted here.",
    r"^\d{0,9}$": "A whole number of at most nine digits is wanted here.",
    r"^[0-9a-f]{64}$": "A SHA-256 is wanted here: 64 hexadecimal digits in lower case.",
    r"^[01]+$": "Only the digits 0 and 1 are allowed here.",
    r"^[01]+( [01]+)*$": "Only the digits 0 and 1 are allowed here, with one space between registers.",
    r"^[IXYZ]+$": "Only the letters I, X, Y and Z are allowed here.",
    r"^[IXYZ]{1,2}$": "One or two of the letters I, X, Y and Z are wanted here.",
    r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$": "A label's key has up to 63 letters, digits and . _ / - after a letter or a "
    "digit.",
    r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=[^\x00-\x1f\x7f]{0,200}$": "Write `key=value`, as in `label=course=qc101`.",
    r"^[\x21-\x7e]+$": "Only printable ASCII characters, without spaces, are allowed here.",
    r"^[a-z0-9][a-z0-9.-]*$": "Only lower-case letters, digits, dots and hyphens are allowed here.",
    r"^[^\W\d]\w{0,63}$": "A parameter's name has up to 64 letters, digits and underscores and begins with no digit.",
    MEASURE: f"The name of a measure is wanted here: {', '.join(each.name for each in NAMED)}, top_2, top_3, …",
    r"^ndcg@\d+$": "The name of a measure of rankings is wanted here, such as ndcg@10.",
    r"^(/[a-z_]+){1,6}$": "A JSON pointer of names is wanted here, such as /objective/temperature.",
    r"^file_[A-Za-z0-9_-]{1,64}$": "The id of an uploaded file is wanted here: file_ and what follows it.",
    r"^[01x]{1,64}$": "Up to 64 of the characters 0, 1 and x are wanted here.",
    r"^ideal$|^job_[0-9a-f]{32}$": "It is `ideal` or the id of a job: job_ and 32 hexadecimal digits in lower case.",
    r"^job_[0-9a-f]{32}(?:-(?:0|[1-9][0-9]{0,3}))?$": "The id of a job is wanted here, or of a child of one: its id, - "
    "and its number.",
}


def in_words(pattern: str) -> str | None:
    """What a text must be to match a pattern; None for a pattern that is not known here."""
    if identifier := _ID.fullmatch(pattern):
        prefixes = " or ".join(f"{prefix}_" for prefix in identifier[1].split("|"))
        return f"An id is wanted here: {prefixes} and 32 hexadecimal digits in lower case."
    return _WORDS.get(pattern)
