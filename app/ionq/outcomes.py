"""One circuit's entry of `results.json` as IonQ's clients read it. Pure.

Ours are keys of bits, clbit 0 rightmost; theirs are decimals, bit q of the number being qubit q. A circuit of gates is
measured into one clbit for each qubit, so the same bits make both.
"""

import json
import math
import random
from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]

BINARY_DIGITS = 32  # of a probability that is taken for a sum of powers of ½
DECIMAL_DIGITS = 12  # of another
BLUR = 2.0**-38  # relative; more than thousands of gates in floating point make of a probability


def probabilities(entry: Entry) -> dict[str, float]:
    """By decimal outcome: exact where they were computed, otherwise counts / shots, which clients multiply back."""
    exact: Mapping[str, float] | None = entry.get("probabilities")
    if exact is not None:
        return {decimal(key): cleared(probability) for key, probability in exact.items()}
    shots = entry["shots"]
    return {decimal(key): count / shots for key, count in entry["counts"].items()}


def cleared(probability: float) -> float:
    """The probability without what floating point blurred: 0.25 for 0.2499999999999999, 0.1 for 0.10000000000000005."""
    mantissa, exponent = math.frexp(probability)
    dyadic = math.ldexp(round(math.ldexp(mantissa, BINARY_DIGITS)), exponent - BINARY_DIGITS)
    if abs(dyadic - probability) <= BLUR * probability:
        return dyadic
    return float(f"{probability:.{DECIMAL_DIGITS}g}")


def shots(entry: Entry) -> str:
    """JSON: the outcome of every shot, a decimal number as text."""
    written = {key: f'"{decimal(key)}"' for key in entry["counts"]}
    return f"[{','.join(written[key] for key in in_order(entry))}]"


def shots_by_register(entry: Entry) -> str:
    """JSON: `{"shots": [{"registers": {"c": [0, 1]}}, …]}`, clbit 0 of a register first."""
    written = {key: json.dumps({"registers": _registers(entry, key)}) for key in entry["counts"]}
    return f'{{"shots":[{",".join(written[key] for key in in_order(entry))}]}}'


def in_order(entry: Entry) -> list[str]:
    """A key for every shot. Shots are exchangeable: any order is as likely as another, and the seed gives one."""
    keys = [key for key, count in sorted(entry["counts"].items()) for _ in range(count)]
    random.Random(entry["seed"]).shuffle(keys)  # noqa: S311  # not a secret
    return keys


def decimal(key: str) -> str:
    return str(int(key or "0", 2))


def _registers(entry: Entry, key: str) -> dict[str, list[int]]:
    return {register["name"]: [int(key[-1 - clbit]) for clbit in register["clbits"]] for register in entry["registers"]}
