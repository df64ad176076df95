"""JSON pointers into a body as it was sent, from the locations of pydantic's errors."""

from collections.abc import Sequence
from typing import Any

DISCRIMINATORS = ("format", "source", "kind", "model")  # the fields that choose the member of a union
MAX_ECHO = 500  # characters of a detail or of a key in a pointer: a wrong tag of megabytes is not sent back


def json_pointer(path: Sequence[str | int], body: Any, *, last_is_key: bool) -> str:
    """The RFC 6901 pointer of a validation error's location, without the names of union members that pydantic adds.

    last_is_key: the last part names a field even though the body lacks it.
    """
    parts: list[str] = []
    chosen = False  # whether the union member of this object is behind us
    for position, part in enumerate(path):
        following = path[position + 1 :]
        if not chosen and _is_tag(part, following, body, last_is_key=last_is_key):
            chosen = True
            continue
        match body, part:
            case dict(), _ if part in body:
                body, chosen = body[part], False
            case list(), int() if part < len(body):
                body, chosen = body[part], False
            case _ if following or not last_is_key:
                continue
        parts.append(str(part)[:MAX_ECHO].replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)


def _is_tag(part: str | int, following: Sequence[str | int], body: Any, *, last_is_key: bool) -> bool:
    """Whether a part is no field but a union member's name, which a field may have too: `file` in a data set's."""
    if not isinstance(body, dict) or not following or part not in (body.get(name) for name in DISCRIMINATORS):
        return False
    return following[0] in body or (last_is_key and len(following) == 1)
