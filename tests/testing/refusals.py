"""What is refused, for tests to look at."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from qstill.contract.errors import Problem


def problem_of(act: Callable[..., object], *given: object, **named: object) -> Problem:
    """The Problem that a call raises."""
    with pytest.raises(Problem) as caught:
        act(*given, **named)
    return caught.value


def errors_of(validate: Callable[..., object], *given: object, **named: object) -> list[ErrorDetails]:
    """What a model finds wrong, one error for each place."""
    with pytest.raises(ValidationError) as caught:
        validate(*given, **named)
    return caught.value.errors()
