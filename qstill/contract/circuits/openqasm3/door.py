"""OpenQASM 3 at the front door: what is wrong with a program is said before it is queued, as far as a moment tells."""

from dataclasses import replace
from functools import lru_cache

from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.openqasm3.steps import Elaborated
from qstill.contract.errors import Problem

MAX_CHARACTERS = 40_000  # 30 ms on the event loop; a longer program is judged by the worker alone
LOOKED_AT = 10_000  # characters of a longer one
MAX_OPERATIONS = 5_000  # written out: loops have more than their text tells
USUAL = Limits()
_LEFT_TO_THE_WORKER = {
    "too_many_operations",
    "unbound_parameters",
}  # its bounds are wider, and it has the inputs' values


def check_openqasm3(source: str, limits: Limits = USUAL) -> None:
    """Raise `Problem` for what is wrong with a program, of a long one for what no end of it could mend."""
    if len(source) > MAX_CHARACTERS:
        _refuse_what_is_too_deep(source[:LOOKED_AT])
    else:
        elaborated(source, limits)


def elaborated(source: str, limits: Limits = USUAL) -> Elaborated | None:
    """The program's steps; None where it is too long to be looked at here. Raises `Problem` for what is wrong."""
    return None if len(source) > MAX_CHARACTERS else _elaborated(source, limits)


@lru_cache(8)  # a submission asks twice
def _elaborated(source: str, limits: Limits) -> Elaborated | None:
    try:
        from qstill.contract.circuits.openqasm3.reader import elaborate  # its syntax tree's package takes 0.2 s
    except ModuleNotFoundError:
        return None  # a client has no parser; the service, which is not started without one, will say what is wrong
    try:
        return elaborate(source, limits=replace(limits, operations=min(limits.operations, MAX_OPERATIONS)))
    except Problem as problem:
        final = problem.code == "too_many_operations" and limits.operations <= MAX_OPERATIONS
        if problem.code in _LEFT_TO_THE_WORKER and not final:
            return None
        raise


def _refuse_what_is_too_deep(beginning: str) -> None:
    from qstill.contract.circuits.openqasm3.syntax.statements import parse_program

    try:
        parse_program(beginning)
    except Problem as problem:
        if problem.code == "qasm_too_deep":
            raise


def warm() -> None:
    """Import what the first program would wait for. Raises ModuleNotFoundError where there is no parser."""
    from qstill.contract.circuits.openqasm3 import reader

    reader.elaborate("OPENQASM 3.0; qubit q;", limits=USUAL)
