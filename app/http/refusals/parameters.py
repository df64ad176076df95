"""Query parameters that an endpoint does not have are refused: `?dryrun=true` would otherwise run the job."""

from difflib import get_close_matches

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.http.refusals.pointers import MAX_ECHO
from qstill.contract.errors import Problem


async def _all_are_known(request: Request) -> None:  # async: FastAPI sends a plain function to a thread
    """Raises Problem (422)."""
    given = request.query_params.keys()
    if not given:  # as for nearly every request
        return
    route: APIRoute = request.scope["route"]
    known = list(dict.fromkeys(_names(route.dependant)))
    for name in given:
        if name not in known:
            detail = _unknown(name[:MAX_ECHO], known)
            fault = {"parameter": name[:MAX_ECHO], "code": "unknown_parameter", "detail": detail}
            raise Problem("unknown_parameter", detail, errors=[fault])


ALL_ARE_KNOWN = Depends(_all_are_known)


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name.lower(), known, n=1)
    suggestion = f" Did you mean `{near[0]}`?" if near else ""
    there_is = f"Known here: {', '.join(known)}." if known else "There are none here."
    return f"There is no query parameter `{name}`.{suggestion} {there_is}"


def _names(dependant: Dependant) -> list[str]:
    own = [field.alias for field in dependant.query_params]
    return own + [name for each in dependant.dependencies for name in _names(each)]
