"""Lists: keyset cursors, newest first, one envelope. A page never shifts when something is added."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Query, Request, Response
from sqlalchemy import Connection

from app.http.auth import Owner
from app.http.front import AtHand, Front
from ledger.database import Cursors, Record
from ledger.ids import id_pattern
from qstill.contract.answers.pages import Page
from qstill.contract.errors import Problem

T = TypeVar("T")

MAX_PAGE = 1_000  # rows of a page


Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Entries of a page.")]


@dataclass(frozen=True)
class Lister:
    """Which page of whose list is wanted."""

    request: Request
    response: Response
    front: Front
    owner: str
    after: str | None
    before: str | None
    limit: int

    async def page(
        self, find: Callable[[Connection, Cursors], Sequence[Record]], view: Callable[[Record], T]
    ) -> Page[T]:
        """The envelope of up to `limit` of the rows that `find` finds, with its `Link` header (RFC 8288).

        Raises Problem where both cursors are given.
        """
        after, before, limit = self.after, self.before, self.limit
        if after is not None and before is not None:
            raise Problem("two_cursors", "Give `after` or `before`, not both.", status=422)
        cursors = Cursors(after=after, before=before, limit=limit + 1)  # one more says whether there is another page
        rows = await self.front.read(lambda connection: find(connection, cursors))
        has_more = len(rows) > limit
        rows = rows[-limit:] if before and has_more else rows[:limit]
        if has_more and rows:
            cursor = {"before": rows[0].id} if before else {"after": rows[-1].id}
            following = self.request.url.remove_query_params(["after", "before"]).include_query_params(**cursor)
            self.response.headers["Link"] = f'<{following}>; rel="{"prev" if before else "next"}"'
        first, last = (rows[0].id, rows[-1].id) if rows else (None, None)
        return Page(data=[view(row) for row in rows], has_more=has_more, first_id=first, last_id=last)


def lister_of(kind: str) -> Callable[..., Awaitable[Lister]]:
    """The dependency that reads what a list of rows of this kind is asked for."""
    cursor = Query(pattern=id_pattern(kind), description="An id from the page before.")

    async def lister(
        request: Request,
        response: Response,
        front: AtHand,
        owner: Owner,
        after: Annotated[str | None, cursor] = None,
        before: Annotated[str | None, cursor] = None,
        limit: Limit = 20,
    ) -> Lister:
        return Lister(request, response, front, owner, after, before, limit)

    return lister
