"""Telling a made-up world to a server over HTTP, as integrations do, and noting what the log says it holds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from services.events.log.protocol import NewRecord
from services.events.log.sqlite import open_log
from tests.reference.histories import CUSTOMERS, OPTIONAL, REPS, START, TEAMS, Composer, random_world
from tests.reference.model import DAY, NOT_PERSONAL, PERSONAL_FIELDS, RefAct, signals
from tests.serving import Answer, Server

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFSETS = (0, 0, 120, -330, 14 * 60)  # of times as they are written, in minutes
REFERENCES = ("during", "answers", "hesitation", "retracts_id", "disputes_id")
REQUESTS = 3  # that are on their way at the same time


def world(seed: int, size: int, parts: int) -> list[RefAct]:
    """Some random worlds of about `size` acts in one, meddled with once more, as the ingress can take it in.

    Persons and teams are the same in each part, customers (three a part) are not. Sources are ASCII (percent-encoded,
    which keeps their order). An id is used by one subject alone, as the ingress refuses a pair of source and id that
    another subject has: each begins with its subject. Every other act says something personal. Nothing lies ahead.
    """
    random, now = Random(seed), instant(datetime.now(UTC))
    acts = [_of_part(act, part) for part in range(parts) for act in random_world(seed * parts + part, size)]
    acts += _standards(acts, random)
    meddler = Composer(random, CUSTOMERS)
    meddler.acts = acts
    for _ in range(len(acts) // 12):
        meddler.meddling()
    return [_acceptable(act) for act in acts if act.time <= now]


def _of_part(act: RefAct, part: int) -> RefAct:
    """The act with ids, and customers, of its part's own."""
    named = {field: f"{part}.{act.data[field]}" for field in REFERENCES if act.data.get(field) is not None}
    subject = f"{act.subject}.{part}" if act.subject in CUSTOMERS else act.subject
    return replace(act, subject=subject, id=f"{part}.{act.id}", data={**act.data, **named})


def _standards(acts: list[RefAct], random: Random) -> Iterator[RefAct]:
    """What reps and leaders state, just before, at or after a signal of theirs; and who is in a team from the start."""
    drawn = random.sample(found := signals(acts), min(12, len(found)))
    for number, signal in enumerate(drawn):
        data = {"principle": signal.principle, "team": random.choice(TEAMS)}
        time = signal.at + random.choice((-DAY, -1, -1, 0, 1))
        yield RefAct(0, 0, "standard.stated", "crm", f"standard{number}", signal.person, time, data)
    for rep in random.sample(REPS, 2):
        data = {"person": rep, "role": "rep"}
        yield RefAct(0, 0, "team.joined", "crm", f"start-{rep}", random.choice(TEAMS), START, data)


def _acceptable(act: RefAct) -> RefAct:
    data = dict(act.data)
    for field in REFERENCES:
        if data.get(field) is not None:
            data[field] = f"{act.subject}-{data[field]}"
    for field in ("retracts_source", "disputes_source"):
        if field in data:
            data[field] = quote(data[field])
    id_ = f"{act.subject}-{act.id}"
    if sum(id_.encode()) % 2:
        data |= {field: f"{field} of {id_} é☎" for field in _personal(act.name)}
    return replace(act, source=quote(act.source), id=id_, data=data)


def _personal(name: str) -> Iterator[str]:
    """The personal field of an act, if it has one."""
    fields = set(PERSONAL_FIELDS) & set(OPTIONAL.get(name, ()))
    return (field for field in fields if (name, field) not in NOT_PERSONAL)


