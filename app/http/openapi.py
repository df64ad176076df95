"""The OpenAPI document without what the framework adds and no message has."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from qstill.contract.errors import PROBLEM_MEDIA_TYPE


def install(application: FastAPI) -> None:
    application.openapi = _documented(application.openapi)  # type: ignore[method-assign]


def _documented(describe: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The OpenAPI document without what the framework adds and no message has: null parameters, problems as JSON."""

    def openapi() -> dict[str, Any]:
        document = describe()
        operations = [operation for path in document["paths"].values() for operation in path.values()]
        for parameter in (parameter for operation in operations for parameter in operation.get("parameters", ())):
            match parameter["schema"]:
                case {"anyOf": [only, {"type": "null"}], **others}:
                    parameter["schema"] = only | others
        for answer in (answer for operation in operations for answer in operation["responses"].values()):
            content = answer.get("content", {})
            if PROBLEM_MEDIA_TYPE in content:
                content.pop("application/json", None)
        return document

    return openapi
