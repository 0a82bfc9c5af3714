"""Random worlds of leaders told to a real server, and each figure of their examples held against the reference's §5."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from tests.journeys.examples import (
    differences,
    equity_json,
    example_json,
    example_signals,
    person_example,
    signals_json,
    team_equity,
    team_examples,
)
from tests.journeys.oracle import sorted_signals
from tests.journeys.telling import parse, policy_file, tell, written
from tests.reference.equity import customer_equity
from tests.reference.examples import RefExample, examples
from tests.reference.histories import random_not_recorded
from tests.reference.led_worlds import PEOPLE, TEAMS, random_led_world, random_view
from tests.reference.model import RefAct
from tests.reference.worlds import World
from tests.serving import Server, serving


@dataclass(frozen=True)
class View:
    """Of which team something is asked, over which period, as of when."""

    team: str
    from_: date
    to: date
    as_of: int

    @property
    def period(self) -> dict[str, str]:
        """As GraphQL wants it."""
        return {"from": str(self.from_), "to": str(self.to), "asOf": written(self.as_of, 90)}

    def expected(self, world: World) -> list[RefExample]:
        """The examples that the reference finds."""
        return examples(world, self.team, self.from_, self.to, self.as_of)


FIGURES = (
    "mirroring",
    "chanceBaseline",
    "imprint",
    "goading",
    "monthEndPressure",
    "gap",
    "behaviourRecognitionShare",
    "acceptance",
    "repeat",
    "afterCoaching",
    "guidesWin",
)
"""What has to be defined somewhere in the worlds below, so that agreeing means something."""


def test_every_figure_of_an_example_is_the_references(tmp_path: Path) -> None:
    """Whoever led and sold where, in whatever order it was told: each figure and each score is the reference's."""
    found: list[str | None] = []
    defined: set[str] = set()
    not_recorded = {quote(source): names for source, names in random_not_recorded(43).items()}
    for seed, missing, number in ((43, not_recorded, 2), (52, {}, 1)):
        acts = random_led_world(seed, 500)
        with told(acts, seed, missing, tmp_path / str(seed)) as (server, world):
            random = Random(seed)
            for view in (view for _ in range(number) for view in views(random, acts)):
                found += compare_view(server, world, view)
                defined |= {name for example in view.expected(world) for name in defined_in(example_json(example))}
    assert [one for one in found if one is not None] == []
    assert set(FIGURES) - defined == set()
    assert len(found) > 50_000


@contextmanager
def told(acts: list[RefAct], seed: int, missing: dict[str, set[str]], folder: Path) -> Iterator[tuple[Server, World]]:
    """A server of its own that was told of these acts in shuffled order, and the world that it should show."""
    folder.mkdir()
    settings = {"policy_file": str(policy_file(folder, missing))} if missing else {}
    with serving(folder / "data", **settings) as server:
        log = tell(server, acts, Random(seed))
        waited = server.query("{ viewer { key } }", wait_for=log.position)
        assert "errors" not in waited, waited
        yield server, World(log.acts, missing)


def views(random: Random, acts: list[RefAct]) -> Iterator[View]:
    """Each team over one random period as of one random instant."""
    from_, to, as_of = random_view(random, acts)
    return (View(team, from_, to, as_of) for team in TEAMS)


def defined_in(example: Mapping[str, Any]) -> Iterator[str]:
    """Which figures of an example have a value."""
    values = {
        **{name: example[name]["value"] for name in ("goading", "monthEndPressure")},
        **{name: example["pushing"][name]["difference"]["value"] for name in ("acceptance", "repeat")},
        "guidesWin": example["guidesWin"]["acceptance"]["value"],
        "behaviourRecognitionShare": example["behaviourRecognitionShare"],
    }
    of_lists = [("gap", one["gap"]) for one in example["standards"].values()]
    of_lists += [("afterCoaching", one["difference"]["value"]) for one in example["afterCoaching"].values()]
    for comparison in example["comparisons"].values():
        of_lists += [(name, comparison[name]["value"]) for name in ("mirroring", "chanceBaseline", "imprint")]
    return (name for name, value in (*values.items(), *of_lists) if value is not None)


def compare_view(server: Server, world: World, view: View) -> Iterator[str | None]:
    """All there is to ask of one team over one period as of one instant."""
    expected = view.expected(world)
    shown = team_examples(server, view.team, view.period)
    where = f"{view.team} {view.from_} {view.to} {view.as_of}"
    yield from differences(
        f"{where} leaders", [one["leader"]["key"] for one in shown], [one.leader for one in expected]
    )
    for one, other in zip(shown, expected, strict=False):
        one.pop("policy")
        yield from differences(f"{where} {other.leader}", one, example_json(other))
    yield from _compare_persons(server, where, view, shown)
    yield from _compare_signals(where, example_signals(server, view.team, view.period), expected)
    equity = team_equity(server, view.team, view.period["asOf"])
    equity.pop("policy")
    yield from differences(f"{where} equity", equity, equity_json(customer_equity(world, view.team, view.as_of)))


def _compare_persons(server: Server, where: str, view: View, shown: list[Any]) -> Iterator[str | None]:
    """The first leader's example asked of the person is the team's; who did not lead has none."""
    led = {one["leader"]["key"]: one for one in shown}
    for person in (*list(led)[:1], *[person for person in PEOPLE if person not in led][:1]):
        alone = person_example(server, person, view.team, view.period)
        if alone is not None:
            alone.pop("policy")
        yield from differences(f"{where} {person} alone", alone, led.get(person))


def _compare_signals(where: str, shown: list[Any], expected: list[Any]) -> Iterator[str | None]:
    """The newest signals behind each score; those of one instant have no order."""
    for of_example, example in zip(shown, expected, strict=True):
        for place, signals in signals_json(example).items():
            nodes = [edge["node"] | {"at": parse(edge["node"]["at"])} for edge in of_example[place]["edges"]]
            here = f"{where} {example.leader} {place} signals"
            yield from differences(f"{here} more", of_example[place]["pageInfo"]["hasNextPage"], len(signals) > 20)
            if len(signals) <= 20:
                yield from differences(here, sorted_signals(nodes), signals)
            yield from differences(f"{here} newest", [n["at"] for n in nodes], [s["at"] for s in signals[:20]])
