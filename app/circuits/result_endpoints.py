"""/v1/circuits/{id}: what a finished circuit job found, as numbers, as pictures, and as it was stored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse

from app.circuits.comparison import IDEAL, ideal_reference, job_reference
from app.circuits.histogram.answer import MAX_OUTCOMES, histogram_view
from app.circuits.histogram.chart import MAX_BARS, histogram_chart
from app.circuits.histogram.png import chart_png
from app.circuits.histogram.svg import chart_svg
from app.circuits.outcome_keys import key_writer
from app.circuits.stored_results import StoredResults, find_results, finished_job, read_circuit, stored_circuit
from app.http.auth import Owner
from app.http.content import send_bytes, send_file
from app.http.etag import IfNoneMatch, etag, unchanged
from app.http.front import AtHand, Front
from app.http.refusals.problems import problems
from app.jobs.answers import JobId
from ledger import queries
from ledger.database import Record
from ledger.ids import id_pattern
from qstill import __version__
from qstill.contract.answers.jobs import EXAMPLE_ID
from qstill.contract.circuits.outputs import StateName
from qstill.contract.circuits.results.answers import BitOrder, HistogramView, IntervalMethod, KeyFormat, MemoryView
from qstill.contract.errors import Problem

JSON, NPY, PNG, SVG, TEXT = "application/json", "application/x-npy", "image/png", "image/svg+xml", "text/plain"
MAX_INDEX = 99_999

router = APIRouter(prefix="/v1/circuits", tags=["circuits"], responses=problems(401, 403, 422))

UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged since the ETag that you have."}}


def answers(description: str, **content: Any) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint that reads a finished job. content: the schema of each media type."""
    return problems(404, 409, 410) | UNCHANGED | {200: {"description": description, **content}}


SVG_PICTURE = answers("A picture.", content={SVG: {"schema": {"type": "string"}}})
PNG_PICTURE = answers("A picture.", content={PNG: {"schema": {"type": "string", "format": "binary"}}})
RESULTS = (
    answers("The results, or one circuit's.", content={JSON: {"schema": {"type": "object"}}})
    | problems(400, 416)
    | {206: {"description": "The part that `Range` asked for.", "content": {JSON: {}}}}
)
STATE = answers("The array.", content={NPY: {"schema": {"type": "string", "format": "binary"}}}) | problems(400, 416)
MEMORY = answers("Each shot's outcome.", content={TEXT: {"schema": {"type": "string"}}})

Index = Annotated[int, Query(ge=0, le=MAX_INDEX, description="Which circuit of the job.", examples=[0])]
BitOrderWanted = Annotated[
    BitOrder, Query(description="`little`: bit 0 is a key's rightmost character, as in Qiskit. `big`: its leftmost.")
]
KeyFormatWanted = Annotated[
    KeyFormat,
    Query(
        description="How keys are written: `binary`, with a space between classical `registers` as in Qiskit, "
        "or the value of the binary key in `hex` or `decimal`."
    ),
]
Bars = Annotated[int, Query(ge=1, le=MAX_BARS, description="Bars at most; the other outcomes are summed up.")]


@dataclass(frozen=True)
class Wanted:
    """Whose counts are read, how they are written, and what they are compared with."""

    job_id: str
    front: Front
    owner: str
    if_none_match: str | None
    index: int
    bit_order: BitOrder
    key_format: KeyFormat
    interval: IntervalMethod
    compare: str | None
    compare_index: int


