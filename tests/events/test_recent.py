"""What this process appended lately is known before the fold has it."""

from collections.abc import Collection, Sequence

from services.events.catalog.acts import NeedRuledOut
from services.events.catalog.envelope import Act
from services.events.known import KnownAct
from services.events.log.protocol import Place
from services.events.recent import RecentlyAppended


class Folded:
    """Known, from a list."""

    def __init__(self, *acts: KnownAct) -> None:
        self.acts = acts

    def find(self, pairs: Collection[tuple[str, str]]) -> Sequence[KnownAct]:
        """See Known."""
        return [known for known in self.acts if (known.act.source, known.act.id) in pairs]


def act(id_: str, subject: str = "c-1", rep: str = "r-1") -> Act:
    """A small act."""
    return Act("/crm", id_, "need.ruled_out", subject, 0, NeedRuledOut(rep=rep))


PAIR = ("/crm", "1")


def test_appended_is_known_at_once() -> None:
    """An act that was appended is found by its pair, and nothing else is."""
    recent = RecentlyAppended(Folded())
    recent.remember([(act("1"), Place(3, 7, 0), 100)])
    assert recent.find([PAIR]) == [KnownAct(act("1"), Place(3, 7, 0))]
    assert recent.find([("/crm", "2"), ("/erp", "1")]) == []


def test_the_fold_has_the_last_word() -> None:
    """What the fold knows of a key replaces what is remembered of it; another subject's act of the pair stays."""
    counting = KnownAct(act("1", rep="r-2"), Place(3, 6, 0))
    recent = RecentlyAppended(Folded(counting))
    recent.remember([(act("1"), Place(3, 7, 0), 100), (act("1", subject="c-2"), Place(4, 1, 0), 100)])
    assert recent.find([PAIR]) == [counting, KnownAct(act("1", subject="c-2"), Place(4, 1, 0))]


def test_the_first_of_a_key_is_remembered() -> None:
    """Of two acts of one key the one that comes first in the log is remembered, in whatever order they are told."""
    recent = RecentlyAppended(Folded())
    recent.remember([(act("1", rep="later"), Place(3, 8, 0), 100)])
    recent.remember([(act("1", rep="first"), Place(3, 7, 0), 100)])
    recent.remember([(act("1", rep="last"), Place(3, 9, 0), 100)])
    assert [known.place.offset for known in recent.find([PAIR])] == [7]


def test_memory_is_bounded() -> None:
    """The oldest acts are forgotten when the room is used up."""
    recent = RecentlyAppended(Folded(), remembered_bytes=10_000)
    for number in range(100):
        recent.remember([(act(str(number)), Place(0, number, 0), 500)])
    known = [number for number in range(100) if recent.find([("/crm", str(number))])]
    assert known == [96, 97, 98, 99]
