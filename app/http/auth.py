"""Who asks: the owner of the key in `Authorization: Bearer KEY`, or everybody on a loopback service without keys."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.http.front import AtHand, Front
from app.keys.keyring import EVERYBODY
from ledger.settings import LOOPBACK
from qstill.contract.errors import Problem

_bearer = HTTPBearer(auto_error=False, description="A key made by `qstill keys create`; not needed until one exists.")


async def _owner(
    request: Request, front: AtHand, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    return await owner_of(request, front, credentials.credentials if credentials else None)


async def owner_of(request: Request, front: Front, token: str | None) -> str:
    """Who sent a request with this token. Raises Problem (401, 403)."""
    keyring = front.keyring
    owner = await run_in_threadpool(keyring.owner, token) if keyring.stale() else keyring.owner(token)
    if owner == EVERYBODY and not _asked_by_a_local_name(request):
        raise Problem(
            "not_local",
            "A service without keys answers only to localhost; make a key with `qstill keys create NAME`.",
            status=403,
        )
    return owner


def _asked_by_a_local_name(request: Request) -> bool:
    """A web page that had its own name resolved to 127.0.0.1 (DNS rebinding) still sends that name as Host."""
    host = request.headers.get("host", "").rsplit("]", 1)
    name = host[0].lstrip("[") if len(host) == 2 else host[0].rsplit(":", 1)[0]
    return name.lower() in LOOPBACK


Owner = Annotated[str, Depends(_owner)]
