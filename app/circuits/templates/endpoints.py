"""/v1/circuits/templates: what circuits with known answers there are."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.circuits.templates.catalogue import catalogue
from app.http.auth import Owner
from app.http.refusals.problems import problems
from qstill.contract.answers.pages import Page
from qstill.contract.answers.templates import TemplateView
from qstill.contract.errors import Problem

router = APIRouter(prefix="/v1/circuits/templates", tags=["circuits"], responses=problems(401, 403, 422))


@router.get("")
async def list_templates(owner: Owner) -> Page[TemplateView]:
    """Circuits with known answers, each explained, with the schema of its parameters and a body that works."""
    found = catalogue()
    return Page(data=found, has_more=False, first_id=found[0].name, last_id=found[-1].name)


@router.get("/{name}", responses=problems(404))
async def get_template(name: Annotated[str, Path(description="The template's name.")], owner: Owner) -> TemplateView:
    """One circuit with a known answer."""
    for template in catalogue():
        if template.name == name:
            return template
    known = ", ".join(template.name for template in catalogue())
    raise Problem("not_found", f"There is no such template. Known: {known}.", status=404)
