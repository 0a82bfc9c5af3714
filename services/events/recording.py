"""The one way by which acts get into the log, whoever brings them: the HTTP ingress and the importer alike.

Each event is validated, authorised, its personal fields sealed, and compared with what is known; what comes through is
appended, and acknowledged only once the log has it durably.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from services.events.catalog.acts import (
    ActDisputed,
    ActRetracted,
    CustomerAssigned,
    PersonErased,
    TeamFormed,
    TeamJoined,
    TeamLeft,
)
from services.events.catalog.envelope import RECORDED_BY, Act, Catalogue, same_content
from services.events.credentials import ACTS_CORRECT, ACTS_STRUCTURE, ACTS_WRITE, Credential
from services.events.known import Known, KnownAct
from services.events.log.protocol import LogWriter, NewRecord, Place
from services.events.recent import RecentlyAppended
from services.events.trace import Trace, trace_of_event
from services.events.vault.cipher import seal
from services.events.vault.protocol import Vault
from services.kit.errors import ExemplarError, Invalid, Malformed

HEADERS = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
"""Of every record, as the CloudEvents Kafka binding has it for structured mode."""
_MOST_PAIRS = 2_000
_SCOPES: Mapping[type, str] = {
    TeamFormed: ACTS_STRUCTURE,
    TeamLeft: ACTS_STRUCTURE,
    TeamJoined: ACTS_STRUCTURE,
    CustomerAssigned: ACTS_STRUCTURE,
    ActRetracted: ACTS_CORRECT,
    PersonErased: ACTS_CORRECT,
}

Key = tuple[str, str, str]
Pair = tuple[str, str]


class Fault(Struct, frozen=True):
    """Why an event is refused: 400 malformed, 403 not allowed, 422 invalid, 409 conflict; the JSON pointer into it."""

    status: int
    pointer: str
    reason: str


class Request(NamedTuple):
    """Events as JSON values, whose they are, and the trace that posting them is a part of.

    In the place of what could not even be read as JSON is a Fault.
    """

    events: Sequence[object]
    credential: Credential
    trace: Trace = ()


class Fresh(Struct, frozen=True):
    """An act that is not known yet, sealed, to be appended with the trace that it is a part of."""

    act: Act
    trace: Trace = ()


class Copy(Struct, frozen=True):
    """An act that is known already: where its first copy is, a place or the index of an event of the same request."""

    act: Act
    first: Place | int


Verdict = Fault | Fresh | Copy


class Receipt(Struct, frozen=True):
    """An act that is durably in the log, where it is, and whether it was there (or in the request) before."""

    source: str
    id: str
    place: Place
    duplicate: bool


class Refused(ExemplarError):
    """A request with bad events, of which nothing was appended. `faults` has each with its index in the request."""

    def __init__(self, faults: Mapping[int, Fault]) -> None:
        super().__init__("nothing was recorded: see errors")
        self.faults = faults

    @property
    def status(self) -> int:
        """400 if any event is malformed, else 403 if one is not allowed, else 422 if one is invalid, else 409."""
        found = {fault.status for fault in self.faults.values()}
        return next(status for status in (400, 403, 422, 409) if status in found)


class Recording:
    """Judges events and appends acts. Safe to use from any thread; the judging blocks on the vault and the read model.

    `clock` gives the instant at which the log takes an act in, in microseconds.
    """

    def __init__(
        self, log: LogWriter, vault: Vault, known: Known, catalogue: Catalogue, clock: Callable[[], int]
    ) -> None:
        self._log = log
        self._vault = vault
        self._known = RecentlyAppended(known)
        self._catalogue = catalogue
        self._clock = clock

    def judge(self, requests: Sequence[Request]) -> list[list[Verdict]]:
        """A verdict on each event of each request, the requests independent of one another. Raises Unavailable."""
        now = self._clock()
        drafts = [[self._read(event, request.credential, now) for event in request.events] for request in requests]
        known = self._look_up(draft for request in drafts for draft in request if isinstance(draft, Act))
        for request, judged in zip(requests, drafts, strict=True):
            if request.credential.person is not None:
                judged[:] = [_own_dispute(draft, request.credential, known) for draft in judged]
        acts = [draft for request in drafts for draft in request if isinstance(draft, Act)]
        sealed = iter(seal(acts, self._catalogue, self._vault))
        return [
            self._compare([next(sealed) if isinstance(draft, Act) else draft for draft in judged], known, request.trace)
            for request, judged in zip(requests, drafts, strict=True)
        ]

    def append(self, fresh: Sequence[Fresh]) -> Future[list[Place]]:
        """Give the acts to the log; the future has their places once they are durable, or fails with Unavailable."""
        acts = [each.act for each in fresh]
        records = [
            NewRecord(each.act.subject, self._catalogue.encode_record(each.act), HEADERS + each.trace) for each in fresh
        ]
        future = self._log.append(records)
        future.add_done_callback(partial(self._remember, acts, [len(record.value) for record in records]))
        return future

    def destroy_keys(self, persons: Collection[str]) -> None:
        """Destroy the data keys of those whom acts erase that are durable now, before they are acknowledged."""
        if persons:
            self._vault.destroy(persons)

    def _remember(self, acts: Sequence[Act], sizes: Sequence[int], appended: Future[list[Place]]) -> None:
        if not appended.cancelled() and appended.exception() is None:
            self._known.remember(zip(acts, appended.result(), sizes, strict=True))

    def _read(self, event: object, credential: Credential, now: int) -> Act | Fault:
        if isinstance(event, Fault):
            return event
        try:
            act = self._catalogue.decode_event(event, now)
        except Malformed as error:
            return Fault(400, error.pointer, str(error))
        except Invalid as error:
            return Fault(422, error.pointer, str(error))
        return _not_allowed(act, credential) or replace(
            act, extensions={**act.extensions, RECORDED_BY: credential.name}
        )

    def _look_up(self, acts: Iterable[Act]) -> Mapping[Pair, list[KnownAct]]:
        pairs: set[Pair] = set()
        for act in acts:
            pairs.add((act.source, act.id))
            if isinstance(act.data, ActDisputed):
                pairs.add((act.data.disputes_source, act.data.disputes_id))
        ordered = sorted(pairs)
        known: dict[Pair, list[KnownAct]] = {}
        for start in range(0, len(ordered), _MOST_PAIRS):
            for found in self._known.find(ordered[start : start + _MOST_PAIRS]):
                known.setdefault((found.act.source, found.act.id), []).append(found)
        return known

    def _compare(
        self, drafts: Sequence[Act | Fault], known: Mapping[Pair, list[KnownAct]], trace: Trace
    ) -> list[Verdict]:
        """Each act of one request against what is known and against the acts before it in the request."""
        firsts: dict[Pair, tuple[int, Act]] = {}
        verdicts: list[Verdict] = []
        for index, act in enumerate(drafts):
            if isinstance(act, Fault):
                verdicts.append(act)
                continue
            before: list[tuple[Place | int, Act]] = [(k.place, k.act) for k in known.get((act.source, act.id), ())]
            if not before and (act.source, act.id) in firsts:
                before = [firsts[act.source, act.id]]
            verdict = self._against(act, before, trace)
            if isinstance(verdict, Fresh):
                firsts[act.source, act.id] = index, act
            verdicts.append(verdict)
        return verdicts

    def _against(self, act: Act, before: Sequence[tuple[Place | int, Act]], trace: Trace) -> Verdict:
        """`before`: the acts that have the same pair of source and id, and where they are."""
        for first, other in before:
            if other.subject == act.subject:
                if same_content(act, other, self._catalogue.personal[act.name]):
                    return Copy(act, first)
                return Fault(409, "", f"differs from the act of this subject, source and id {_where(first)}")
        if before:
            return Fault(409, "/subject", f"another subject has an act of this source and id, {_where(before[0][0])}")
        return Fresh(act, trace or trace_of_event(act.extensions))


def faults_of(verdicts: Sequence[Verdict]) -> dict[int, Fault]:
    """The bad events of a request, by their index."""
    return {index: verdict for index, verdict in enumerate(verdicts) if isinstance(verdict, Fault)}


def erased_by(verdicts: Iterable[Verdict]) -> list[str]:
    """Whom the acts among these verdicts erase."""
    return [
        verdict.act.subject
        for verdict in verdicts
        if not isinstance(verdict, Fault) and isinstance(verdict.act.data, PersonErased)
    ]


def receipts_of(verdicts: Sequence[Verdict], places: Iterable[Place]) -> list[Receipt | Fault]:
    """What became of each event of a request; `places` are those of its fresh acts, in their order."""
    appended = iter(places)
    found: dict[int, Place] = {}
    settled: list[Receipt | Fault] = []
    for index, verdict in enumerate(verdicts):
        if isinstance(verdict, Fault):
            settled.append(verdict)
            continue
        if isinstance(verdict, Fresh):
            place = next(appended)
        else:
            place = verdict.first if isinstance(verdict.first, Place) else found[verdict.first]
        found[index] = place
        settled.append(Receipt(verdict.act.source, verdict.act.id, place, isinstance(verdict, Copy)))
    return settled


def position_of(receipts: Iterable[Receipt]) -> str:
    """The highest offset in each partition, such as `3:1042,7:9`: where a reader must be to see all of these acts."""
    highest: dict[int, int] = {}
    for receipt in receipts:
        partition, offset, _ = receipt.place
        highest[partition] = max(offset, highest.get(partition, 0))
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(highest.items()))


def _not_allowed(act: Act, credential: Credential) -> Fault | None:
    """What the credential forbids, but for a person's own dispute, which hangs on the act that it names."""
    if _is_own_dispute(act, credential):
        return None
    if not credential.has(ACTS_WRITE):
        return Fault(403, "", f"the credential lacks the scope {ACTS_WRITE}")
    if not credential.may_write(act.source):
        return Fault(403, "/source", "the credential may not post acts of this source")
    scope = _SCOPES.get(type(act.data))
    if scope is not None and not credential.has(scope):
        return Fault(403, "/type", f"the credential lacks the scope {scope}")
    return None


def _is_own_dispute(act: Act, credential: Credential) -> bool:
    return isinstance(act.data, ActDisputed) and credential.person is not None and not credential.may_write(act.source)


def _own_dispute(draft: Act | Fault, credential: Credential, known: Mapping[Pair, list[KnownAct]]) -> Act | Fault:
    """A person may dispute the acts whose `rep` they are, in their own name."""
    if isinstance(draft, Fault) or not isinstance(draft.data, ActDisputed) or not _is_own_dispute(draft, credential):
        return draft
    if draft.data.by != credential.person:
        return Fault(403, "/data/by", "who disputes with a person's credential is that person")
    named = known.get((draft.data.disputes_source, draft.data.disputes_id), ())
    if any(k.act.subject == draft.subject and getattr(k.act.data, "rep", None) == credential.person for k in named):
        return draft
    return Fault(403, "/data/disputes_id", "a person may dispute the acts that are known and whose `rep` they are")


def _where(first: Place | int) -> str:
    if isinstance(first, Place):
        return f"in the log at {first.partition}:{first.offset}"
    return f"in the request at index {first}"
