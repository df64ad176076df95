"""Programs drawn from a grammar of the whole of OpenQASM 3. They mean nothing; what has its place may stand elsewhere.

A rule is a line: words in quotes stand for themselves, capitals for tokens, `?`, `*`, `+` and `|` are as usual. What
comments cannot stand between is one token.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

TOKENS = {
    "NAME": ("a", "q", "h", "theta", "π", "_x1", "Δt", "gate_", "e3", "sizeof"),
    "NUMBER": (
        "0",
        "7",
        "1_000",
        "0b1_01",
        "0B1",
        "0o17",
        "0xFf",
        "0X1_0",
        "007",
        "1.",
        ".5",
        "1e3",
        "2E-1_0",
        "1_0.5e+1",
    ),
    "OTHER": ("3im", "1.5 im", "true", "false", '"0101"', '"1_0"', "3ns", "1.5 us", "2µs", "7\tdt", "1ms", ".5s", "$0"),
    "POWER": ("**",),
    "PRODUCT": ("*", "/", "%"),
    "SUM": ("+", "-"),
    "LOOSE": ("<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "^", "|", "&&", "||"),
    "SIGN": ("-", "~", "!"),
    "ASSIGN": ("=", "+=", "-=", "*=", "/=", "&=", "|=", "~=", "^=", "<<=", ">>=", "%=", "**="),
    "WIRE": ("$0", "$12"),
    "SIZED": ("bit", "int", "uint", "float", "angle"),
    "UNSIZED": ("bool", "duration", "stretch", "complex"),
    "HEAD": ("OPENQASM 3.0;", "OPENQASM 3;", "OPENQASM \n3.1;"),
    "INCLUDE": ('include "stdgates.inc";', "include 'a b';"),
    "PULSES": ('defcalgrammar "openpulse";',),
    "PRAGMA": ("pragma a b // c\n", "#pragma { x\n"),
    "NOTE": ("@note\n", "@a.b c; d\r\n", "@x  (1)\n"),
    "BLOCK": ("{}", "{ }", "{ play(d0, { 1 }) // x\n}", "{{}{;}}"),
    "TARGET": ("rx", "measure", "reset", "delay", "if"),
}

RULES = """
program: HEAD? item*
item: statement | statement | statement | scope
scope: '{' item* '}'
statement: PRAGMA | NOTE* command
command: declaration | action | action | control | definition
declaration: 'let' NAME '=' expression (('++' expression)*) ';'
    | (scalar | array) NAME ('=' value)? ';' | 'const' scalar NAME '=' value ';'
    | ('input' | 'output') (scalar | array) NAME ';' | ('qreg' | 'creg') NAME size? ';' | 'qubit' size? NAME ';'
action: gate | NAME ('(' expressions? ')')? size? operands ';' | variable ASSIGN expression ';'
    | variable '=' measurement ';' | measurement ('->' variable)? ';' | 'barrier' operands? ';'
    | 'delay' size operands? ';' | 'reset' operand ';' | expression ';' | 'end' ';' | 'break' ';' | 'continue' ';'
    | 'return' (expression | measurement)? ';'
gate: modifier* NAME ('(' expressions? ')')? size? operands ';' | modifier* 'gphase' '(' expression ')' operands? ';'
modifier: ('inv' | 'pow' '(' expression ')' | ('ctrl' | 'negctrl') ('(' expression ')')?) '@'
control: 'if' '(' expression ')' item ('else' item)? | 'while' '(' expression ')' item | 'box' size? scope
    | 'for' scalar NAME 'in' (set | '[' range ']' | expression) item
    | 'switch' '(' expression ')' '{' ('case' expressions scope)* ('default' scope)? '}'
definition: INCLUDE | PULSES | 'cal' BLOCK | 'gate' NAME ('(' names? ')')? names scope
    | 'def' NAME '(' (argument (',' argument)* ','?)? ')' result? scope
    | 'extern' NAME '(' (outer (',' outer)* ','?)? ')' result? ';'
    | 'defcal' TARGET ('(' (pulse (',' pulse)* ','?)? ')')? wires result? BLOCK
argument: scalar NAME | 'qubit' size? NAME | 'qreg' NAME size? | 'creg' NAME | reference NAME
outer: scalar | reference | 'creg' size?
reference: ('readonly' | 'mutable') 'array' '[' scalar ',' (expressions | '#dim' '=' expression) ']'
pulse: NAME | NUMBER | NAME ('+' | '-' | '*' | '/') NUMBER | SIZED NAME | 'qubit' NAME | 'angle' '[' NUMBER ']' NAME
wires: (WIRE | NAME) (',' (WIRE | NAME))* ','?
result: '->' scalar
expression: NAME | NUMBER | OTHER | unary | binary | binary | primary | primary
unary: SIGN expression
binary: expression (POWER | POWER | PRODUCT | SUM | SUM | LOOSE | LOOSE) expression
primary: '(' expression ')' | expression index | NAME '(' expressions? ')' | (scalar | array) '(' expression ')'
    | 'durationof' '(' scope ')'
