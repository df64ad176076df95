"""Ids in paths: a job's own, or a circuit of a job of several as `job_…-2`.

Paths take nothing else for an id, so that `jobs/estimate` is no job whatever the method.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field
from starlette.convertors import StringConvertor, register_url_convertor

from qstill.contract.answers.jobs import EXAMPLE_ID
from qstill.contract.errors import Problem

Uuid = Annotated[UUID, Field(examples=["0193a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"])]
PATTERN = r"job_[0-9a-f]{32}(?:-(?:0|[1-9][0-9]{0,3}))?"
JOB = "/jobs/{job_id:ionq_job}"  # of the paths below

IonqJobId = Annotated[
    str, Path(pattern=f"^{PATTERN}$", description="A job, or a circuit of one of several.", examples=[EXAMPLE_ID])
]


class _IonqJobId(StringConvertor):
    regex = PATTERN


register_url_convertor("ionq_job", _IonqJobId())


def child_id(job_id: str, index: int) -> str:
    return f"{job_id}-{index}"


def split_id(text: str) -> tuple[str, int | None]:
    """A job's id, and which of its circuits is meant."""
    job_id, _, index = text.partition("-")
    return job_id, int(index) if index else None


def whole_job(text: str) -> str:
    """The same where one circuit alone cannot be meant. Raises Problem (400)."""
    job_id, index = split_id(text)
    if index is not None:
        raise Problem("part_of_a_job", f"This is one circuit of {job_id}; name that job.", status=400)
    return job_id
