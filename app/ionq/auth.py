"""Who asks at the IonQ door: `Authorization: apiKey KEY` with a key of this service.

Without keys everybody on this machine may ask, whatever key their client insists on sending.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader

from app.errors import Problem
from app.http.auth import owner_of
from app.http.front import AtHand
from app.keys.keyring import EVERYBODY

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
    if owner == EVERYBODY and "origin" in request.headers:
        # Some clients send JSON without saying so, as a page of another site may, too, unasked.
        raise Problem("not_local", "Web pages may not use a service without keys.", status=403)
    return owner


IonqOwner = Annotated[str, Depends(_owner)]
