"""Seeded streams of records as a log may hold them: every kind of subject, late acts, retractions, copies, conflicts,
erasures, and records that nobody can read."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import msgspec

from services.events.log.protocol import NewRecord
from services.kit import instants

START = instants.parse_rfc3339("2026-01-05T08:00:00Z")
TOPICS = ("problem", "limitation", "motivation", "mechanism", "none")
PURPOSES = ("introduce", "explore", "follow_up", "propose", "promote", "serve", "thank")


def record(subject: str, act_id: str, act: str, time: int, source: str = "crm", **data: object) -> NewRecord:
    """A record of the log; `data` as the catalogue has it."""
    event = {
        "specversion": "1.0",
        "id": act_id,
        "source": source,
        "type": f"exemplar.{act}.v1",
        "subject": subject,
        "time": instants.format_rfc3339(time),
        "datacontenttype": "application/json",
        "data": data,
    }
    return NewRecord(subject, msgspec.json.encode(event))


def stream(seed: int, count: int, customers: int = 20) -> list[NewRecord]:
    """So many records, the same for the same seed."""
    random = Random(seed)
    made: list[NewRecord] = []
    for number in range(count):
        dice = random.random()
        if made and dice < 0.05:
            made.append(random.choice(made))
        elif made and dice < 0.08:
            made.append(_contradiction(random.choice(made)))
        elif dice < 0.09:
            made.append(NewRecord(f"customer-{random.randrange(customers)}", b"\x00 nobody can read this"))
        else:
            made.append(_act(random, number, customers))
    return made


def _contradiction(earlier: NewRecord) -> NewRecord:
    """The same key with another time; of what is unreadable, itself."""
    try:
        event = msgspec.json.decode(earlier.value)
    except msgspec.DecodeError:
        return earlier
    return NewRecord(earlier.key, msgspec.json.encode({**event, "time": "2026-02-01T00:00:00Z"}))


def _act(random: Random, number: int, customers: int) -> NewRecord:
    time = START + random.randrange(200 * instants.DAY)
    rep = f"rep-{random.randrange(6)}"
    act_id = f"act-{number}"
    if random.random() < 0.12:
        return _structure(random, act_id, time, rep)
    customer = f"customer-{min(random.randrange(customers), random.randrange(customers))}"
    name, data = _with_customer(random, number)
    if name == "act.retracted":
        return record(customer, act_id, name, time, **data)
    return record(customer, act_id, name, time, rep=rep, **data)


def _with_customer(random: Random, number: int) -> tuple[str, Mapping[str, Any]]:
    items = [{"item": "roof", "needs": [random.choice(("dry", "warm"))]}]
    choices: list[tuple[str, Mapping[str, Any]]] = [
        ("contact.made", {"channel": "call", "purpose": random.choice(PURPOSES)}),
        ("contact.made", {"channel": "email", "purpose": random.choice(PURPOSES), "deal": "d1"}),
        ("contact.received", {"channel": "call", "asks": True, "wants_help": random.random() < 0.5}),
        ("question.asked", {"topic": random.choice(TOPICS)}),
        ("need.established", {"need": random.choice(("dry", "warm"))}),
        ("prospect.qualified", {"outcome": random.choice(("fit", "unfit")), "criteria": []}),
        ("proposal.made", {"items": items}),
        ("urgency.pressed", {"tactic": "deadline"}),
        ("goal.appealed", {}),
        ("decision.made", {"outcome": random.choice(("accepted", "declined"))}),
        ("order.placed", {"amount": "12.50", "currency": "EUR", "items": ["roof"]}),
        ("service.given", {"kind": "advice"}),
        ("customer.assigned", {}),
        (
            "act.retracted",
            {
                "retracts_source": "crm",
                "retracts_id": f"act-{random.randrange(number + 1)}",
                "reason": "a slip",
                "by": "rep-0",
            },
        ),
    ]
    return random.choice(choices)


def _structure(random: Random, act_id: str, time: int, rep: str) -> NewRecord:
    team, leader = f"team-{random.randrange(3)}", f"leader-{random.randrange(2)}"
    made: Iterator[NewRecord] = iter(
        (
            record(
                team, act_id, "team.joined", time, person=rep, role=random.choice(("rep", "leader")), name="c2VhbGVk"
            ),
            record(team, act_id, "team.left", time, person=rep),
            record(team, act_id, "team.formed", time, name=f"Team {time % 7}", parent="team-0"),
            record(leader, act_id, "standard.stated", time, principle="no-pressure", team=team),
            record(leader, act_id, "push.directed", time, team=team),
            record(f"customer-{random.randrange(5)}", act_id, "customer.known", time, name="c2VhbGVk"),
            record(f"gone-{random.randrange(9)}", act_id, "person.erased", time, by="leader-0", reason="asked"),
        )
    )
    return random.choice(list(made))
