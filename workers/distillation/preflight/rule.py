"""What a rule of a preflight gives: one piece of advice, or none."""

from collections.abc import Iterator

from qstill.contract.distillations.objectives import Place
from qstill.contract.distillations.preflight_parts import Advice, Severity, Suggestion

Rule = Iterator[Advice]


def advice(
    code: str,
    severity: Severity,
    detail: str,
    pointer: str | None = None,
    value: object = None,
    *,
    at: str | None = None,
) -> Advice:
    """value: what to write at `at`, or at the pointer; None suggests nothing."""
    place = at or pointer
    suggestion = None if value is None or place is None else Suggestion(pointer=place, value=value)
    return Advice(code=code, severity=severity, detail=detail, pointer=pointer, suggestion=suggestion)


def at(place: Place, field: str) -> str:
    return "".join(f"/{step}" for step in (*place, field))
