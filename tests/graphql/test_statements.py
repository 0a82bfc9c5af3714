"""The number of SQL statements of a request does not grow with the length of its lists."""

from pathlib import Path

import pytest

from tests.fixed_clock import FixedClock
from tests.graphql.counting import counted
from tests.graphql.gateway import Asker

PERIOD = '{from: "2026-01-01", to: "2026-03-01"}'
TEAM = """
{ team(key: "north") {
  name parent { key } children { key } leaders { name }
  members { role team { name } person { name memberships { team { key } } scorecard(period: PERIOD) {
    guideIndex { value }
    score(principle: NO_PRESSURE) {
      n change { value } previous { n trend { kept } } trend { kept } reasons { count }
      signals(first: 3) { edges { node { reason person { name } } } }
    } } } } } }
""".replace("PERIOD", PERIOD)
EVIDENCE = """
{ team(key: "north") { scorecard(period: PERIOD) { score(principle: NO_PRESSURE) { signals(first: 100) { edges { node {
  at person { key name } evidence { actId data disputes { actId } } } } } } } } }
""".replace("PERIOD", PERIOD)
RELATIONSHIPS = """
{ person(key: "rep-0") { relationships(first: 100) { edges { node {
  customerName segment reps { name }
  acts(first: 3) { edges { node { data disputes { actId } } } }
  signals(first: 3) { edges { node { evidence { actId } } } }
} } } } }
"""
EXAMPLES = """
{ team(key: "north") { equity { activeCustomers } examples(period: PERIOD) {
  leader { name } remark standards { gap score { n } } coaching { count } afterCoaching { after { n } }
  comparisons { leader { n change { value } } team { n } mirroring { n } chanceBaseline { n } imprint { n } }
  goading { value } monthEndPressure { value } guidesWin { referrals { n } } pushing { repeat { with { n } } }
} } }
""".replace("PERIOD", PERIOD)
LISTS = """
{ teams(first: 100) { edges { node { name parent { name } members { person { name } } } } }
  acts(first: 100) { edges { node { data retracted disputes { actId } } } } }
"""


def _team_of(size: int, asker: Asker) -> None:
    """As many reps, teams, customers and disputes as the size says."""
    world = asker.world
    world.post("team.formed", "north", "2025-01-01", name="North")
    world.post("team.joined", "north", "2025-01-01", person="ann", role="leader", name="Ann")
    world.post("standard.stated", "ann", "2025-01-02", principle="no-pressure", team="north")
    for number in range(size):
        rep, customer = f"rep-{number}", f"customer-{number}"
        world.post("team.formed", f"team-{number}", "2025-01-01", name="Below", parent="north")
        world.post("team.joined", "north", "2025-01-01", person=rep, role="rep", name=f"Name {number}")
        world.post("team.joined", "north", "2025-01-01", person=f"leader-{number}", role="leader")
        world.post("coaching.given", f"leader-{number}", "2026-01-09", rep=rep, principle="walk-the-talk")
        world.post("push.directed", f"leader-{number}", "2026-01-09", team="north")
        world.post("customer.known", customer, "2025-01-01", name="Customer", segment="small")
        for who in {rep, "rep-0"}:
            act_id = f"pressed-{who}-{number}"
            time = f"2026-01-{number + 1:02d}"
            world.post("urgency.pressed", customer, time, act_id=act_id, rep=who, tactic="guilt", text="please")
            dispute = {"disputes_source": "test", "disputes_id": act_id, "reason": "no", "by": who}
            world.post("act.disputed", customer, "2026-02-01", **dispute)
    world.fold()


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of a world with a team of 2 and of one with a team of 20."""
    folders = []
    for size in (2, 20):
        folders.append(tmp_path_factory.mktemp("team"))
        asker = Asker(folders[-1], FixedClock())
        _team_of(size, asker)
        asker.close()
    return folders


@pytest.mark.parametrize(
    "query",
    [TEAM, EVIDENCE, RELATIONSHIPS, LISTS, EXAMPLES],
    ids=["team", "evidence", "relationships", "lists", "examples"],
)
@pytest.mark.parametrize("who", ["admin", "ann"])
def test_statements_do_not_grow_with_lists(query: str, who: str, teams: list[Path], clock: FixedClock) -> None:
    """Lists of 2 and of 20 take the same number of statements, however deep they are nested."""
    counts = []
    for folder in teams:
        asker = Asker(folder, clock, cost_ceiling=10**9)
        asker.person("ann")
        with counted(asker.world.model) as statements:
            body = asker.ask(query, who=who)
        assert {error["extensions"]["code"] for error in body.get("errors", [])} <= {"FORBIDDEN"}
        assert all(body["data"].values())
        counts.append(len([s for s in statements if not s.startswith(("BEGIN", "PRAGMA"))]))
        asker.close()
    assert counts[0] == counts[1]
    assert counts[0] <= 40
