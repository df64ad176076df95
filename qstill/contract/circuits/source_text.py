"""What sources of all text formats have in common: bounds on what they expand to, and how a place in them is named."""

from typing import NoReturn

from qstill.contract.errors import Problem

MAX_EXPANDED_OPERATIONS = 200_000  # 20 gate definitions, each doubling, are 519 bytes of source and run for minutes
MAX_NESTING = 64  # 20,000 parentheses exhaust a recursive parser
MAX_LOOP_ITERATIONS = 100_000  # a loop of 10^8 is one line of source

SOURCE = "/circuit/source"


def refuse(text: str, position: int, code: str, message: str) -> NoReturn:
    """Raise `Problem` with the line and column of the position."""
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    raise Problem(code, f"Line {line}, column {column}: {message}", pointer=SOURCE)
