"""What one circuit left in `results.json` as IonQ's clients read it. Pure.

Ours are keys of bits, clbit 0 rightmost; theirs are decimals, bit q of the number being qubit q. A circuit of gates is
measured into one clbit for each qubit, so the same bits make both.
"""

import json
import math
from collections.abc import Mapping

from qstill.contract.circuits.results.document import CircuitResults, shots_in_order

BINARY_DIGITS = 32  # of a probability that is taken for a sum of powers of ½
DECIMAL_DIGITS = 12  # of another
BLUR = 2.0**-38  # relative; more than thousands of gates in floating point make of a probability


def probabilities(circuit: CircuitResults) -> dict[str, float]:
    """By decimal outcome: exact where they were computed, otherwise counts / shots, which clients multiply back."""
    if "probabilities" in circuit:
        return {decimal(key): cleared(probability) for key, probability in circuit["probabilities"].items()}
    shots = circuit["shots"]
    return {decimal(key): count / shots for key, count in circuit["counts"].items()}


def cleared(probability: float) -> float:
    """The probability without what floating point blurred: 0.25 for 0.2499999999999999, 0.1 for 0.10000000000000005."""
    mantissa, exponent = math.frexp(probability)
    dyadic = math.ldexp(round(math.ldexp(mantissa, BINARY_DIGITS)), exponent - BINARY_DIGITS)
    if abs(dyadic - probability) <= BLUR * probability:
        return dyadic
    return float(f"{probability:.{DECIMAL_DIGITS}g}")


def shots(circuit: CircuitResults) -> str:
    """JSON: the outcome of every shot, a decimal number as text."""
    written = {key: f'"{decimal(key)}"' for key in circuit["counts"]}
    return f"[{_each_shot(circuit, written)}]"


def shots_by_register(circuit: CircuitResults) -> str:
    """JSON: `{"shots": [{"registers": {"c": [0, 1]}}, …]}`, clbit 0 of a register first."""
    written = {key: json.dumps({"registers": _registers(circuit, key)}) for key in circuit["counts"]}
    return f'{{"shots":[{_each_shot(circuit, written)}]}}'


def _each_shot(circuit: CircuitResults, written: Mapping[str, str]) -> str:
    return ",".join(written[key] for key in shots_in_order(circuit["counts"], circuit["seed"]))


def decimal(key: str) -> str:
    return str(int(key or "0", 2))


def _registers(circuit: CircuitResults, key: str) -> dict[str, list[int]]:
    return {
        register["name"]: [int(key[-1 - clbit]) for clbit in register["clbits"]] for register in circuit["registers"]
    }
