"""What holds of the leadership model over all histories: signals depend on the set of acts alone (domain.md §2)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from services.events.catalog.envelope import Act
from services.projections.leadership.folding import Fold, distinct, fold, order
from services.projections.leadership.policy import DEFAULT_POLICY, Policy
from tests.projections.leadership.test_against_reference import as_act, as_reference
from tests.reference.histories import histories, not_recorded_policies, worlds
from tests.reference.model import DAY, RefAct, RefSignal

# Neither can be retracted (§2).
LASTING = ("act.retracted", "person.erased")


def folded(acts: Sequence[RefAct], policy: Policy = DEFAULT_POLICY) -> dict[str, Fold]:
    """The folds of a log, by subject; acts that count are taken in the order given."""
    by_subject: dict[str, list[Act]] = {}
    for act in acts:
        by_subject.setdefault(act.subject, []).append(as_act(act))
    return {subject: fold(subject, distinct(its)[0], policy) for subject, its in by_subject.items()}


def signals(acts: Sequence[RefAct], policy: Policy = DEFAULT_POLICY) -> set[RefSignal]:
    """All signals of a log; asserts that no two of a subject are of one identity."""
    found = []
    for subject, one in folded(acts, policy).items():
        found += [as_reference(subject, signal) for signal in one.signals]
    assert len({(s.subject, s.principle, s.reason, s.person, s.evidence) for s in found}) == len(found)
    return set(found)


def in_log_order(acts: Sequence[RefAct]) -> list[RefAct]:
    """The acts as they came, without the conflicts among them: which one came first is not at issue here."""
    first: dict[tuple[str, str, str], RefAct] = {}
    for act in sorted(acts, key=lambda act: (act.partition, act.offset)):
        first.setdefault(act.key, act)
    return list(first.values())


def mapped(acts: Sequence[RefAct], change: Callable[[RefAct], RefAct]) -> list[RefAct]:
    """Each act, changed."""
    return [change(act) for act in acts]


logs = worlds().map(in_log_order)
relationships = histories().map(in_log_order)


@given(logs, not_recorded_policies(), st.randoms(use_true_random=False))
def test_neither_order_nor_repeats_of_arrival_matter(
    acts: list[RefAct], lacking: dict[str, set[str]], random: Random
) -> None:
    """The same acts in any order, and any number of times, amount to the same."""
    policy = Policy(not_recorded={source: frozenset(names) for source, names in lacking.items()})
    again = [*acts, *random.choices(acts, k=5)]
    random.shuffle(again)
    assert signals(acts, policy) == signals(again, policy)
    before, after = folded(acts, policy), folded(again, policy)
    assert before.keys() == after.keys()
    for subject, one in before.items():
        other = after[subject]
        assert (set(one.stays), one.team) == (set(other.stays), other.team)
        assert (set(one.standards), one.names, one.retracted) == (set(other.standards), other.names, other.retracted)


@given(logs, st.data())
def test_a_retraction_is_as_if_the_act_were_absent(acts: list[RefAct], data: st.DataObject) -> None:
    """Retracting an act, whenever and at whatever time, gives the signals of a log without it."""
    act = data.draw(st.sampled_from(acts))
    assume(act.name not in LASTING)
    named = {"retracts_source": act.source, "retracts_id": act.id, "reason": "wrong", "by": "boss"}
    time = data.draw(st.sampled_from([0, act.time - 1, act.time, act.time + 400 * DAY]))
    retraction = RefAct(0, 0, "act.retracted", "desk", "retraction", act.subject, time, named)
    place = data.draw(st.integers(0, len(acts)))
    left = [other for other in acts if other.key != act.key]
    assert signals([*acts[:place], retraction, *acts[place:]]) == signals(left)


@given(logs, st.sampled_from(LASTING), st.data())
def test_a_retraction_of_what_lasts_changes_nothing(acts: list[RefAct], name: str, data: st.DataObject) -> None:
    """Retracting a retraction, an erasure or an act that is not there changes nothing."""
    lasting = [act.key for act in acts if act.name == name]
    subject, source, id_ = data.draw(st.sampled_from([*lasting, (acts[0].subject, "nowhere", "nothing")]))
    named = {"retracts_source": source, "retracts_id": id_, "reason": "wrong", "by": "boss"}
    retraction = RefAct(0, 0, "act.retracted", "desk", "retraction", subject, acts[0].time, named)
    assert signals([*acts, retraction]) == signals(acts)


@given(logs, st.data())
def test_what_judges_nobody_changes_no_signal(acts: list[RefAct], data: st.DataObject) -> None:
    """A dispute, an erasure, what is known of a customer and another customer's acts change no signal of this one."""
    act = data.draw(st.sampled_from(acts))
    time = act.time + data.draw(st.sampled_from([-400 * DAY, -1, 0, 1, 10 * DAY]))
    disputed = {"disputes_source": act.source, "disputes_id": act.id, "reason": "wrong", "by": "r1"}
    idle = data.draw(
        st.sampled_from(
            [
                RefAct(0, 0, "act.disputed", "desk", "idle", act.subject, time, disputed),
                RefAct(0, 0, "customer.known", "desk", "idle", act.subject, time, {"name": "Kim", "segment": "s"}),
                RefAct(0, 0, "person.erased", "desk", "idle", act.subject, time, {"by": "boss", "reason": "asked"}),
            ]
        )
    )
    other = replace(act, subject="somebody-else", time=time)
    assert signals([*acts, idle]) == signals(acts)
    assert {signal for signal in signals([*acts, other]) if signal.subject != "somebody-else"} == signals(acts)


