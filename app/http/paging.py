"""Lists: keyset cursors, newest first, one envelope. A page never shifts when something is added."""

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from qstill.contract.errors import Problem

T = TypeVar("T")

MAX_PAGE = 1_000  # rows of a page


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    object: Literal["list"] = Field("list", description="What this is.")
    data: list[T] = Field(description="The entries, in the order of the list.")
    has_more: bool = Field(description="Whether there is another page in the direction that was asked for.")
    first_id: str | None = Field(description="Pass it as `before` for newer entries.")
    last_id: str | None = Field(description="Pass it as `after` for older entries.")


Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Entries of a page.")]


def check_cursors(after: str | None, before: str | None) -> None:
    if after is not None and before is not None:
        raise Problem("two_cursors", "Give `after` or `before`, not both.", status=422)


def page(
    request: Request, response: Response, rows: Sequence[T], ids: Sequence[str], *, limit: int, before: bool
) -> Page[T]:
    """The envelope of up to `limit` of the rows (one more was asked for), with its `Link` header (RFC 8288)."""
    has_more = len(rows) > limit
    kept = slice(-limit, None) if before and has_more else slice(limit)
    rows, ids = rows[kept], ids[kept]
    if has_more and ids:
        cursor = {"before": ids[0]} if before else {"after": ids[-1]}
        following = request.url.remove_query_params(["after", "before"]).include_query_params(**cursor)
        response.headers["Link"] = f'<{following}>; rel="{"prev" if before else "next"}"'
    return Page(data=list(rows), has_more=has_more, first_id=ids[0] if ids else None, last_id=ids[-1] if ids else None)
