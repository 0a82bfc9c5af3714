"""The made-up year: a company whose three teams are led in three ways, told as about 10,000 acts.

River's leader guides. Summit's pushes when a month is short of its goal, and is copied. Harbour's states standards
and does the opposite. Every act of the catalogue occurs. The same seed and end always give the same acts.
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

from services.demo.acts import CRM, Act, Notebook, time_of
from services.demo.cast import DAYS, PEOPLE, TEAMS, Person
from services.demo.climate import Climate, Month
from services.demo.corrections import corrections
from services.demo.customers import Customer, Customers
from services.demo.leading import leadership, structure
from services.demo.story import tell
from services.demo.telling import Telling


def year(seed: int = 7, until: date = date(2026, 1, 1)) -> Iterator[Act]:
    """The acts of the 365 days before `until` (00:00 UTC, excluded) as CloudEvents, in the order of time."""
    ends = datetime(until.year, until.month, until.day, tzinfo=UTC)
    begins = ends - timedelta(days=DAYS)
    acts = [act for act in _company(begins, ends, Random(f"{seed}")) if time_of(act) < ends]
    acts.sort(key=time_of)
    acts += corrections(acts, ends, Random(f"{seed} corrections"))
    yield from sorted(acts, key=time_of)


def _company(begins: datetime, ends: datetime, rng: Random) -> Iterator[Act]:
    """Everything that happens, leaders first: their reps copy them."""
    short = _short_months(begins, rng)
    climate = Climate(begins, short)
    yield from structure(begins)
    for team in TEAMS:
        yield from leadership(team, climate, rng, short)
    customers = Customers(begins, rng)
    for person in sorted(PEOPLE, key=lambda person: not person.leads):
        yield from _working_year(person, customers, climate, ends, rng)


def _short_months(begins: datetime, rng: Random) -> list[Month]:
    """The months that will be short of their goal: every other one, from the first or second whole month on."""
    months = [divmod(begins.year * 12 + begins.month + ahead, 12) for ahead in range(12)]
    return [(year, month + 1) for year, month in months[rng.randrange(2) :: 2]]


def _working_year(person: Person, customers: Customers, climate: Climate, ends: datetime, rng: Random) -> Iterator[Act]:
    """All relationships that `person` begins, and those that come of their referrals."""
    first, last = person.stays[0].first, min(person.stays[-1].last, DAYS)
    team = person.stays[0].team
    style = team.leads if person.leads else team.works
    number = round(style.new_customers * (last - first) / DAYS)
    waiting = deque(
        customers.new(person, climate.begins + timedelta(days=rng.uniform(first, last - 7))) for _ in range(number)
    )
    while waiting:
        customer = waiting.popleft()

        def refer(at: datetime, customer: Customer = customer) -> str:
            waiting.append(customers.new(customer.owner(at), at + timedelta(days=rng.randint(2, 9))))
            return waiting[-1].key

        yield from _relationship(customer, refer, climate, ends, rng)


def _relationship(
    customer: Customer, refer: Callable[[datetime], str], climate: Climate, ends: datetime, rng: Random
) -> Iterator[Act]:
    """All acts with one customer, deal by deal."""
    book = Notebook(customer.key, CRM)
    book.write("customer.known", customer.known, {"name": customer.name, "segment": customer.segment})
    for since, person in customer.owners:
        book.write("customer.assigned", since, {"rep": person.key})
    for nth, deal in enumerate(customer.deals):
        story = Telling(customer, deal, book, climate, rng, customer.known + timedelta(days=40 * nth), refer)
        story.wait(0, 3)
        tell(story, ends)
    yield from book.acts
