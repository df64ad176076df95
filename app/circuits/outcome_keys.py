"""How an outcome is written. Stored keys are little-endian bit strings: clbit 0 is the rightmost character."""

from collections.abc import Callable, Sequence
from typing import assert_never

from qstill.contract.circuits.results.answers import BitOrder, KeyFormat
from qstill.contract.circuits.results.document import Register


def key_writer(
    *, key_format: KeyFormat, bit_order: BitOrder, registers: Sequence[Register], clbits: int
) -> Callable[[str], str]:
    """The function that writes a stored key as asked for. Different keys stay different."""
    backwards = bit_order == "big"
    match key_format:
        case "binary":
            return _reversed if backwards else str
        case "hex":
            return lambda key: hex(_value(key, backwards))
        case "decimal":
            return lambda key: str(_value(key, backwards))
        case "registers":
            groups = _groups(registers, clbits)
            if backwards:
                return lambda key: " ".join("".join(key[place] for place in group) for group in groups)[::-1]
            return lambda key: " ".join("".join(key[place] for place in group) for group in groups)
    assert_never(key_format)


def numeric(written: str) -> tuple[int, str]:
    """Sorts the keys of one histogram by their value, however they are written."""
    return len(written), written


def _reversed(key: str) -> str:
    return key[::-1]


def _value(key: str, backwards: bool) -> int:
    return int((_reversed(key) if backwards else key) or "0", 2)


def _groups(registers: Sequence[Register], clbits: int) -> list[list[int]]:
    """The places in a stored key of each group, from the left: bits of no register, then the last register first."""
    held = {clbit for register in registers for clbit in register["clbits"]}
    loose = [clbit for clbit in range(clbits) if clbit not in held]
    groups = [*(register["clbits"] for register in registers), loose]
    return [[clbits - 1 - clbit for clbit in reversed(group)] for group in reversed(groups) if group]
