"""Lifelike acts in any number: the demo's made-up year, told with one seed after another, each of other people."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import msgspec

from services.demo.year import year
from services.events.catalog.envelope import Act, Catalogue
from services.events.log.protocol import NewRecord, Position
from services.events.recording import HEADERS
from services.events.vault.cipher import seal
from services.kit.settings import Settings, load_settings
from services.parts import Parts, opened

T = TypeVar("T")

UNTIL = date(2026, 1, 1)
TOGETHER = 1_000
_KEY = re.compile(rb'"(c-\d{4}|p-\d{3}|t-[a-z]|public-\d)')  # how the demo's keys and ids begin


def events(number: int, first_seed: int = 7) -> list[bytes]:
    """So many acts as JSON. Each seed is a year of its own: about 10,000 acts, 450 customers, three teams."""
    return list(islice(_years(first_seed), number))


def _years(first_seed: int) -> Iterator[bytes]:
    for seed in count(first_seed):
        own = b'"y%d-\\1' % seed
        for event in year(seed, UNTIL):
            yield _KEY.sub(own, msgspec.json.encode(event))


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
    with opened(settings_of(folder)) as parts:
        writer = parts.log.writer(waiting_records=2 * number, waiting_bytes=2**30)
        waiting = [writer.append(records(parts, some)) for some in together(events(number), TOGETHER)]
        for future in waiting:
            future.result()
        writer.close()


def ends_of(folder: Path) -> Position:
    """Where the log of the Exemplar in this folder ends."""
    with opened(settings_of(folder)) as parts:
        reader = parts.log.reader()
        ends = reader.ends()
        reader.close()
    return ends
