"""`results.json` as text. Python's encoder takes three times as long for the counts of a hundred thousand outcomes."""

import json
from collections.abc import Mapping
from typing import Any


def results_json(entries: list[dict[str, Any]]) -> str:
    """The results of circuits, each as `entry_of` made it."""
    return '{"bit_order": "little", "circuits": [' + ", ".join(map(_entry, entries)) + "]}"


def _entry(entry: Mapping[str, Any]) -> str:
    """A value that is a mapping is one from keys of 0 and 1, or names of parameters, to finite numbers."""
    fields = (
        f'"{name}": {_numbers(value) if isinstance(value, dict) else json.dumps(value)}'
        for name, value in entry.items()
    )
    return "{" + ", ".join(fields) + "}"


def _numbers(numbers: Mapping[str, float]) -> str:
    return "{" + ", ".join([f'"{key}": {number!r}' for key, number in numbers.items()]) + "}"