def instant(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def parse(text: str) -> int:
    """The instant of an RFC 3339 date-time."""
    return instant(datetime.fromisoformat(text))


def written(time: int, minutes: int = 0) -> str:
    """An instant as RFC 3339 with this offset."""
    return (EPOCH + timedelta(microseconds=time)).astimezone(timezone(timedelta(minutes=minutes))).isoformat()


def event_of(act: RefAct, minutes: int = 0) -> dict[str, Any]:
    """The CloudEvent of an act."""
    return {
        "specversion": "1.0",
        "type": f"exemplar.{act.name}.v1",
        "source": act.source,
        "id": act.id,
        "subject": act.subject,
        "time": written(act.time, minutes),
        "data": dict(act.data),
    }


def post_binary(server: Server, event: Mapping[str, Any]) -> Answer:
    """Post one event in binary mode: attributes in headers, percent-encoded."""
    headers = {f"ce_{name}": quote(str(value), safe=":/+@ ") for name, value in event.items() if name != "data"}
    body = json.dumps(event["data"]).encode()
    return server.ask("POST", "/v1/events", body, content_type="application/json", **headers)


@dataclass(frozen=True)
class Told:
    """What the log holds, each act where it is; one that is invalid; the position to wait for; how many were known
    already; what was refused.
    """

    acts: list[RefAct]
    unreadable: RefAct
    position: str
    duplicates: int
    refused: list[RefAct]


class _Teller:
    def __init__(self, server: Server, random: Random) -> None:
        self.server = server
        self.random = random
        self.stored: list[RefAct] = []
        self.refused: list[RefAct] = []
        self.duplicates = 0

    def tell(self, acts: Sequence[RefAct]) -> None:
        """Post acts in one request, again without those that are refused, until the rest is in."""
        left = list(acts)
        while left:
            answer = self._post([event_of(act, self.random.choice(OFFSETS)) for act in left])
            if answer.status == 202:
                self._note(left, answer.json()["receipts"])
                return
            assert answer.status == 409, answer.body
            bad = {error["index"] for error in answer.json()["errors"]}
            assert bad
            self.refused += [left[index] for index in bad]
            left = [act for index, act in enumerate(left) if index not in bad]

    def _post(self, events: list[dict[str, Any]]) -> Answer:
        if len(events) > 1:
            return self.server.post(*events)
        return post_binary(self.server, events[0]) if self.random.random() < 0.5 else self.server.post(events[0])

    def _note(self, acts: Sequence[RefAct], receipts: Sequence[Mapping[str, Any]]) -> None:
        assert [(receipt["source"], receipt["id"]) for receipt in receipts] == [(act.source, act.id) for act in acts]
        for act, receipt in zip(acts, receipts, strict=True):
            if receipt["duplicate"]:
                self.duplicates += 1
            else:
                self.stored.append(replace(act, partition=receipt["partition"], offset=receipt["offset"]))


def tell(server: Server, acts: Sequence[RefAct], random: Random) -> Told:
    """Tell all acts, a few requests at a time: one by one or in batches, in shuffled order.

    The ingress refuses conflicts. So some of them go beside it into the log, as from another process, and the fold has
    to deal with them.
    """
    teller = _Teller(server, random)
    beside = [act for act in _contested(acts) if random.random() < 0.5]
    requests = _requests([act for act in acts if act not in beside], random)
    with ThreadPoolExecutor(REQUESTS) as pool:
        appended = pool.submit(_append, server.folder, random.sample(beside, len(beside)))
        for _ in pool.map(teller.tell, requests):
            pass
    stored, unreadable = appended.result()
    ends: dict[int, int] = {}
    for act in (*teller.stored, *stored, unreadable):
        ends[act.partition] = max(ends.get(act.partition, 0), act.offset)
    position = ",".join(f"{partition}:{offset}" for partition, offset in sorted(ends.items()))
    return Told(teller.stored + stored, unreadable, position, teller.duplicates, teller.refused)


def _contested(acts: Sequence[RefAct]) -> Iterator[RefAct]:
    """Acts whose key another one has; those with personal text are left to the ingress, which alone can seal it."""
    times = Counter(act.key for act in acts)
    plain = Counter(act.key for act in acts if all(act.data.get(field) is None for field in PERSONAL_FIELDS))
    return (act for act in acts if times[act.key] > 1 and plain[act.key] == times[act.key])


def _append(folder: Path, acts: Sequence[RefAct]) -> tuple[list[RefAct], RefAct]:
    """Append acts to the log beside the running server, and one that no catalogue lets in."""
    unreadable = RefAct(0, 0, "contact.made", "nowhere", "unreadable", "c1.0", START, {"rep": "r1"})
    log = open_log(f"sqlite:///{folder / 'log.sqlite'}", 1).writer()
    records = [NewRecord(act.subject, json.dumps(event_of(act)).encode()) for act in (*acts, unreadable)]
    places = log.append(records).result(30)
    log.close()
    stored = [
        replace(act, partition=place.partition, offset=place.offset)
        for act, place in zip((*acts, unreadable), places, strict=True)
    ]
    return stored[:-1], stored[-1]


def _requests(acts: Sequence[RefAct], random: Random) -> Iterator[list[RefAct]]:
    """The acts in shuffled order, cut into requests; those of one key often come in requests next to each other."""
    shuffled = random.sample(acts, len(acts))
    together = {act.key: place for place, act in enumerate(shuffled)}
    if random.random() < 0.5:
        shuffled.sort(key=lambda act: together[act.key])
    while shuffled:
        number = random.choice((1, 1, 1, 2, 7))
        yield shuffled[:number]
        shuffled = shuffled[number:]


def policy_file(folder: Path, missing: Mapping[str, set[str]]) -> Path:
    """A policy that differs from the default in what each source does not record."""
    path = folder / "policy.toml"
    lines = [f"{json.dumps(source)} = {json.dumps(sorted(acts))}" for source, acts in missing.items()]
    path.write_text("\n".join(["[not_recorded]", *lines]), encoding="utf-8")
    return path
