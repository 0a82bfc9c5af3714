"""What else a fold holds beside signals: stays, teams, standards, names, and what is retracted."""

from hypothesis import given

from services.events.catalog.acts import CustomerKnown, TeamJoined, act_name
from services.events.catalog.envelope import Act
from services.projections.leadership.folding import Standard, distinct, fold, named
from services.projections.leadership.memberships import Stay, Team
from services.projections.leadership.policy import DEFAULT_POLICY
from services.projections.leadership.principles.walk_the_talk import derived
from services.projections.leadership.signals import Principle
from tests.projections.leadership.test_against_reference import CATALOGUE, as_act, as_reference
from tests.reference import scorecards as reference
from tests.reference.histories import worlds
from tests.reference.model import RefAct, walk_the_talk
from tests.reference.model import signals as reference_signals


def act(id_: str, time: int, name: str, subject: str, /, **data: object) -> Act:
    """An act of the source `crm`."""
    return Act("crm", id_, name, subject, time, CATALOGUE.convert(name, data))


def joined(id_: str, time: int, role: str = "rep", **data: object) -> Act:
    """Ana joins the team `north`."""
    return act(id_, time, "team.joined", "north", person="ana", role=role, **data)


def left(id_: str, time: int) -> Act:
    """Ana leaves the team `north`."""
    return act(id_, time, "team.left", "north", person="ana")


def stays(*acts: Act) -> list[tuple[str, int, int | None]]:
    """The stays of Ana in `north`, as role, start and end."""
    return sorted((stay.role, stay.from_, stay.to) for stay in fold("north", acts, DEFAULT_POLICY).stays)


def test_a_stay_begins_with_joining_and_ends_with_leaving() -> None:
    """Joining opens a stay, leaving ends it; leaving without a stay is nothing."""
    assert stays(left("0", 5), joined("1", 10)) == [("rep", 10, None)]
    assert stays(joined("1", 10), left("2", 20), left("3", 30), joined("4", 40)) == [("rep", 10, 20), ("rep", 40, None)]


def test_joining_again_matters_in_another_role_only() -> None:
    """Joining again in the same role changes nothing; in another role it ends the earlier stay."""
    assert stays(joined("1", 10), joined("2", 20), left("3", 30)) == [("rep", 10, 30)]
    assert stays(joined("1", 10), joined("2", 20, "leader")) == [("leader", 20, None), ("rep", 10, 20)]


def test_a_stay_without_length_is_none() -> None:
    """Two roles at one instant leave only the later one in the order of acts; leaving comes before joining there."""
    assert stays(joined("1", 10), joined("2", 10, "leader")) == [("leader", 10, None)]
    assert stays(joined("1", 10), left("2", 10)) == [("rep", 10, None)]
    assert stays(joined("1", 10), left("2", 20), joined("3", 20)) == [("rep", 10, 20), ("rep", 20, None)]


def test_the_latest_forming_names_the_team() -> None:
    """A team has the name and parent of its latest `team.formed`; its own key where it is known from joins alone."""
    formed = [act("1", 10, "team.formed", "north", name="North", parent="all"), joined("2", 20)]
    renamed = act("3", 30, "team.formed", "north", name="New North")
    assert fold("north", formed, DEFAULT_POLICY).team == Team("north", "North", "all")
    assert fold("north", [renamed, *formed], DEFAULT_POLICY).team == Team("north", "New North", None)
    assert fold("north", [joined("2", 20)], DEFAULT_POLICY).team == Team("north", "north", None)
    assert fold("kim", [act("1", 10, "customer.known", "kim", name="Kim")], DEFAULT_POLICY).team is None


def test_a_standard_counts_from_its_first_statement_to_a_team() -> None:
    """Of the same principle stated to the same team the earliest statement stands; teams are apart."""
    said = [
        act(str(time), time, "standard.stated", "cleo", principle="own-goals", team=team)
        for time, team in ((30, "north"), (20, "north"), (10, "south"))
    ]
    assert sorted(fold("cleo", said, DEFAULT_POLICY).standards) == [
        Standard("cleo", "north", Principle.OWN_GOALS, 20),
        Standard("cleo", "south", Principle.OWN_GOALS, 10),
    ]