value: expression | measurement | literal
literal: '{' ((expression | literal) (',' (expression | literal))* ','?)? '}'
measurement: 'measure' operand
range: expression? ':' expression? (':' expression)?
set: '{' expression (',' expression)* ','? '}'
index: '[' (set | (expression | range) (',' (expression | range))* ','?) ']'
variable: NAME index*
operand: variable | variable | WIRE
operands: operand (',' operand)* ','?
expressions: expression (',' expression)* ','?
names: NAME (',' NAME)* ','?
scalar: SIZED size? | UNSIZED | 'complex' '[' 'float' size? ']'
array: 'array' '[' scalar ',' expressions ']'
size: '[' expression ']'
"""

_WORD = re.compile(r"'[^']*'|\w+|[()|?*+]")
Node = tuple[str, Any]


def _read(words: list[str]) -> Node:
    """A choice among sequences, up to a closing bracket or the end."""
    choices: list[list[Node]] = [[]]
    while words and words[0] != ")":
        word = words.pop(0)
        if word == "|":
            choices.append([])
        elif word in "?*+":
            choices[-1].append((word, choices[-1].pop()))
        elif word == "(":
            choices[-1].append(_read(words))
            words.pop(0)
        else:
            choices[-1].append(("word", word))
    return "choice", choices


def _rules() -> dict[str, Node]:
    lines = RULES.strip().replace("\n    ", " ").splitlines()
    return {name: _read(_WORD.findall(rule)) for name, rule in (line.split(": ", 1) for line in lines)}


_RULES = _rules()


def _height(node: Node, heights: dict[str, int]) -> int:
    kind, inner = node
    if kind == "word":
        return 0 if inner in TOKENS or inner[0] == "'" else heights[inner]
    if kind == "choice":
        return min(max((_height(part, heights) for part in choice), default=0) for choice in inner)
    return _height(inner, heights) if kind == "+" else 0


@cache
def _heights() -> dict[str, int]:
    """How many rules must be in one another, at least, to come to an end."""
    heights = dict.fromkeys(_RULES, 1000)
    for _ in _RULES:
        heights = {name: 1 + _height(node, heights) for name, node in _RULES.items()}
    return heights


def _sentence(node: Node, depth: int, number: Callable[[int], int]) -> list[str]:
    kind, inner = node
    if kind == "word":
        if inner in TOKENS:
            return [TOKENS[inner][number(len(TOKENS[inner]) - 1)]]
        return [inner[1:-1]] if inner[0] == "'" else _sentence(_RULES[inner], depth - 1, number)
    if kind == "choice":
        open_choices = [choice for choice in inner if _height(("choice", [choice]), _heights()) < depth]
        choices = open_choices or [min(inner, key=lambda choice: _height(("choice", [choice]), _heights()))]
        choice = choices[number(len(choices) - 1)]
        return [token for part in choice for token in _sentence(part, depth, number)]
    times = number(1 if kind == "?" else 2) if depth > _height(inner, _heights()) else 0
    return [token for _ in range(times) for token in _sentence(inner, depth, number)]


@st.composite
def token_lists(draw: st.DrawFn, *, rule: str = "program", depth: int = 9) -> list[str]:
    """The tokens of a program, or of another rule's text."""
    return _sentence(_RULES[rule], depth, lambda most: draw(st.integers(0, most)))


def written(tokens: list[str]) -> str:
    """The tokens on one line, but for those that end it."""
    return " ".join(tokens)


_BLANKS = st.sampled_from((" ", "  ", "\n", "\t", "\r\n", " // words; {\n", " /* words\n */", " /**/ "))


@st.composite
def oddly_written(draw: st.DrawFn, tokens: list[str]) -> str:
    """The tokens with white space and comments between them."""
    return "".join(token + draw(_BLANKS) for token in tokens)


@st.composite
def damaged(draw: st.DrawFn, tokens: list[str]) -> list[str]:
    """The tokens, one of them lost, doubled, or another one."""
    if not tokens:
        return tokens
    place = draw(st.integers(0, len(tokens) - 1))
    others = [*(token for kind in TOKENS.values() for token in kind), *_literal_words()]
    change = draw(st.sampled_from(("lost", "doubled", "another", "more")))
    replacement = {"lost": [], "doubled": [tokens[place]] * 2}.get(change)
    if replacement is None:
        other = draw(st.sampled_from(others))
        replacement = [other] if change == "another" else [other, tokens[place]]
    return [*tokens[:place], *replacement, *tokens[place + 1 :]]


@cache
def _literal_words() -> tuple[str, ...]:
    return tuple(sorted(set(re.findall(r"'([^']*)'", RULES))))
