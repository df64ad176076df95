"""The bounds of every table that is read, and how what is wrong with one is said."""

MAX_BYTES = 1 << 30  # declared by an archive's members together: a bomb is refused before it is unpacked
MAX_COLUMNS = 10_000  # a csv of 10^6 columns would spend minutes on its header alone


class Unreadable(Exception):
    """What is wrong with a file, as a sentence; the caller knows which field named it."""


class LineTooLong(Unreadable):
    """A line that is longer than any that is read."""
