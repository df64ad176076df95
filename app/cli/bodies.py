"""What a command reads from a file: a body as JSON, or a circuit as text."""

import json
import sys
from pathlib import Path
from typing import Any

import click


def read_body(file: Path) -> dict[str, Any]:
    """A JSON object. `-` is standard input. Raises ClickException."""
    try:
        body = json.loads(_text(file), object_pairs_hook=_members, parse_constant=_no_constant)
    except ValueError as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from None
    except RecursionError:
        raise click.ClickException(f"{file} is not read: its brackets lie too deep in each other") from None
    if not isinstance(body, dict):
        raise click.ClickException(f"{file} holds no JSON object")
    return body


def circuit_in(file: Path) -> dict[str, Any]:
    """The body of a job: JSON as it stands, or a program in OpenQASM. Raises ClickException."""
    if str(file) == "-" or file.suffix == ".json":
        return read_body(file)
    source = _text(file)
    if source.lstrip().startswith("{"):
        return read_body(file)
    version = "openqasm2" if "OPENQASM 2" in source else "openqasm3"
    return {"circuit": {"format": version, "source": source}}


def _text(file: Path) -> str:
    """Raises ClickException."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not JSON: it is no text in UTF-8") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Raises ValueError for a member that stands there twice: only the last would have been sent."""
    found, names = dict(pairs), [name for name, _ in pairs]
    if len(found) < len(names):
        raise ValueError(f"an object has the member {max(names, key=names.count)!r} twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")