async def _wanted(  # async: FastAPI sends a plain function to a thread
    job_id: JobId,
    front: AtHand,
    owner: Owner,
    index: Index = 0,
    bit_order: BitOrderWanted = "little",
    key_format: KeyFormatWanted = "binary",
    interval: Annotated[
        IntervalMethod,
        Query(description="How the 95% intervals are computed: `wilson` (score) or `clopper_pearson` (exact, wider)."),
    ] = "wilson",
    compare: Annotated[
        str | None,
        Query(
            pattern=f"^{IDEAL}$|{id_pattern('job')}",
            description="`ideal`: beside the exact distribution, where one was stored. The id of another finished "
            "circuit job of yours: beside its counts.",
            examples=[IDEAL, EXAMPLE_ID],
        ),
    ] = None,
    compare_index: Annotated[
        int, Query(ge=0, le=MAX_INDEX, description="Which circuit of the other job.", examples=[0])
    ] = 0,
    if_none_match: IfNoneMatch = None,
) -> Wanted:
    return Wanted(job_id, front, owner, if_none_match, index, bit_order, key_format, interval, compare, compare_index)


HistogramWanted = Annotated[Wanted, Depends(_wanted)]


@router.get("/{job_id}/histogram", response_model=HistogramView, responses=answers("The counts."))
async def get_histogram(
    wanted: HistogramWanted,
    top: Annotated[
        int,
        Query(
            ge=1,
            le=MAX_OUTCOMES,
            description="Only the most frequent outcomes; the others are summed up. `results` has them all.",
        ),
    ] = MAX_OUTCOMES,
) -> Response:
    """How often each outcome was read, with its probability and 95% interval, and on request beside a reference."""
    return await _histogram(wanted, top, _as_json)


@router.get("/{job_id}/histogram.svg", responses=SVG_PICTURE, response_class=Response)
async def get_histogram_svg(wanted: HistogramWanted, top: Bars = MAX_BARS) -> Response:
    """The histogram as a picture that stands alone."""
    return await _histogram(wanted, top, _as_svg)


@router.get("/{job_id}/histogram.png", responses=PNG_PICTURE, response_class=Response)
async def get_histogram_png(wanted: HistogramWanted, top: Bars = MAX_BARS) -> Response:
    """The same picture as PNG, two pixels for each of the SVG's."""
    return await _histogram(wanted, top, _as_png)


@router.get("/{job_id}/results", responses=RESULTS, response_class=Response)
async def get_results(
    job_id: JobId,
    request: Request,
    front: AtHand,
    owner: Owner,
    index: Annotated[
        int | None, Query(ge=0, le=MAX_INDEX, description="Only this circuit of the job.", examples=[0])
    ] = None,
) -> Response:
    """All that the job found, as it was stored. Keys are little-endian: bit 0 is the rightmost character."""
    results = await find_results(front, owner, job_id)
    artifact = results.artifact
    if index is None:
        return _send(request, front, artifact, JSON)
    return JSONResponse(await run_in_threadpool(read_circuit, front, results, index))


@router.get("/{job_id}/memory", response_model=MemoryView, responses=MEMORY)
async def get_memory(
    job_id: JobId,
    front: AtHand,
    owner: Owner,
    index: Index = 0,
    bit_order: BitOrderWanted = "little",
    key_format: KeyFormatWanted = "binary",
    format: Annotated[
        Literal["json", "text"], Query(description="`text`: plain lines, one for each shot.", examples=["text"])
    ] = "json",
) -> Response:
    """What each shot read, one key for each; there if `memory` was among the job's outputs."""
    results = await find_results(front, owner, job_id)
    return await run_in_threadpool(_memory, front, results, index, bit_order, key_format, format)


@router.get("/{job_id}/{state}.npy", responses=STATE, response_class=Response)
async def get_state(
    job_id: JobId,
    state: Annotated[StateName, Path(description="What was among the job's outputs.", examples=["statevector"])],
    request: Request,
    front: AtHand,
    owner: Owner,
    index: Index = 0,
) -> Response:
    """A state as numpy writes it: `numpy.load(file)`; complex128, qubit 0 the low bit of an index."""
    name = f"{state}-{index}.npy"
    return await _artifact(request, front, owner, job_id, "array", name, NPY)


@router.get("/{job_id}/diagram.svg", responses=SVG_PICTURE, response_class=Response)
async def get_diagram(job_id: JobId, request: Request, front: AtHand, owner: Owner) -> Response:
    """The circuit as a picture."""
    return await _artifact(request, front, owner, job_id, "diagram", "diagram.svg", SVG)


