"""What other languages call a gate is answered with names that there are here."""

import re

from qstill.contract.circuits.dialects import NAMES
from qstill.contract.circuits.gates import GATES, Operation

FIELDS = {"control", "controls", "rotation"}


def test_the_answer_names_gates_and_fields_that_there_are() -> None:
    for here in NAMES.values():
        first, *others = re.findall(r"`(\w+)`", here)
        assert first in GATES
        assert set(others) <= GATES.keys() | FIELDS
    assert Operation.model_fields.keys() >= FIELDS


def test_no_name_of_this_language_is_taken_for_another_s() -> None:
    assert GATES.keys().isdisjoint(NAMES)
