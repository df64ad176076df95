"""One exception for everything that can go wrong with a request or a job, and its RFC 9457 problem document.

A `Problem` raised in an endpoint becomes the response; raised in a worker it becomes the job's `error`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

PROBLEM_MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """What went wrong, where, and the way out.

    code: stable, snake_case; programs match on it. status: the HTTP status. title: one sentence for a person.
    pointer: the JSON pointer (RFC 6901) of the field at fault, from the root of the request body.
    ways_out: objects that would work instead, shown as `try`. ruled_out: what would not work either, and why.
    errors: one entry per field when several are wrong.
    """

    def __init__(
        self,
        code: str,
        title: str,
        *,
        status: int = 422,
        pointer: str | None = None,
        ways_out: Sequence[Mapping[str, Any]] = (),
        ruled_out: Sequence[Mapping[str, Any]] = (),
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.code = code
        self.title = title
        self.status = status
        self.pointer = pointer
        self.ways_out = list(ways_out)
        self.ruled_out = list(ruled_out)
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The problem document; absent members are left out."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code.replace('_', '-')}",
            "code": self.code,
            "status": self.status,
            "title": self.title,
        }
        if self.pointer is not None:
            document["pointer"] = self.pointer
        if self.ways_out:
            document["try"] = self.ways_out
        if self.ruled_out:
            document["ruled_out"] = self.ruled_out
        if self.errors:
            document["errors"] = self.errors
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The problem that `document()` told of."""
        return cls(
            document["code"],
            document["title"],
            status=document["status"],
            pointer=document.get("pointer"),
            ways_out=document.get("try", ()),
            ruled_out=document.get("ruled_out", ()),
            errors=document.get("errors", ()),
        )

    def within(self, prefix: str) -> Self:
        """The same problem, its pointer moved under `prefix`: a parser need not know where its input stood."""
        self.pointer = prefix + (self.pointer or "")
        return self
