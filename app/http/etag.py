"""Versions of things: `ETag`, `If-None-Match`, `If-Match` (RFC 9110, section 13)."""

from typing import Annotated

from fastapi import Header

from qstill.contract.errors import Problem

IfNoneMatch = Annotated[str | None, Header(description="The ETag that you have; unchanged answers 304.")]
IfMatch = Annotated[str | None, Header(description="The ETag that you saw; a job that changed since answers 412.")]


def etag(version: int | str) -> str:
    return f'"{version}"'


def unchanged(tag: str, if_none_match: str | None) -> bool:
    """Whether the client has this version already (weak comparison)."""
    if if_none_match is None:
        return False
    tags = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return tag in tags or "*" in tags


def wanted_version(if_match: str | None) -> int | None:
    """The version that a change is meant for; None for any. Raises Problem (412) for what is no version of ours."""
    if if_match is None or if_match.strip() == "*":
        return None
    digits = if_match.strip().strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Problem("version_mismatch", "If-Match names no version of this job.", status=412)
    return int(digits)
