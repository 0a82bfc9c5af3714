"""Credentials: who may post and read what. Of an API key only the SHA-256 is kept; it is shown once, when it is made.

The functions take an engine on the control area. `Keyring` is what a server asks at each request; it remembers an
answer for 2 seconds, so that a key revoked by another process is refused soon after. What people's tokens say is read
by `tokens`.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import BigInteger, Column, Engine, MetaData, Table, Text, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.events.catalog.acts import PUBLIC, UNATTRIBUTED
from services.events.leaves import Leaf, add_leaves
from services.kit.database import look_up, reading, writing
from services.kit.errors import Conflict, Invalid, NotFound, Unauthenticated, Unavailable

ACTS_WRITE = "acts:write"
ACTS_STRUCTURE = "acts:structure"
ACTS_CORRECT = "acts:correct"
CARDS_READ = "cards:read"
AUDIT_READ = "audit:read"
ADMIN = "admin"
SCOPES = (ACTS_WRITE, ACTS_STRUCTURE, ACTS_CORRECT, CARDS_READ, AUDIT_READ, ADMIN)

KEY_PREFIX = "exk_"
REMEMBERED_SECONDS = 2.0
TOKEN_REMEMBERED_SECONDS = 60.0
_REMEMBERED_AT_MOST = 10_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*) *", re.ASCII | re.IGNORECASE)
_NOT_IN_KEYS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

metadata = MetaData()
credentials = Table(
    "credentials",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),  # hex, of the whole key with its prefix
    Column("scopes", Text, nullable=False),  # a JSON array
    Column("sources", Text, nullable=False),  # a JSON array of prefixes
    Column("person", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
)


@dataclass(frozen=True, slots=True)
class Credential:
    """Who is asking: the name that the log keeps as `recordedby`, and what they may."""

    name: str
    scopes: frozenset[str]
    sources: tuple[str, ...] = ()
    person: str | None = None

    def has(self, scope: str) -> bool:
        """Whether the credential has the scope; `admin` includes every one."""
        return scope in self.scopes or ADMIN in self.scopes

    def may_write(self, source: str) -> bool:
        """Whether the credential may post acts of the source: it begins with one of the credential's prefixes."""
        if ADMIN in self.scopes:
            return True
        return ACTS_WRITE in self.scopes and source.startswith(self.sources)


