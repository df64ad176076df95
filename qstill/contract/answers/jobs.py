"""A job as its owner sees it."""

from typing import Any, Literal

from pydantic import Field

from qstill.contract.kinds import IN_WORDS
from qstill.contract.schemas import Moment, View
from qstill.contract.status import Status

EXAMPLE_ID = "job_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"


class Progress(View):
    """How far a job is."""

    phase: str = Field(description="What it is doing.", examples=["student seed 1/3"])
    done: float = Field(description="How many units are done.", examples=[12])
    total: float = Field(description="Of how many.", examples=[40])
    unit: str = Field(description="What is counted.", examples=["epochs"])
    metrics: dict[str, float] = Field(description="Figures of this moment.", examples=[{"loss": 0.31}])


class JobView(View):
    """A job."""

    object: Literal["job"] = Field("job", description="What this is.")
    id: str = Field(description="Sorts by age.", examples=[EXAMPLE_ID])
    kind: str = Field(description=f"{IN_WORDS}.", examples=["circuit"])
    status: Status = Field(description="succeeded, failed and cancelled are final.")
    name: str | None = Field(description="As submitted.", examples=["bell"])
    labels: dict[str, str] = Field(description="As submitted.", examples=[{"course": "qc101"}])
    priority: int = Field(description="Higher runs earlier among your jobs of a queue.", examples=[0])
    attempts: int = Field(
        description="How often a worker began it and did not give it back in good order.", examples=[1]
    )
    created_at: Moment = Field(description="When it was submitted.")
    started_at: Moment | None = Field(description="When a worker first began it.")
    finished_at: Moment | None = Field(description="When it became final.")
    progress: Progress | None = Field(description="How far it is, or was when last heard of.")
    headline: str | None = Field(
        description="What came of it, in a sentence: the verdict, the answer or the most frequent outcome, or why it "
        "failed. Null before its end.",
        examples=["00 in 50.7% of 1,000 shots"],
    )
    result: dict[str, Any] | None = Field(
        description="The short result; the kind's own endpoints have the rest.",
        examples=[{"method": "stabilizer", "shots": 1000}],
    )
    error: dict[str, Any] | None = Field(description="Why it failed: a problem document.", examples=[None])
    last_event: int = Field(
        description="The number of its newest event: `after` a smaller one, `/events` tells what came since.",
        examples=[3],
    )
    links: dict[str, str] = Field(description="Where its parts are.", examples=[{"self": f"/v1/jobs/{EXAMPLE_ID}"}])


class EventView(View):
    """One entry of a job's log."""

    seq: int = Field(description="1, 2, 3, … within the job: pass it as `after` or `Last-Event-ID`.", examples=[3])
    kind: str = Field(description="A state that the job entered, or what it did there.", examples=["epoch"])
    data: dict[str, Any] = Field(description="What there is to say about it.", examples=[{"epoch": 3, "loss": 0.31}])
    created_at: Moment = Field(description="When it happened.")
