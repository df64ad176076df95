"""The widest cut against every bond counted by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.cost.bonds import Cuts

PLACES = st.sets(st.integers(0, 9), min_size=1, max_size=4)


@given(st.lists(st.tuples(PLACES, st.integers(1, 3)), max_size=12))
@settings(max_examples=60)
def test_the_widest_cut_is_the_most_crossed_bond(gates: list[tuple[set[int], int]]) -> None:
    cuts = Cuts()
    for places, bits in gates:
        cuts.add(places, bits)
    assert cuts.widest() == max(
        sum(bits for places, bits in gates if min(places) <= bond < max(places)) for bond in range(9)
    )
