"""Lifelike acts in any number: the demo's made-up year, told with one seed after another, each of other people."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from datetime import date
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import msgspec

from services.demo.year import year
from services.events.catalog.envelope import Act, Catalogue
from services.events.log.protocol import NewRecord, Place, Position
from services.events.recording import HEADERS
from services.events.vault.cipher import seal
from services.kit.settings import Settings, load_settings
from services.parts import Parts, make_log, opened
from services.parts.audit import signing

T = TypeVar("T")

UNTIL = date(2026, 1, 1)
TOGETHER, WAITING = 1_000, 20  # acts appended at once, and how many such appends wait
ACTS_OF_A_COMPANY = 22_500  # in a little more than two years, with 455 customers
_KEY = re.compile(rb'"(c-\d{4}|p-\d{3}|t-[a-z]|public-\d)')  # how the demo's keys and ids begin
_NAME = re.compile(rb'"(c-\d{4}|p-\d{3}|t-[a-z]+)"')  # a customer, a person, a team


def events(number: int, first_seed: int = 7) -> list[bytes]:
    """So many acts as JSON. Each seed is a year of its own: about 10,000 acts, 450 customers, three teams."""
    return list(islice(_years(first_seed), number))


def lifelike() -> Iterator[bytes]:
    """Acts as JSON, without end: year after year of other people."""
    return _years(7)


def long_histories(number: int) -> Iterator[bytes]:
    """So many acts of companies that last for several years with the same people: of 1,000,000, 20,000 customers.

    A customer's acts are as scattered over the log as the years are.
    """
    companies = max(round(number / ACTS_OF_A_COMPANY), 1)
    return islice(_years(0, companies), number)


def _years(first_seed: int, companies: int | None = None) -> Iterator[bytes]:
    """Year after year, each told of other people, or one company's after the other's and then their next years."""
    for told, seed in enumerate(count(first_seed)):
        later, company = divmod(told, companies) if companies else (0, seed)
        own, whose = b'"y%d-\\1' % seed, b'"y%d-\\1"' % company
        until = UNTIL.replace(year=UNTIL.year + later)
        for event in year(seed, until):
            yield _KEY.sub(own, _NAME.sub(whose, msgspec.json.encode(event)))


def together(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def decoded(given: Iterable[bytes], catalogue: Catalogue) -> list[Act]:
    """The acts as the catalogue has them."""
    return [catalogue.decode_record(event) for event in given]


def records(parts: Parts, given: Iterable[bytes]) -> list[NewRecord]:
    """The acts as the log keeps them, † fields encrypted."""
    acts = seal(decoded(given, parts.catalogue), parts.catalogue, parts.vault)
    return [NewRecord(act.subject, parts.catalogue.encode_record(act), HEADERS) for act in acts]


def settings_of(folder: Path) -> Settings:
    """Settings of an Exemplar whose files are all in this folder."""
    return load_settings(data_dir=folder)


def fill(folder: Path, number: int) -> None:
    """Write so many acts into the log of an Exemplar in this folder. Nothing is folded."""
    fill_log(settings_of(folder), lifelike(), number)


def fill_long(settings: Settings, number: int) -> None:
    """Write so many acts of long histories into the log of an Exemplar. Nothing is folded."""
    fill_log(settings, long_histories(number), number)


def fill_log(settings: Settings, acts: Iterable[bytes], number: int) -> None:
    """Write the first of these acts into the log of an Exemplar, and make the key that its fold will sign with."""
    make_log(settings)
    waited_for = iter(acts)
    with opened(settings) as parts:
        signing(parts, may_make=True)
        writer = parts.log.writer()
        waiting: deque[Future[list[Place]]] = deque()
        while some := list(islice(waited_for, min(TOGETHER, number))):
            number -= len(some)
            waiting.append(writer.append(records(parts, some)))
            if len(waiting) > WAITING:
                waiting.popleft().result()
        for future in waiting:
            future.result()
        writer.close()


def ends_of(folder: Path) -> Position:
    """Where the log of the Exemplar in this folder ends."""
    return log_ends(settings_of(folder))


def log_ends(settings: Settings) -> Position:
    """Where the log of an Exemplar ends."""
    with opened(settings) as parts:
        reader = parts.log.reader()
        ends = reader.ends()
        reader.close()
    return ends
