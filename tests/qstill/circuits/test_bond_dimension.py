"""The bound against every bond counted by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.cost.bond_dimension import BondDimension
from tests.testing.examples import examples

PLACES = st.sets(st.integers(0, 9), min_size=1, max_size=4)


@given(st.lists(st.tuples(PLACES, st.integers(1, 3)), max_size=12))
@settings(max_examples=examples(60))
def test_the_bound_is_that_of_the_most_crossed_bond(gates: list[tuple[set[int], int]]) -> None:
    bond = BondDimension()
    for places, bits in gates:
        bond.add(places, bits)
    assert bond.bits() == max(
        sum(bits for places, bits in gates if min(places) <= left < max(places)) for left in range(9)
    )