OPEN = Credential("open", frozenset({ADMIN}))
"""Everyone, in the open mode of an embedded server on loopback."""
IMPORT = Credential("import", frozenset({ADMIN}))
"""The importer that works in the process which holds the log."""
CLI = Credential("cli", frozenset({ADMIN}))
"""The commands of an operator on the machine that holds the log."""
_RESERVED = frozenset({OPEN.name, IMPORT.name, CLI.name})


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key as `exemplar keys list` shows it; instants in microseconds."""

    name: str
    scopes: tuple[str, ...]
    sources: tuple[str, ...]
    person: str | None
    created: int
    revoked: int | None


def create_key(
    engine: Engine,
    name: str,
    scopes: Collection[str],
    now: int,
    *,
    sources: Collection[str] = (),
    person: str | None = None,
) -> str:
    """Make a key and give it, once and never again. Raises Invalid, or Conflict if the name was ever used."""
    _check(name, scopes, sources, person)
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name,
        "sha256": _digest(key),
        "scopes": _json(scope for scope in SCOPES if scope in scopes),
        "sources": _json(sources),
        "person": person,
        "created_us": now,
    }
    try:
        with writing(engine) as connection:
            connection.execute(insert(credentials).values(row))
            add_leaves(connection, [_leaf("key.created", now, name, person, scopes=scopes, sources=sources)])
    except IntegrityError as error:
        raise Conflict(f"there is or was a key named {name}; the name of a revoked key stays taken") from error
    return key


def list_keys(engine: Engine) -> Sequence[IssuedKey]:
    """Every key ever made, by name, the revoked ones too."""
    with reading(engine) as connection:
        rows = connection.execute(select(credentials).order_by(credentials.c.name)).all()
    return [
        IssuedKey(row.name, _strings(row.scopes), _strings(row.sources), row.person, row.created_us, row.revoked_us)
        for row in rows
    ]


def revoke_key(engine: Engine, name: str, now: int) -> None:
    """Revoke a key; doing it again changes nothing. Raises NotFound."""
    with writing(engine) as connection:
        found = connection.execute(select(credentials.c.person).where(credentials.c.name == name)).first()
        if found is None:
            raise NotFound(f"there is no key named {name}")
        still_valid = (credentials.c.name == name) & credentials.c.revoked_us.is_(None)
        if connection.execute(update(credentials).where(still_valid).values(revoked_us=now)).rowcount:
            add_leaves(connection, [_leaf("key.revoked", now, name, found.person)])


def authenticate(engine: Engine, key: str) -> Credential | None:
    """Whose key this is; None if it is unknown or revoked. Found by its hash, so that time tells nothing of it."""
    valid = (credentials.c.sha256 == _digest(key)) & credentials.c.revoked_us.is_(None)
    with reading(engine) as connection:
        row = connection.execute(select(credentials).where(valid)).first()
    if row is None:
        return None
    return Credential(row.name, frozenset(_strings(row.scopes)), _strings(row.sources), row.person)


def _good_among(engine: Engine, digests: Collection[str]) -> set[str]:
    """Those of these SHA-256 that are of a key which was not revoked."""
    table = credentials.c
    found = look_up(engine, [table.sha256, table.revoked_us], [table.sha256], [[digest] for digest in digests])
    return {sha256 for sha256, revoked in found if revoked is None}


def any_key_was_made(engine: Engine) -> bool:
    """Whether there is a key or ever was one."""
    with reading(engine) as connection:
        return connection.execute(select(credentials.c.name).limit(1)).first() is not None


class Keyring:
    """The credentials of a server's requests. Safe to use from any thread.

    `may_be_open`: the server is embedded and listens on loopback, and so is open until the first key is made.
    `read_token` reads a person's token as a credential and the seconds for which it is good; with it, nothing is open.
    """

    def __init__(
        self,
        engine: Engine,
        may_be_open: bool,
        monotonic: Callable[[], float] = time.monotonic,
        read_token: Callable[[str], tuple[Credential, float]] | None = None,
    ) -> None:
        self._engine = engine
        self._may_be_open = may_be_open and read_token is None
        self._read_token = read_token
        self._open_until = 0.0
        self._monotonic = monotonic
        self._remembered: dict[str, tuple[float, Credential]] = {}

    @property
    def closed(self) -> bool:
        """Whether requests need a credential, now and for good."""
        return not self._may_be_open

    def remembered(self, authorization: str | None) -> Credential | None:
        """What `admit` would answer, if that is known without asking the database."""
        now = self._monotonic()
        if authorization is None and self._may_be_open and now < self._open_until:
            return OPEN
        known = self._remembered.get(_digest(authorization or ""))
        return known[1] if known is not None and now < known[0] else None

    def admit(self, authorization: str | None) -> Credential:
        """The credential that the header `Authorization` presents. Asks the database where need be.

        Who presents one where all was open a moment ago has a key that was made since, and is known by it at once.
        Raises Unauthenticated if there is none, or it is unknown or revoked; Unavailable.
        """
        if known := self.remembered(authorization):
            return known
        if self._is_found_open():
            return OPEN
        presented = _presented(authorization)
        if presented is None:
            raise Unauthenticated("a credential is needed: Authorization: Bearer KEY", presented=bool(authorization))
        now = self._monotonic()
        credential, seconds = self._read(presented)
        if len(self._remembered) >= _REMEMBERED_AT_MOST:
            self._remembered.clear()
        self._remembered[_digest(authorization or "")] = now + seconds, credential
        return credential

    def _read(self, presented: str) -> tuple[Credential, float]:
        """Whose key or token it is, and for how many seconds that may be remembered.

        A token is checked again each minute, since the issuer may take the key back that signed it.
        """
        if self._read_token is not None and _is_token(presented):
            credential, seconds = self._read_token(presented)
            return credential, min(seconds, TOKEN_REMEMBERED_SECONDS)
        found = authenticate(self._engine, presented)
        if found is None:
            raise Unauthenticated("the credential is unknown or was revoked", presented=True)
        return found, REMEMBERED_SECONDS

    def ended(self, authorizations: Collection[str | None]) -> set[str | None]:
        """Those of these headers `Authorization`, admitted once, that are good no more, and are forgotten here.

        One question to the database, however many there are. A token of which the issuer would have to say more is not
        among them. Raises Unavailable.
        """
        if self.is_open():
            return set()
        presented = {header: _presented(header) or "" for header in authorizations}
        tokens = {header for header, text in presented.items() if self._read_token is not None and _is_token(text)}
        keys = {header: _digest(text) for header, text in presented.items() if header not in tokens}
        good = _good_among(self._engine, keys.values())
        found = {header for header, sha256 in keys.items() if sha256 not in good}
        found |= {header for header in tokens if not self._may_be_good(header)}
        for header in found:
            self._remembered.pop(_digest(header or ""), None)
        return found

    def _may_be_good(self, token: str | None) -> bool:
        try:
            self.admit(token)
        except Unauthenticated:
            return False
        except Unavailable:
            pass
        return True

    def is_open(self) -> bool:
        """Whether requests need no credential now. Asks the database where need be; once it is no, it stays no."""
        return self.remembered(None) is not None or self._is_found_open()

    def _is_found_open(self) -> bool:
        if not self._may_be_open:
            return False
        now = self._monotonic()
        if any_key_was_made(self._engine):
            self._may_be_open = False
            return False
        self._open_until = now + REMEMBERED_SECONDS
        return True


def is_person(key: str) -> bool:
    """Whether the key can be a person's, as acts have it: 1 to 128 characters, and none of those that mean nobody."""
    return 1 <= len(key) <= 128 and not _NOT_IN_KEYS.search(key) and key not in (PUBLIC, UNATTRIBUTED)


