"""The words of OpenQASM 3, one after another, as the specification's `qasm3Lexer.g4` has them."""

import re
import unicodedata
from bisect import bisect_right
from typing import NoReturn

from openqasm3.ast import Span

from qstill.contract.circuits.source_text import MAX_NESTING, refuse

SCALARS = frozenset(("bit", "int", "uint", "float", "angle", "bool", "duration", "stretch", "complex"))
_OTHER_WORDS = """
    OPENQASM include defcalgrammar def cal defcal gate extern box let break continue if else end return for while
    in switch case default pragma input output const readonly mutable qreg qubit creg array void gphase inv pow
    ctrl negctrl durationof delay reset measure barrier true false im
"""
KEYWORDS = SCALARS | frozenset(_OTHER_WORDS.split())
# Between `defcal` and its brace the grammar knows fewer words and signs; all other words are names there.
_DEFCAL_WORDS = SCALARS - {"stretch"} | {"qreg", "qubit", "creg", "array", "measure", "delay", "reset"}
_DEFCAL_SIGNS = frozenset(("[", "]", "(", ")", "->", ",", "+", "-", "*", "/", "<<", ">>", "{"))

NAME, HARDWARE_QUBIT, BITS = "a name", "a hardware qubit", "bits in quotes"
INTEGER, CODED, FLOAT = "an integer", "an integer in another base", "a decimal number"
DURATION, IMAGINARY = "a duration", "an imaginary number"
ANNOTATION, END = "an annotation", "the end of the program"
_OTHER, _OPEN, _SIGN, _NUMBER = "another character", "a comment that is not closed", "a sign", "a number"
_DEFCAL_KINDS = frozenset((NAME, HARDWARE_QUBIT, BITS, INTEGER, CODED, FLOAT, END)) | _DEFCAL_WORDS | _DEFCAL_SIGNS

# Possessive repetition throughout: no text is tried twice, whatever stands in it.
SPACE = r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*(?s:.*?)\*/)*+"
_WORD = r"[^\W0-9]\w*+"
_DIGITS = "[0-9](?:_?[0-9])*+"
_DECIMAL = rf"(?:{_DIGITS}(?:\.(?:{_DIGITS})?+)?+|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?+"
_TOKENS = (
    (NAME, _WORD),
    (_SIGN, "[][(){};:,]"),
    (CODED, "0[bB][01](?:_?[01])*+|0o[0-7](?:_?[0-7])*+|0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*+"),
    (_NUMBER, rf"{_DECIMAL}(?:[ \t]*(?:dt|ns|us|µs|ms|s|im)|j)?+"),  # Qiskit writes 1j
    (_OPEN, r"/\*"),
    (ANNOTATION, rf"@{_WORD}(?:\.{_WORD})*+"),
    (_SIGN, r"\*\*=?|<<=?|>>=?|\+\+|&&|\|\||->|[-+*/&|~^%=!<>]=?|[@.]|#dim"),
    ("pragma", "#pragma"),
    (BITS, '"[01](?:_?[01])*+"'),
    (HARDWARE_QUBIT, r"\$[0-9]+"),
    (END, r"\Z"),
    (_OTHER, "(?s:.)"),
)
_KINDS = ("", *(kind for kind, _ in _TOKENS))
_TOKEN = re.compile(SPACE + "(?:" + "|".join(f"({pattern})" for _, pattern in _TOKENS) + ")")
_BRACE = re.compile("[{}]")
_LINE_END = re.compile("\n")
_REST_OF_LINE = re.compile(r"[ \t]*([^ \t\r\n][^\r\n]*)?")
_STRING = re.compile(r"""[ \t\r\n]*("[^"\r\n\t]+"|'[^'\r\n\t]+')""")
_VERSION = re.compile(r"[ \t\r\n]*([0-9]+(?:\.[0-9]+)?)")
_LETTERS = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Nl"))


def _kind_of_number(text: str) -> str:
    if text[-1].isalpha():
        return IMAGINARY if text.endswith(("im", "j")) else DURATION
    return FLOAT if "." in text or "e" in text or "E" in text else INTEGER


