"""What cards are written in: Markdown whose texts from outside stay texts, and numbers as people read them."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

from qstill.contract.distillations.report.measured import NetworkCost, NetworkLatency
from qstill.contract.distillations.results import Spread

_SAFE = frozenset(" ,-;:+%")  # of ASCII's punctuation: what means nothing inside a line


def text(given: str) -> str:
    """A text from outside as one line of Markdown that shows it: no markup, link, HTML or line of its own."""
    return "".join(_character(each, after) for each, after in pairwise(f"{given} "))


def _character(each: str, after: str) -> str:
    if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn"):
        return "\ufffd"  # line breaks, controls, and what turns the direction of writing
    if not each.isascii() or each.isalnum() or each in _SAFE or (each == "." and not after.isalpha()):
        return each
    return f"\\{each}"


def flat(name: str, value: object) -> dict[str, str]:
    """A part of a body among its settings, in brackets; nothing where there is none."""
    return {name: f"({settings(value)})"} if isinstance(value, dict) else {}


def settings(given: dict[str, object]) -> str:
    """kind first, then name value, name value."""
    first = [str(given[name]) for name in ("kind", "source") if name in given]
    rest = [f"{name} {value}" for name, value in given.items() if name not in ("kind", "source") and value is not None]
    return ", ".join(first + rest)


def counted(cost: NetworkCost | None, name: str) -> str:
    """One number of what a network takes: parameters, bytes, multiply_adds."""
    found = None if cost is None or cost.size is None else getattr(cost.size, name)
    return f"{found:,}" if found else "unknown"


def spread(found: Spread, *, percent: bool) -> str:
    """Mean and standard deviation."""
    form = ".1%" if percent else ".4g" if abs(found.mean) >= 10 else ".4f"
    return f"{found.mean:{form}}" + ("" if found.sd is None else f" ± {found.sd:{form}}")


def milliseconds(latency: NetworkLatency) -> str:
    """Of one row: median and 95th percentile."""
    return f"{latency.p50_ms:.3f} / {latency.p95_ms:.3f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list of sentences from outside."""
    return "\n".join(f"- {text(line)}" for line in lines)