async def _artifact(
    request: Request, front: Front, owner: str, job_id: str, kind: str, name: str, media_type: str
) -> Response:
    await finished_job(front, owner, job_id)
    found = await front.read_by_key(lambda connection: queries.get_artifact(connection, job_id, kind, name))
    if found is None:
        raise Problem("not_found", f"The job has no {name}.", status=404)
    return _send(request, front, found, media_type)


def _send(request: Request, front: Front, artifact: Record, media_type: str) -> Response:
    if artifact.content is not None:
        return send_bytes(request, artifact.content, sha256=artifact.sha256, media_type=media_type)
    return send_file(request, front.store.locate(artifact.path), sha256=artifact.sha256, media_type=media_type)


async def _histogram(wanted: Wanted, top: int, render: Callable[[HistogramView], Response]) -> Response:
    results = await find_results(wanted.front, wanted.owner, wanted.job_id)
    other = await _other(wanted.front, wanted.owner, wanted.compare) if wanted.compare not in (None, IDEAL) else None
    versions = [each.artifact.sha256[:32] for each in (results, other) if each is not None]
    tag = etag("-".join([*versions, __version__]))  # another version of the service may draw it otherwise
    if unchanged(tag, wanted.if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    answer = await run_in_threadpool(_read_and_render, results, other, wanted, top, render)
    answer.headers["ETag"] = tag
    return answer


async def _other(front: Front, owner: str, job_id: str) -> StoredResults:
    """The results to compare with. What is wrong with them is wrong with the parameter, and says so."""
    try:
        return await find_results(front, owner, job_id)
    except Problem as problem:
        problem.errors = [{"parameter": "compare", "code": problem.code, "detail": problem.title}]
        raise


def _read_and_render(
    results: StoredResults,
    other: StoredResults | None,
    wanted: Wanted,
    top: int,
    render: Callable[[HistogramView], Response],
) -> Response:
    stored = stored_circuit(wanted.front, results, wanted.index)
    reference = None
    if other is not None:
        reference = job_reference(stored, stored_circuit(wanted.front, other, wanted.compare_index))
    elif wanted.compare == IDEAL:
        reference = ideal_reference(stored)
    view = histogram_view(
        stored,
        bit_order=wanted.bit_order,
        key_format=wanted.key_format,
        interval=wanted.interval,
        top=top,
        reference=reference,
    )
    return render(view)


def _as_json(view: HistogramView) -> Response:
    return Response(view.model_dump_json(by_alias=True), media_type=JSON)  # here: the event loop has others to serve


def _as_svg(view: HistogramView) -> Response:
    return Response(chart_svg(histogram_chart(view)), media_type=SVG)


def _as_png(view: HistogramView) -> Response:
    return Response(chart_png(histogram_chart(view)), media_type=PNG)


def _memory(
    front: Front,
    results: StoredResults,
    index: int,
    bit_order: BitOrder,
    key_format: KeyFormat,
    format: Literal["json", "text"],
) -> Response:
    circuit = read_circuit(front, results, index)
    if "memory" not in circuit:
        raise Problem(
            "no_memory",
            "The outcome of each shot was not kept; ask for it when you submit the circuit.",
            status=404,
            ways_out=[{"outputs": ["counts", "memory"]}],
        )
    registers, clbits = circuit["registers"], circuit["clbits"]
    write = key_writer(key_format=key_format, bit_order=bit_order, registers=registers, clbits=clbits)
    memory = list(map(cache(write), circuit["memory"]))
    if format == "text":
        return PlainTextResponse("".join(f"{key}\n" for key in memory))
    view = MemoryView(
        index=index,
        shots=circuit["shots"],
        clbits=clbits,
        bit_order=bit_order,
        key_format=key_format,
        memory=memory,
    )
    return Response(view.model_dump_json(), media_type=JSON)
