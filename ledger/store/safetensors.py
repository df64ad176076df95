"""The card in a model's file, read without loading the model: a safetensors file begins with JSON."""

import json
from pathlib import Path
from typing import Any

from qstill.contract.errors import Problem

CARD = "qstill"  # the key of the metadata
MAX_HEADER = 100_000_000  # bytes, the format's own limit; half a million names of users take a tenth of it


def read_card(place: Path) -> dict[str, Any]:
    """What a model needs besides its weights. Raises Problem: 404 where the file has no card, 410 where it is gone."""
    try:
        with place.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if length <= MAX_HEADER else {}
        card = json.loads(header["__metadata__"][CARD])
    except FileNotFoundError:
        raise Problem("content_gone", "The content was deleted.", status=410) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        card = None
    if not isinstance(card, dict):
        title = "The file has no card: those of this service's checkpoints have one, which an uploaded model may lack."
        raise Problem("no_card", title, status=404)
    return card