@given(relationships, st.lists(st.integers(0, 30), max_size=4))
def test_folding_in_cuts_is_folding_at_once(acts: list[RefAct], cuts: list[int]) -> None:
    """Taking the acts batch by batch, each merged with what counted so far, ends where taking all at once does."""
    for subject in {act.subject for act in acts}:
        log = [as_act(act) for act in acts if act.subject == subject]
        places = sorted(cut % (len(log) + 1) for cut in cuts)
        counting: list[Act] = []
        for start, end in zip([0, *places], [*places, len(log)], strict=True):
            counting, _ = distinct([*counting, *log[start:end]])
            counting.sort(key=order)
            fold(subject, counting, DEFAULT_POLICY)
        assert fold(subject, counting, DEFAULT_POLICY) == fold(subject, distinct(log)[0], DEFAULT_POLICY)


@given(worlds())
def test_of_differing_acts_the_first_in_the_log_counts(acts: list[RefAct]) -> None:
    """Conflicts have no effect: the log without them says the same, and each is reported with the one that counts."""
    log = sorted(acts, key=lambda act: (act.partition, act.offset))
    counting, conflicts = distinct(as_act(act) for act in log)
    assert counting == [as_act(act) for act in in_log_order(acts)]
    assert signals(log) == signals(in_log_order(acts))
    for refused, instead in conflicts:
        assert refused.key == instead.key
        assert instead in counting


@given(logs, st.integers(-400, 400))
def test_shifting_all_times_shifts_all_signals(acts: list[RefAct], by: int) -> None:
    """The same acts so many days earlier or later give the same signals, so many days earlier or later."""

    def shifted(act: RefAct) -> RefAct:
        data = dict(act.data)
        for field in ("until", "next_on"):
            if data.get(field) is not None:
                data[field] = (date.fromisoformat(data[field]) + timedelta(days=by)).isoformat()
        return replace(act, time=act.time + by * DAY, data=data)

    before = {replace(signal, at=signal.at + by * DAY, belongs=signal.belongs + by * DAY) for signal in signals(acts)}
    assert signals(mapped(acts, shifted)) == before


@given(logs)
def test_names_of_deals_needs_and_people_do_not_matter(acts: list[RefAct]) -> None:
    """Calling each deal and each need otherwise changes no signal; calling people otherwise renames them in signals."""
    names: dict[tuple[str, str], str] = {}
    number = count(1000, -1)

    def renamed(kind: str, name: str) -> str:
        return names.setdefault((kind, name), f"{kind}-{next(number)}")

    def other(act: RefAct) -> RefAct:
        data = dict(act.data)
        for field in ("deal", "need"):
            if data.get(field) is not None:
                data[field] = renamed(field, data[field])
        if "needs" in data:
            data["needs"] = [renamed("need", need) for need in data["needs"]]
        if act.name in ("solution.recommended", "proposal.made"):
            data["items"] = [{**i, "needs": [renamed("need", need) for need in i["needs"]]} for i in data["items"]]
        if data.get("rep") not in (None, "unattributed"):
            data["rep"] = renamed("rep", data["rep"])
        return replace(act, data=data)

    after = signals(mapped(acts, other))
    before = signals(acts)
    assert after == {s if s.customer is None else replace(s, person=renamed("rep", s.person)) for s in before}
