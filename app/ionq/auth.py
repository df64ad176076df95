"""Who asks at the IonQ door: `Authorization: apiKey KEY` with a key of this service.

Without keys everybody on this machine may ask, whatever key their client insists on sending.
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader

from app.http.auth import owner_of
from app.http.front import AtHand
from app.keys.keyring import EVERYBODY
from qstill.contract.errors import Problem

SCHEMES = ("apikey", "bearer")

_header = APIKeyHeader(
    name="Authorization",
    scheme_name="IonqKey",
    auto_error=False,
    description="`apiKey KEY`, a key made by `qstill keys create`; not needed until one exists.",
)


async def _owner(request: Request, front: AtHand, header: Annotated[str | None, Depends(_header)]) -> str:
    scheme, _, token = (header or "").partition(" ")
    try:
        owner = await owner_of(request, front, token.strip() if scheme.lower() in SCHEMES else None)
    except Problem as problem:
        if problem.status == 401:
            problem.title = "This service needs a key of its own: send `Authorization: apiKey KEY`."
        raise
    if owner == EVERYBODY and not _asked_by_no_other_page(request):
        # Some clients send JSON without saying so, as a page of another site may, too, unasked.
        raise Problem("not_local", "Pages of other sites may not use a service without keys.", status=403)
    return owner


def _asked_by_no_other_page(request: Request) -> bool:
    """Whether a program asks, or a page of this very service: its name was found to be a local one before."""
    origin = request.headers.get("origin")
    if origin is None:
        return True
    page = urlsplit(origin)
    return (page.scheme, page.netloc.lower()) == (request.url.scheme, request.headers.get("host", "").lower())


IonqOwner = Annotated[str, Depends(_owner)]
