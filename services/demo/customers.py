"""The company's customers: who gets to know them, and who takes them over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from services.demo.cast import DAYS, PEOPLE, SEGMENTS, Person, Stay, company_names
from services.demo.office import office_time


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer: since when it is known, who deals with it from when on, and its deals (None: not told apart)."""

    key: str
    name: str
    segment: str
    known: datetime
    owners: tuple[tuple[datetime, Person], ...]
    deals: tuple[str | None, ...] = (None,)

    def owner(self, at: datetime) -> Person:
        """Who deals with the customer at `at`."""
        return next((person for since, person in reversed(self.owners) if since <= at), self.owners[0][1])


class Customers:
    """Hands out new customers."""

    def __init__(self, begins: datetime, rng: Random) -> None:
        self._begins, self._rng = begins, rng
        self._keys, self._names = count(1), company_names(rng)

    def new(self, person: Person, about: datetime) -> Customer:
        """A customer that `person` gets to know about that time; others take over when they leave, or now and then."""
        known = office_time(about, self._rng)
        key = f"c-{next(self._keys):04}"
        deals = (f"{key}-a", f"{key}-b") if self._rng.random() < 0.12 else (None,)
        owners = ((known, person), *self._successors(person, known))
        return Customer(key, next(self._names), self._rng.choice(SEGMENTS), known, owners, deals)

    def _successors(self, person: Person, known: datetime) -> Iterator[tuple[datetime, Person]]:
        """Whoever takes the customer over, from when on."""
        here = (Stay(person.stays[-1].team),)
        colleagues = [other for other in PEOPLE if other.stays == here and not other.leads and other is not person]
        last = person.stays[-1].last
        if last < DAYS:
            yield max(self._begins + timedelta(days=last), known), self._rng.choice(colleagues)
        elif not person.leads and self._rng.random() < 0.05:
            yield known + timedelta(days=self._rng.randint(40, 120)), self._rng.choice(colleagues)