def _check(name: str, scopes: Collection[str], sources: Collection[str], person: str | None) -> None:
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise Invalid("a key's name is 1 to 64 letters, digits, `.`, `_`, `-`, and none of `open`, `import`, `cli`")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise Invalid(f"there is no scope {unknown[0]}; there are {', '.join(SCOPES)}")
    if not scopes and person is None:
        raise Invalid("a key needs a scope or a person")
    wanted = set(scopes)
    if wanted & {ACTS_STRUCTURE, ACTS_CORRECT} and not wanted & {ACTS_WRITE, ADMIN}:
        raise Invalid(f"{ACTS_STRUCTURE} and {ACTS_CORRECT} come besides {ACTS_WRITE}")
    if ACTS_WRITE in wanted and ADMIN not in wanted and not sources:
        raise Invalid(f"{ACTS_WRITE} needs a source: the beginning of the `source` of the acts that may be posted")
    if not all(sources):
        raise Invalid("a source that is empty would be every source: that is what admin is for")
    if person is not None and not is_person(person):
        raise Invalid("the key of a person is 1 to 128 characters without control characters, none of the reserved")


def _leaf(kind: str, at: int, name: str, person: str | None, **more: Collection[str]) -> Leaf:
    """What the audit tree is told of a change of keys; those who make it are at the commands."""
    lists = {member: sorted(texts) for member, texts in more.items()}
    return Leaf(kind, at, CLI.name, [] if person is None else [person], {"name": name, **lists})


def _presented(authorization: str | None) -> str | None:
    """The key or the token in a header; None if it has none."""
    bearer = _BEARER.fullmatch(authorization or "")
    return bearer[1] if bearer else None


def _is_token(presented: str) -> bool:
    """A token has two dots, a key none."""
    return presented.count(".") == 2


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _json(values: Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _strings(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
