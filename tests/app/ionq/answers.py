"""What every answer of the IonQ door has to look like."""

from typing import Any

import httpx

Json = dict[str, Any]


def refused_as_by_ionq(answer: httpx.Response, status: int | None = None) -> Json:
    """The error of an answer that must be one: in the one form that all clients read, and no status they retry."""
    document: Json = answer.json()
    assert set(document) <= {"statusCode", "error", "message", "validation"}, document
    assert document["statusCode"] == answer.status_code == (status or answer.status_code), document
    assert 400 <= answer.status_code < 500
    assert answer.status_code not in (409, 422)
    assert isinstance(document["error"], str)
    assert document["message"]
    if "validation" in document:
        assert document["validation"]["source"] in ("body", "query")
        assert document["validation"]["keys"]
    return document
