"""Boolean expressions written as text, as a `BooleanHamiltonianGate` has them: names, ~, &, ^, | and parentheses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from qstill.contract.circuits.source_text import MAX_NESTING
from qstill.contract.errors import Problem

MAX_CHARACTERS = 10_000  # of one expression, each evaluated for up to 64 states

Truth = NDArray[np.bool_]
_WORD = re.compile(r"\s*([^\W\d]\w*|[()~&^|])")
_LEVELS = ("|", "^", "&")  # the loosest first


def truth(text: Any, names: Sequence[str], path: str) -> Truth:
    """(2^n,): where the expression is true; the first name is the high bit of a state's number."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        message = f"A boolean expression is a text of up to {MAX_CHARACTERS:,} characters."
        raise Problem("cirq_invalid", message, pointer=path)
    states = np.arange(1 << len(names))
    columns = {name: (states >> (len(names) - 1 - place) & 1).astype(bool) for place, name in enumerate(names)}
    return _Parser(_words(text, path), columns, path).whole()


def _words(text: str, path: str) -> list[str]:
    words, position, end = [], 0, len(text.rstrip())
    while position < end:
        if (word := _WORD.match(text, position)) is None:
            message = f"{text[position : position + 20]!r} is not part of a boolean expression."
            raise Problem("cirq_invalid", message, pointer=path)
        words.append(word[1])
        position = word.end()
    return words


@dataclass(slots=True)
class _Parser:
    words: list[str]
    columns: dict[str, Truth]
    path: str
    place: int = 0
    depth: int = 0

    def whole(self) -> Truth:
        found = self._level(0)
        if self.place < len(self.words):
            self._refuse()
        return found

    def _level(self, level: int) -> Truth:
        if level == len(_LEVELS):
            return self._single()
        found = self._level(level + 1)
        while self._next() == _LEVELS[level]:
            self.place += 1
            other = self._level(level + 1)
            found = {"|": np.logical_or, "^": np.logical_xor, "&": np.logical_and}[_LEVELS[level]](found, other)
        return found

    def _single(self) -> Truth:
        word = self._next()
        self.place += 1
        self.depth += 1
        if self.depth > MAX_NESTING:
            message = f"The expression is nested more than {MAX_NESTING} deep."
            raise Problem("cirq_too_deep", message, pointer=self.path)
        if word == "~":
            found = ~self._single()
        elif word == "(":
            found = self._level(0)
            if self._next() != ")":
                self._refuse()
            self.place += 1
        elif word in self.columns:
            found = self.columns[word]
        else:
            self._refuse()
        self.depth -= 1
        return found

    def _next(self) -> str:
        return self.words[self.place] if self.place < len(self.words) else ""

    def _refuse(self) -> NoReturn:
        word = self._next() or "its end"
        message = f"The boolean expression cannot be read at {word[:20]!r}: it knows the gate's names, ~, &, ^ and |."
        raise Problem("cirq_invalid", message, pointer=self.path)