class Tokens:
    """A program and the token that is next: its kind, its text and where it starts and ends.

    The kind of a keyword or a sign is its text. `previous` is where the token before it starts, `lines` are where lines
    start. A token is read when the one before it has been taken, but none is read past the last one of a statement:
    what follows may be lines that are read another way. Every complaint is a `Problem` with line, column, what was
    found and what should stand there.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.kind = self.text = ""
        self.previous = self.start = self.end = 0
        self.nesting = 0
        self.in_defcal = False
        self._match = _TOKEN.match
        self.lines = [0, *(line.end() for line in _LINE_END.finditer(source))]

    def advance(self) -> None:
        """Read the next token."""
        match = self._match(self.source, self.end)
        assert match is not None  # the last alternatives match anything
        index = match.lastindex or 0
        self.previous = self.start
        self.start, self.end = match.span(index)
        self.text = text = match[index]
        kind = _KINDS[index]
        if kind is _SIGN:
            kind = text
        elif kind is NAME:
            if text in KEYWORDS:
                kind = text
            elif not text.isascii():
                self._check_letters(text)
        elif kind is _NUMBER:
            kind = INTEGER if text.isdecimal() else _kind_of_number(text)
        elif kind is ANNOTATION:
            self._check_letters(text)
        elif kind is _OTHER:
            self._refuse_character(text)
        elif kind is _OPEN:
            self.complain("A comment is not closed.")
        if self.in_defcal:
            kind = self._kind_in_defcal(kind)
        self.kind = kind

    def _kind_in_defcal(self, kind: str) -> str:
        if kind in KEYWORDS and kind not in _DEFCAL_WORDS:
            return NAME
        if kind not in _DEFCAL_KINDS:
            self.complain(f"{self.text!r} cannot stand between 'defcal' and its brace.")
        return kind

    def _check_letters(self, text: str) -> None:
        for letter in text:
            if not letter.isascii() and unicodedata.category(letter) not in _LETTERS:
                self._refuse_character(letter)

    def _refuse_character(self, character: str) -> NoReturn:
        if self.in_defcal:
            self.complain(f"{character!r} cannot stand between 'defcal' and its brace.")
        if character in "\"'":
            self.complain("Quotes enclose zeros and ones, or a file's name after 'include'.")
        self.complain(f"The character {character!r} has no meaning in OpenQASM.")

    def take(self, kind: str) -> str:
        """The text of the next token, which must be of this kind; the one after it is next then."""
        if self.kind != kind:
            self.expected(repr(kind) if kind in KEYWORDS or not kind[0].isalpha() else kind)
        text = self.text
        self.advance()
        return text

    def accept(self, kind: str) -> bool:
        """Take the next token if it is of this kind."""
        if self.kind != kind:
            return False
        self.advance()
        return True

    def last(self, kind: str) -> None:
        """The next token must be of this kind and is the last one of a statement."""
        if self.kind != kind:
            self.expected(repr(kind))

    def rest_of_line(self) -> str | None:
        """What stands behind the next token on its line, comments included. It is the last token then."""
        match = _REST_OF_LINE.match(self.source, self.end)
        assert match is not None  # it matches the empty text
        self.end = match.end()
        if match[1] is not None:
            self.start = match.start(1)
        return match[1]

    def string(self) -> str:
        """The text in the quotes that must follow the next token; what follows them is next then."""
        match = _STRING.match(self.source, self.end)
        if match is None:
            self.complain(f"{self.text!r} is followed by a name in quotes.", at=self.end)
        self.end = match.end()
        self.advance()
        return match[1][1:-1]

    def version(self) -> str:
        """The number that must follow the next token; what follows it is next then."""
        match = _VERSION.match(self.source, self.end)
        if match is None:
            self.complain("OPENQASM is followed by a version, as in 'OPENQASM 3.0;'.", at=self.end)
        self.end = match.end()
        self.advance()
        return match[1]

    def calibration_block(self) -> str:
        """The text between the next token, an opening brace, and its closing brace, which is then the last token."""
        self.last("{")
        opening, depth = self.start, 1
        for brace in _BRACE.finditer(self.source, self.end):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                break
        else:
            self.complain("A calibration block is not closed.", at=opening)
        self.kind = self.text = "}"
        self.start, self.end = brace.span()
        return self.source[opening + 1 : self.start]

    def deeper(self) -> None:
        """Count a bracket, block, sign or power that what follows stands in; `nesting` goes back behind it."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            message = f"Brackets, blocks and signs are nested more than {MAX_NESTING} deep."
            refuse(self.source, self.start, "qasm_too_deep", message)

    def span(self, first: int, last: int) -> Span:
        """From the token that starts at `first` to the one that starts at `last`; lines from 1, columns from 0."""
        lines = self.lines
        line, end_line = bisect_right(lines, first), bisect_right(lines, last)
        return Span(line, first - lines[line - 1], end_line, last - lines[end_line - 1])

    def expected(self, what: str) -> NoReturn:
        """Refuse the next token where `what` should stand."""
        if self.kind in (END, NAME) or self.kind in KEYWORDS or not self.kind[0].isalpha():
            found = END if self.kind == END else repr(self.text)
        else:
            found = f"{self.kind}, {self.text},"
        self.complain(f"{found} stands where {what} is expected.")

    def complain(self, message: str, *, at: int | None = None) -> NoReturn:
        """Refuse the program at the next token, or at another position."""
        refuse(self.source, self.start if at is None else at, "qasm_invalid", message)
