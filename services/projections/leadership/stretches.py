"""Stretches of time, [from, to) in microseconds, and lists of them in order that neither overlap nor touch."""

from collections.abc import Iterable, Sequence

from services.projections.leadership.memberships import Stay

Stretch = tuple[int, int]
Stretches = Sequence[Stretch]

ALWAYS = 2**62
"""An instant later than any."""
EVER: Stretches = ((-ALWAYS, ALWAYS),)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """All of them as a list in order; what overlaps or touches is made one, what has no length is none."""
    found: list[Stretch] = []
    for from_, to in sorted(stretches):
        if from_ >= to:
            continue
        if found and from_ <= found[-1][1]:
            if to > found[-1][1]:
                found[-1] = (found[-1][0], to)
        else:
            found.append((from_, to))
    return found


def overlap(ones: Stretches, others: Stretches) -> list[Stretch]:
    """What is in both lists."""
    found: list[Stretch] = []
    i = j = 0
    while i < len(ones) and j < len(others):
        from_, to = max(ones[i][0], others[j][0]), min(ones[i][1], others[j][1])
        if from_ < to:
            found.append((from_, to))
        if ones[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return found


def without(ones: Stretches, others: Stretches) -> list[Stretch]:
    """What is in the first list and not in the second."""
    return overlap(ones, _gaps(others))


def _gaps(stretches: Stretches) -> list[Stretch]:
    edges = [-ALWAYS, *(edge for stretch in stretches for edge in stretch), ALWAYS]
    return [(from_, to) for from_, to in zip(edges[::2], edges[1::2], strict=True) if from_ < to]


def length(stretches: Iterable[Stretch]) -> int:
    """How long they are together, in microseconds."""
    return sum(to - from_ for from_, to in stretches)


def of_stays(stays: Iterable[Stay]) -> list[Stretch]:
    """When somebody is there, by their stays: `to` is ALWAYS while one is open."""
    return merged((stay.from_, ALWAYS if stay.to is None else stay.to) for stay in stays)
