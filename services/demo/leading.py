"""What leaders do as leaders: form teams, state standards, push, coach and recognise.

River's leader coaches and recognises behaviour; Summit's pushes when a month is short and recognises results;
Harbour's states the standards that he breaches himself.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from services.demo.acts import PEOPLE as SOURCE
from services.demo.acts import Act, Notebook
from services.demo.cast import (
    COMPANY,
    DAYS,
    DIRECTOR,
    DIRECTOR_NAME,
    HARBOUR,
    PEOPLE,
    RIVER,
    SUMMIT,
    TEAMS,
    Person,
    Stay,
    Team,
)
from services.demo.climate import Climate, Month
from services.demo.office import month_end_begins


@dataclass(frozen=True, slots=True)
class Habits:
    """How a leader leads: the days between coachings and between recognitions, and the share that goes to behaviour."""

    coaches_every: int
    recognises_every: int
    for_behaviour: float
    coaches_on: tuple[str, ...]
    states: tuple[tuple[int, str, str], ...] = ()
    """Standards as (day of the year, principle, words)."""


HABITS = {
    RIVER.key: Habits(
        coaches_every=9,
        recognises_every=8,
        for_behaviour=0.85,
        coaches_on=("ask-first", "right-solution", "two-way", "qualify"),
        states=((6, "ask-first", "We ask before we offer."), (97, "aim-to-serve", "Be of use, sale or no sale.")),
    ),
    SUMMIT.key: Habits(
        coaches_every=60,
        recognises_every=15,
        for_behaviour=0.1,
        coaches_on=("follow-through",),
        states=((20, "follow-through", "Nobody is forgotten."),),
    ),
    HARBOUR.key: Habits(
        coaches_every=45,
        recognises_every=20,
        for_behaviour=0.4,
        coaches_on=("ask-first", "follow-through"),
        states=(
            (3, "ask-first", "Curiosity comes first in this team."),
            (3, "accept-decisions", "We take a no for a no."),
            (45, "follow-through", "We finish what we begin."),
            (45, "serve-customers", "Those who bought from us come first."),
            (200, "two-way", "We answer every question the same day."),
            (290, "ask-first", "Once more: ask first!"),
        ),
    ),
}


def structure(begins: datetime) -> Iterator[Act]:
    """The teams and who is in them when."""
    company = Notebook(COMPANY, SOURCE)
    company.write("team.formed", begins, {"name": "Alder & Wick"})
    company.write("team.joined", begins, {"person": DIRECTOR, "role": "leader", "name": DIRECTOR_NAME})
    yield from company.acts
    for team in TEAMS:
        book = Notebook(team.key, SOURCE)
        book.write("team.formed", begins, {"name": team.name, "parent": COMPANY})
        for person in PEOPLE:
            for stay in person.stays:
                if stay.team is team:
                    _write_stay(book, person, stay, begins)
        yield from book.acts


def _write_stay(book: Notebook, person: Person, stay: Stay, begins: datetime) -> None:
    """One person's coming and, within the year, going."""
    role = "leader" if stay.team.leader == person.key else "rep"
    joined = begins + timedelta(days=stay.first)
    book.write("team.joined", joined, {"person": person.key, "role": role, "name": person.name})
    if stay.last < DAYS:
        book.write("team.left", begins + timedelta(days=stay.last), {"person": person.key})


def leadership(team: Team, climate: Climate, rng: Random, month_ends: Collection[Month]) -> Iterator[Act]:
    """A year of leading `team`; what pulls at the team is noted in the climate."""
    book, habits = Notebook(team.leader, SOURCE), HABITS[team.key]
    for day, principle, words in habits.states:
        at = climate.begins + timedelta(days=day, hours=8)
        book.write("standard.stated", at, {"principle": principle, "team": team.key, "text": words})
    _coach(book, team, climate, rng)
    _recognise(book, team, climate, rng)
    if team is SUMMIT:
        posts = Notebook("public", SOURCE)
        _push(book, posts, climate, rng, month_ends)
        yield from posts.acts
    yield from book.acts


def _coach(book: Notebook, team: Team, climate: Climate, rng: Random) -> None:
    """Coaching, more often for those who need it more."""
    habits = HABITS[team.key]
    for at in _every(habits.coaches_every, climate.begins, rng):
        members = _reps(team, climate, at)
        person = rng.choices(members, [member.temper**0.5 for member in members])[0]
        principle = rng.choice(habits.coaches_on)
        book.write("coaching.given", at, {"rep": person.key, "principle": principle})
        climate.coach(person, principle, at)


def _recognise(book: Notebook, team: Team, climate: Climate, rng: Random) -> None:
    """Recognition, for how somebody acted or for what came of it."""
    habits = HABITS[team.key]
    for at in _every(habits.recognises_every, climate.begins, rng):
        rep = rng.choice(_reps(team, climate, at)).key
        if rng.random() < habits.for_behaviour:
            principle = rng.choice(habits.coaches_on)
            book.write("recognition.given", at, {"rep": rep, "for": "behaviour", "principle": principle})
        else:
            book.write("recognition.given", at, {"rep": rep, "for": "result"})


def _push(book: Notebook, posts: Notebook, climate: Climate, rng: Random, months: Collection[Month]) -> None:
    """At the end of each of `months` Summit's leader goads the team, and appeals to everybody herself."""
    for year, month in months:
        morning = datetime.combine(month_end_begins(date(year, month, 1)), time(8, 5), UTC)
        text = "We are behind. Call everybody you know, today."
        book.write("push.directed", morning, {"team": SUMMIT.key, "campaign": "month-end", "text": text})
        climate.push(SUMMIT, morning)
        later = morning + timedelta(days=rng.randint(1, 3), hours=6)
        rep = SUMMIT.leader
        posts.write("goal.appealed", later, {"rep": rep, "goal": "month", "text": "Five more people to go!"})
        climate.set_example(rep, "own-goals", later)
        if rng.random() < 0.5:
            posts.write("urgency.pressed", later + timedelta(hours=1), {"rep": rep, "tactic": "deadline"})


def _reps(team: Team, climate: Climate, at: datetime) -> list[Person]:
    """Who is a rep of `team` at `at`."""
    day = climate.day(at)
    return [
        person
        for person in PEOPLE
        if not person.leads and any(stay.team is team and stay.first <= day < stay.last for stay in person.stays)
    ]


def _every(days: int, begins: datetime, rng: Random) -> Iterator[datetime]:
    """About every so many days of the year, in the morning."""
    day = rng.randint(5, 5 + days)
    while day < DAYS:
        yield begins + timedelta(days=day, hours=rng.randint(7, 10), minutes=rng.randint(0, 59))
        day += rng.randint(max(1, days - 4), days + 4)
