"""The features of OpenQASM 3, as IBM's table has them: features.txt has programs for each, and what they must give.

There a program without `~` before it includes stdgates.inc, and → says what its registers hold with which
probabilities, or the code and a word of its refusal. `input a` is given π/3.
"""

import re
from fractions import Fraction
from math import pi
from pathlib import Path

import pytest

from qstill.contract.errors import Problem
from tests.testing.circuits.sampling import read
from tests.workers.circuits.openqasm3.outcomes import require_outcomes

DOCUMENT = Path(__file__).parents[4] / "docs" / "circuits.md"
HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def _features() -> dict[str, list[tuple[str, str]]]:
    """By feature: programs, and what is said of them."""
    text = (Path(__file__).parent / "features.txt").read_text(encoding="utf-8")
    features = {}
    for section in text.removeprefix("## ").split("\n\n## "):
        name, _, programs = section.strip().partition("\n")
        features[name] = re.findall(r"(.*?)\n→ ([^\n]*)\n?", programs, re.DOTALL)
    return features


FEATURES = _features()
CASES = [(program, said) for rows in FEATURES.values() for program, said in rows]


@pytest.mark.parametrize(("program", "said"), CASES)
def test_a_feature_does_what_the_specification_says_or_is_refused_by_name(program: str, said: str) -> None:
    source = program.removeprefix("~ ") if program.startswith("~ ") else HEAD + program
    if said.startswith("refused: "):
        code, words = said.removeprefix("refused: ").split(", ")
        with pytest.raises(Problem, match=re.escape(words)) as refused:
            read({"format": "openqasm3", "source": source})
        assert refused.value.code == code
        return
    expected = {outcome: float(Fraction(chance)) for outcome, chance in re.findall(r"([^:,]+): ([0-9/]+)", said)}
    job = {"bindings": [{"a": pi / 3}]} if program.startswith("input ") else {}
    require_outcomes(source, {outcome.strip(): chance for outcome, chance in expected.items()}, **job)


def test_the_documentation_lists_these_features_and_says_which_are_refused() -> None:
    section = (
        DOCUMENT.read_text(encoding="utf-8").partition("## OpenQASM 3, feature by feature")[2].partition("\n## ")[0]
    )
    listed = dict(re.findall(r"^\| (.+?) \| (yes|no effect|refused)\b", section.replace("`", ""), re.MULTILINE))
    assert set(listed) == set(FEATURES)
    refused = {name for name, rows in FEATURES.items() if all(said.startswith("refused") for _, said in rows)}
    assert {name for name, word in listed.items() if word == "refused"} == refused
