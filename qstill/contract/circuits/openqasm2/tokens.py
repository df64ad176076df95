"""The words of an OpenQASM 2 source, one after the other, and refusals that say where they stand."""

import re
from typing import NoReturn

from qstill.contract.circuits.source_text import SOURCE
from qstill.contract.errors import Problem

_TOKEN = re.compile(
    r"""(?:\s+|//[^\r\n]*|/\*.*?\*/)*+   # one that could fail would be tried again from every character
    (?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<real>(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)
    |(?P<integer>[0-9]+)
    |(?P<string>"[^"\r\n]*"|'[^'\r\n]*')
    |(?P<symbol>->|==|[-+*/^(){}\[\];,])
    |(?P<end>\Z)
    |(?P<other>.))""",
    re.DOTALL | re.VERBOSE,
)


KEYWORDS = frozenset(
    ("OPENQASM", "include", "qreg", "creg", "gate", "opaque", "if", "measure", "reset", "barrier", "U", "CX", "pi")
) | {"sin", "cos", "tan", "exp", "ln", "sqrt"}

MAX_DIGITS = 18  # of an index or a size
_TOKENS_OF_A_STATEMENT = 8  # of one that is read in one step, about


class Enough(Exception):
    """So much of the source as was wanted has been read."""


class Tokens:
    """Where reading stands: the kind of the next token ("name", "real", "integer", "string", "symbol", "end"), its
    text, and the place where it starts.
    """

    def __init__(self, source: str, most: int | None) -> None:
        """most: after how many tokens `Enough` is raised; None reads all."""
        self.source = source
        self.left = -1 if most is None else most
        self.place = self._behind = 0
        self.kind = self.text = ""
        self.advance()

    def advance(self) -> str:
        """Go on to the next token; returns the one left behind."""
        if not self.left:
            raise Enough
        self.left -= 1
        found = _TOKEN.match(self.source, self._behind)
        assert found is not None  # some character, or the end
        behind = self.text
        self.kind = found.lastgroup or "end"
        self.text = found[self.kind]
        self.place, self._behind = found.start(self.kind), found.end()
        if self.kind == "other":
            self._strange()
        return behind

    def may_read(self, statements: int) -> bool:
        """Whether so many statements may be read in one step each, and one more."""
        return self.left < 0 or self.left > (statements + 1) * _TOKENS_OF_A_STATEMENT

    def jump(self, place: int, statements: int) -> None:
        """Go on behind statements that were read in one step each; they count as the tokens that they may have."""
        self.left = max(0, self.left - statements * _TOKENS_OF_A_STATEMENT) if self.left >= 0 else -1
        self._behind = place
        self.advance()

    def _strange(self) -> NoReturn:
        if self.source.startswith("/*", self.place):
            self.refuse("A comment is not closed.")
        self.refuse(f"unexpected {self.text!r}")

    def take(self, symbol: str) -> bool:
        """Go past a symbol or word if it comes next."""
        if self.text != symbol:
            return False
        self.advance()
        return True

    def expect(self, symbol: str) -> None:
        if not self.take(symbol):
            self.unexpected(f"'{symbol}'")

    def name(self, what: str) -> str:
        if self.kind != "name":
            self.unexpected(what)
        return self.advance()

    def new_name(self, what: str) -> str:
        if self.text in KEYWORDS:
            self.refuse(f"'{self.text}' is a word of the language and no name")
        if self.text[:1].isupper():
            self.refuse(f"{self.text[:40]!r} is no name: names begin with a small letter")
        return self.name(what)

    def integer(self, *, beyond: int | None = None) -> int:
        """beyond: what a number with too many digits is taken for; None refuses it."""
        if self.kind != "integer":
            self.unexpected("an integer")
        if len(self.text.lstrip("0")) > MAX_DIGITS and beyond is None:
            self.refuse("this number is too long")
        digits = self.advance().lstrip("0") or "0"
        return int(digits) if beyond is None or len(digits) <= MAX_DIGITS else beyond

    def names(self, what: str, closing: str) -> dict[str, int]:
        """Different names with commas between them, by their place; a comma may follow the last."""
        found: dict[str, int] = {}
        while self.text != closing:
            if self.text in found:
                self.refuse(f"'{self.text}' is already defined")
            found[self.new_name(what)] = len(found)
            if not self.take(","):
                break
        self.expect(closing)
        return found

    def unexpected(self, wanted: str) -> NoReturn:
        found = "the end of the program" if self.kind == "end" else repr(self.text[:40])
        self.refuse(f"{wanted} is expected, not {found}")

    def refuse(self, message: str, *, code: str = "qasm_invalid", place: int | None = None) -> NoReturn:
        """Raise `Problem` with the line and column. place: of the mistake, if not where reading stands."""
        at = self.place if place is None else place
        line, column = self.source.count("\n", 0, at) + 1, at - self.source.rfind("\n", 0, at)
        title = f"Line {line}, column {column}: {message.rstrip('.')}."
        raise Problem(code, title, pointer=SOURCE)