def test_the_latest_name_stands() -> None:
    """The latest act that gives a name or a segment is the one to show; one without leaves the earlier one."""
    known = [
        act("1", 10, "customer.known", "kim", name="Kim", segment="small"),
        act("2", 20, "customer.known", "kim", name="Kim & Co"),
        act("3", 30, "customer.known", "kim"),
    ]
    names = {name.kind: name.act.id for name in fold("kim", known, DEFAULT_POLICY).names}
    assert names == {"customer": "2", "segment": "1"}
    people = [joined("1", 10, name="Ana"), joined("2", 20, "leader")]
    assert [(name.kind, name.key, name.act.id) for name in fold("north", people, DEFAULT_POLICY).names] == [
        ("person", "ana", "1")
    ]


def test_an_erased_name_is_not_shown() -> None:
    """A name that cannot be read any more is no name."""
    erased = Act("crm", "2", act_name(CustomerKnown), "kim", 20, CustomerKnown(name=None))
    known = [act("1", 10, "customer.known", "kim", segment="small"), erased]
    assert [name.kind for name in fold("kim", known, DEFAULT_POLICY).names] == ["segment"]
    gone = Act("crm", "3", act_name(TeamJoined), "north", 30, TeamJoined(person="ana", role="rep", name=None))
    assert fold("north", [gone], DEFAULT_POLICY).names == []


def test_a_fold_tells_what_is_retracted() -> None:
    """Retracted are the acts that a retraction names, are there and can be retracted; they count for nothing."""
    taken_back = {"retracts_source": "crm", "reason": "wrong", "by": "boss"}
    acts = [
        joined("1", 10),
        act("2", 20, "act.retracted", "north", retracts_id="1", **taken_back),
        act("3", 30, "act.retracted", "north", retracts_id="2", **taken_back),
        act("4", 40, "act.retracted", "north", retracts_id="nothing", **taken_back),
        act("5", 50, "act.retracted", "north", retracts_id="5", **taken_back),
    ]
    found = fold("north", acts, DEFAULT_POLICY)
    assert (found.retracted, found.stays, found.team) == ({("crm", "1")}, [], None)


def test_an_act_names_whom_it_is_about() -> None:
    """Each person, team and customer that an act names is known from it."""
    met = act("1", 10, "contact.made", "kim", rep="ana", channel="call", purpose="serve")
    assert set(named(met)) == {("relationship", "kim"), ("person", "ana")}
    referral = act("2", 10, "referral.given", "kim", rep="ana", referred="lee")
    assert ("relationship", "lee") in set(named(referral))
    coached = act("3", 10, "coaching.given", "cleo", rep="ana", principle="qualify")
    assert set(named(coached)) == {("person", "cleo"), ("person", "ana")}
    pushed = act("4", 10, "push.directed", "cleo", team="north")
    assert set(named(pushed)) == {("person", "cleo"), ("team", "north")}
    formed = act("5", 10, "team.formed", "north", name="North", parent="all")
    assert set(named(formed)) == {("team", "north"), ("team", "all")}
    assert set(named(joined("6", 10))) == {("team", "north"), ("person", "ana")}
    erased = act("7", 10, "person.erased", "ana", by="boss", reason="asked")
    assert set(named(erased)) == {("person", "boss")}


@given(worlds())
def test_stays_and_walk_the_talk_are_those_of_the_reference(acts: list[RefAct]) -> None:
    """Stays, and the signals that stated standards add, are those of an independent reading, in any small world."""
    by_subject: dict[str, list[Act]] = {}
    for ref in sorted(acts, key=lambda ref: ref.offset):
        by_subject.setdefault(ref.subject, []).append(as_act(ref))
    folds = {subject: fold(subject, distinct(its)[0], DEFAULT_POLICY) for subject, its in by_subject.items()}
    found = [stay for one in folds.values() for stay in one.stays]
    assert sorted(found, key=repr) == sorted((Stay(*_fields(stay)) for stay in reference.stays(acts)), key=repr)

    stated: dict[tuple[str, Principle], int] = {}
    for standard in (standard for one in folds.values() for standard in one.standards):
        key = standard.leader, standard.principle
        stated[key] = min(standard.stated, stated.get(key, standard.stated))
    drawn = {as_reference(subject, s) for subject, one in folds.items() for s in derived(one.signals, stated)}
    assert drawn == set(walk_the_talk(reference_signals(acts), acts))


def _fields(stay: reference.Stay) -> tuple[str, str, str, int, int | None]:
    return stay.team, stay.person, stay.role, stay.from_, stay.to
