"""The small company that most tests ask about."""

from functools import partial
from pathlib import Path

from tests.beginnings import begin
from tests.fixed_clock import FixedClock
from tests.graphql.gateway import Asker


def company_in(folder: Path, clock: FixedClock) -> Path:
    """The folder with the company of `found_company` put into it, for a gateway to be opened over."""
    begin(folder, ("company", clock()), partial(_found, clock))
    return folder


def _found(clock: FixedClock, folder: Path) -> None:
    found_company(Asker(folder, clock)).close()


def found_company(asker: Asker) -> Asker:
    """Two teams below a company: Ann leads north (Rik, Rosa), Bob leads south (Sam); Cleo leads them both.

    Rik sold to acme, where Sam helped too; Rosa pressed globex, whose act Rosa disputes.
    """
    world = asker.world
    for team, parent in (("company", None), ("north", "company"), ("south", "company")):
        world.post("team.formed", team, "2025-01-01", name=team.title(), **({"parent": parent} if parent else {}))
    for team, person, role in (
        ("company", "cleo", "leader"),
        ("north", "ann", "leader"),
        ("north", "rik", "rep"),
        ("north", "rosa", "rep"),
        ("south", "bob", "leader"),
        ("south", "sam", "rep"),
    ):
        world.post("team.joined", team, "2025-01-01", person=person, role=role, name=f"{person.title()} Name")
    world.post("customer.known", "acme", "2026-01-01", name="Acme Ltd", segment="small")
    world.post("standard.stated", "ann", "2026-01-01", principle="no-pressure", team="north", text="never push")
    world.post(
        "contact.made", "acme", "2026-01-05", act_id="hello", rep="rik", channel="call", purpose="introduce", text="hi"
    )
    world.post("question.asked", "acme", "2026-01-06", rep="rik", topic="problem")
    world.post("question.asked", "acme", "2026-01-06", rep="rik", topic="motivation")
    world.post("proposal.made", "acme", "2026-01-07", rep="rik", items=[{"item": "x", "needs": []}])
    world.post("service.given", "acme", "2026-01-08", rep="sam", kind="advice")
    world.post("contact.received", "acme", "2026-01-09", rep="sam", channel="call", asks=False, wants_help=True)
    world.post("service.given", "acme", "2026-01-10", rep="sam", kind="support")
    world.post(
        "urgency.pressed", "globex", "2026-02-02", act_id="push", rep="rosa", tactic="deadline", text="today only"
    )
    world.post(
        "act.disputed", "globex", "2026-02-03", disputes_source="test", disputes_id="push", reason="no", by="rosa"
    )
    world.post("urgency.pressed", "initech", "2026-02-04", rep="ann", tactic="guilt")
    world.fold()
    return asker
