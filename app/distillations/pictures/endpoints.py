"""/v1/distillations/…/plots: the pictures of a report."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from app.distillations.pictures.of_any import TITLES, draw, drawable
from app.distillations.pictures.plots import AnyPlotName
from app.distillations.stored_report import answers_with, rendered
from app.http.auth import Owner
from app.http.etag import IfNoneMatch
from app.http.front import AtHand
from app.http.refusals.problems import problems
from app.jobs.answers import JobId
from qstill.contract.answers.artifacts import PlotView
from qstill.contract.answers.pages import Page
from qstill.contract.distillations.reports import read_any

JSON, SVG = "application/json", "image/svg+xml"

router = APIRouter(prefix="/v1/distillations", tags=["distillations"], responses=problems(401, 403, 422))

Plot = Annotated[AnyPlotName, Path(description="Which picture.", examples=["curves"])]


@router.get(
    "/{job_id}/plots",
    response_model=Page[PlotView],
    responses=problems(404, 409) | {304: {"description": "Unchanged since the ETag that you have."}},
)
async def list_plots(job_id: JobId, front: AtHand, owner: Owner, if_none_match: IfNoneMatch = None) -> Response:
    """The pictures that the report has, in the order in which a page would show them."""

    def write(document: dict[str, Any]) -> str:
        names = drawable(read_any(document))
        views = [_view(job_id, name) for name in names]
        page: Page[PlotView] = Page(
            data=views,
            has_more=False,
            first_id=names[0] if names else None,
            last_id=names[-1] if names else None,
        )
        return json.dumps(page.model_dump(mode="json"))

    return await rendered(front, owner, job_id, if_none_match, write, JSON)


@router.get("/{job_id}/plots/{plot}.svg", response_class=Response, responses=answers_with(SVG, "The picture."))
async def get_plot(
    job_id: JobId, plot: Plot, front: AtHand, owner: Owner, if_none_match: IfNoneMatch = None
) -> Response:
    """A picture of the report.

    `curves`: validation accuracy and loss over the epochs. `reliability`: accuracy over confidence. `per_class`: what
    the teacher changed in each class. `pareto`: accuracy over bytes, of all networks and exports. `compression`:
    accuracy over bytes and over latency, of all that was pruned, quantised or distilled. Of quantum students there are
    `shots` and `noise` besides: accuracy over shots and over the strength of the noise, where they ran on the engine;
    and `expressibility`: how much of its space the circuit reaches, and how steep it is in each angle. Where a circuit
    taught there is `surrogate`: the student beside it along one input, and how far both are off.
    Where a budget chose the student there is `budget`: what each candidate is worth, over its size.
    Of recommenders there are `curves`, and `ranking`: each measure, and what the teacher changed, with its interval.
    Of a circuit made shorter there are `noise`, its fidelity over the strength of the noise before and after, and
    `curves`: how each depth was fitted. Of shots there are `curves`, the student's likelihood, and `distribution`: what
    is said of the keys that were read most often. Of an encoder there are `curves`.
    """
    return await rendered(front, owner, job_id, if_none_match, lambda document: draw(plot, read_any(document)), SVG)


def _view(job_id: str, name: AnyPlotName) -> PlotView:
    return PlotView(name=name, title=TITLES[name], links={"self": f"/v1/distillations/{job_id}/plots/{name}.svg"})
