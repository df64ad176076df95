"""The service, from Python.

from qstill.client import Client
print(Client().run("bell").counts)
"""

from qstill.client.aio import AsyncClient, AsyncJob
from qstill.client.errors import (
    Conflict,
    Invalid,
    JobFailed,
    MissingLibrary,
    NotFound,
    TimedOut,
    TooMany,
    Unauthorised,
    Unavailable,
    Unreachable,
)
from qstill.client.results import Result, Results
from qstill.client.students import Student
from qstill.client.sync import Client, Job
from qstill.contract.errors import Problem

__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Conflict",
    "Invalid",
    "Job",
    "JobFailed",
    "MissingLibrary",
    "NotFound",
    "Problem",
    "Result",
    "Results",
    "Student",
    "TimedOut",
    "TooMany",
    "Unauthorised",
    "Unavailable",
    "Unreachable",
]
