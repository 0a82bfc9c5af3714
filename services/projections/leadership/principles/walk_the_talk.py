"""Do as you say (S0): a leader's own signals on what the leader stated as a standard.

It joins signals and standards when read; it is never stored.
"""

from collections.abc import Iterable, Iterator, Mapping

from services.projections.leadership.signals import Principle, Signal, Verdict

PRINCIPLE = Principle.WALK_THE_TALK
TITLE = "Do as you say"
SOURCES = ("S0",)
DESCRIPTION = (
    "Whoever states a principle as a standard, to any team, is held to it from then on: each of their own signals on "
    "that principle counts here too."
)
JUDGED = (
    (
        "Each verdict on a principle counts here too from the moment that the same person has stated that principle "
        "as a standard, to any team. Once stated, always stated."
    ),
)


def derived(signals: Iterable[Signal], stated: Mapping[tuple[str, Principle], int]) -> Iterator[Signal]:
    """The signals of `walk-the-talk`; `stated` has the earliest time at which a person stated a principle, to any team.

    A signal that was not drawn, since its source lacks the act it rests on, is no signal and is not derived from.
    """
    for signal in signals:
        since = stated.get((signal.person, signal.principle))
        if since is not None and since < signal.at and signal.verdict is not Verdict.NOT_RECORDED:
            yield signal._replace(principle=PRINCIPLE)
