"""Whole programs, one of each shape that the OpenQASM project shows, give what they are written to give."""

from collections.abc import Mapping
from itertools import product
from math import cos, sin
from pathlib import Path

import pytest
from scipy.stats import binom

from tests.testing.circuits.sampling import read
from tests.testing.refusals import problem_of
from tests.workers.circuits.openqasm3.outcomes import require_outcomes

PROGRAMS = Path(__file__).parent / "programs"

_ONE = sin(0.6) ** 2  # of ry(1.2)
_MINUS = (
    1 - cos(1.1) * sin(1.1)
) / 2  # ⟨Z⊗X⟩ of ry(1.1) on both qubits: cx leaves Z of its control and X of its target
EXPECTED: Mapping[str, Mapping[str, float]] = {
    "adder": {"sum=1011 kept=101": 1},
    "alignment": {"c=000": 3 / 8, "c=011": 3 / 8, "c=100": 1 / 8, "c=111": 1 / 8},
    "arrays": {"c=111111": 1},
    "chain_of_teleports": {"read=0": 1},
    "controlled_phase": {"kicked=0 c=10": 3 / 4, "kicked=1 c=10": 1 / 4},
    "decoupling": {"c=0": 1},
    "decoupling_durationof": {"c=0": 1},
    "fourier": {"c=000": 1 / 4, "c=010": 1 / 4, "c=100": 1 / 4, "c=110": 1 / 4},
    "gate_teleport": {"r=0 c=000": 1 / 2, "r=1 c=000": 1 / 2},
    "inverse_qft_bits": {"w=0 b2=1 b1=0 b0=1": 1 / 2, "w=1 b2=0 b1=1 b0=0": 1 / 2},
    "inverse_qft_register": {"c=101": 1},
    "iterative_phase": {"result=0101": 1},
    "magic_states": {"c=1": 1},
    "modifiers": {"c=100110": 1},
    "process_tomography": {"c=1": (1 - sin(0.7)) / 2, "c=0": (1 + sin(0.7)) / 2},
    "qec": {
        "thrown=00 found=01 data=111": 1 / 4,
        "thrown=01 found=11 data=111": 1 / 4,
        "thrown=10 found=11 data=111": 1 / 4,
        "thrown=11 found=00 data=111": 1 / 4,
    },
    "randomised_benchmark": {"c=00": 1},
    "relaxation": {"survived=0110": 1},
    "repeat_until_success": {"back=0": 1},
    "surface_code": {
        f"star={star} changed=0 plaquettes=0 outcome={outcome}": 1 / 4
        for star, outcome in product("01", ("0000", "1111"))
    },
    "teleport": {
        f"sign={sign} parity={parity} arrived={arrived}": (_ONE if arrived == "1" else 1 - _ONE) / 4
        for sign, parity, arrived in product("01", repeat=3)
    },
    "vqe": {f"count={count:02b}": float(binom.pmf(count, 3, _MINUS)) for count in range(4)},
}
REFUSED = {  # the code, and what is named
    "gate_teleport_extern": ("qasm_unsupported", "vote"),
    "pulses": ("qasm_unsupported", "defcal"),
    "pulses_inline": ("qasm_unsupported", "cal"),
    "relaxation_extern": ("qasm_unsupported", "tabulate"),
    "surface_code_extern": ("qasm_unsupported", "send"),
    "vqe_extern": ("qasm_unsupported", "get_parameter"),
}


def source(name: str) -> str:
    return (PROGRAMS / f"{name}.qasm").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_program_gives_what_it_is_written_to_give(name: str) -> None:
    require_outcomes(source(name), EXPECTED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_a_program_of_what_is_not_here_is_refused_by_its_name(name: str) -> None:
    code, words = REFUSED[name]
    refused = problem_of(read, {"format": "openqasm3", "source": source(name)})
    assert refused.code == code
    assert words in refused.title
    assert "Line " in refused.title


def test_every_program_is_one_or_the_other() -> None:
    assert {path.stem for path in PROGRAMS.glob("*.qasm")} == set(EXPECTED) | set(REFUSED)
