"""What is put right afterwards: retractions, disputes and an erasure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from services.demo.acts import CORRECTIONS, Act, data_of, event, kind_of, time_of
from services.demo.cast import DIRECTOR

RETRACTED, DISPUTED = 8, 6


def corrections(acts: Sequence[Act], ends: datetime, rng: Random) -> Iterator[Act]:
    """Corrections of some of `acts` (in the order of time), each a day or more after the act and before `ends`."""
    early = [act for act in acts if time_of(act) < ends - timedelta(days=31)]
    conversations = {(act["subject"], data_of(act).get("during")) for act in early}
    lone = [act for act in early if kind_of(act) == "contact.made" and (act["subject"], act["id"]) not in conversations]
    pressing = [act for act in early if kind_of(act) in ("urgency.pressed", "goal.appealed")]
    for act in rng.sample(lone, RETRACTED):
        reason = rng.choice(("entered for the wrong customer", "entered twice"))
        yield _correction(act, "act.retracted", "retracts", reason, rng)
    for act in rng.sample([act for act in pressing if act["subject"] != "public"], DISPUTED):
        yield _correction(act, "act.disputed", "disputes", "the customer had asked me about the date", rng)
    yield _erasure(early)


def _correction(act: Act, kind: str, verb: str, reason: str, rng: Random) -> Act:
    """The rep of `act` retracts or disputes it some days later."""
    at = time_of(act) + timedelta(days=rng.randint(1, 14), minutes=rng.randint(1, 200))
    by = data_of(act)["rep"]
    named = {f"{verb}_source": act["source"], f"{verb}_id": act["id"], "reason": reason, "by": by}
    return event(str(act["subject"]), CORRECTIONS, f"{act['id']}-{verb}", kind, at, named)


def _erasure(acts: Sequence[Act]) -> Act:
    """A customer who said "leave me alone", if there is one, asks to be forgotten, too."""
    asked = next((act for act in acts if "no_contact" in data_of(act)), acts[0])
    subject, at = str(asked["subject"]), time_of(asked) + timedelta(days=30, minutes=17)
    return event(
        subject, CORRECTIONS, f"{subject}-erased", "person.erased", at, {"by": DIRECTOR, "reason": "asked for it"}
    )
