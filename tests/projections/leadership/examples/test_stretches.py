"""Lists of stretches of time against sets of instants."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.projections.leadership.stretches import Stretch, Stretches, length, merged, overlap, without

STRETCHES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)


def instants(stretches: Stretches) -> set[int]:
    """Every instant in them."""
    return {instant for from_, to in stretches for instant in range(from_, to)}


@given(STRETCHES, STRETCHES)
def test_stretches_are_sets_of_instants(ones: list[Stretch], others: list[Stretch]) -> None:
    """Merging, overlapping and taking out are what they are for sets; all lists are in order and never touch."""
    one, other = merged(ones), merged(others)
    assert instants(one) == instants(ones)
    both, rest = overlap(one, other), without(one, other)
    assert instants(both) == instants(one) & instants(other)
    assert instants(rest) == instants(one) - instants(other)
    assert length(one) == len(instants(one))
    for found in (one, both, rest):
        assert all(to < from_ for (_, to), (from_, _) in pairwise(found))
