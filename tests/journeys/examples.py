"""Leaders' examples and customer equity over GraphQL: how to ask for all of them, and what the reference expects."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.journeys import asking
from tests.journeys.oracle import difference_json, enum, score_json, signal_json, sorted_signals
from tests.journeys.telling import parse
from tests.reference.equity import RefEquity
from tests.reference.examples import RefComparison, RefExample, RefStandard
from tests.reference.statistics import RefOddsRatio, RefRate, RefRateComparison, RefRateRatio
from tests.serving import Server

SCORE = """fragment F on Score {
  principle { id } kept breached n notRecorded rate interval { low high } evidenceLevel reasons { reason count }
}
fragment W on Score {
  ...F change { ...D } previous { ...F previous { n } change { ...D } }
  week: trend { start kept breached } month: trend(by: MONTH) { start kept breached }
}
fragment D on Difference { value interval { low high } }"""
COMPARISONS = """fragment E on LeaderExample {
  leader { key } team { key } policy
  comparisons {
    principle { id } leader { ...W } team { ...W } difference { ...D }
    mirroring { ...O } chanceBaseline { ...O } imprint { ...O }
  }
}
fragment O on OddsRatio { value interval { low high } strata n undefinedBecause }"""
REST = """fragment E on LeaderExample {
  leader { key } team { key } policy
  standards { principle { id } since gap score { ...W } }
  goading { ...R } monthEndPressure { ...R }
  coaching { principle { id } count } recognition { principle { id } count } behaviourRecognitionShare
  afterCoaching { principle { id } after { ...K } before { ...K } difference { ...D } }
  pushing { acceptance { ...C } repeat { ...C } }
  guidesWin { acceptance { value n } repeatCustomers { value n } referrals { value n } }
}
fragment R on RateRatio { value interval { low high } before after beforeDays afterDays undefinedBecause }
fragment K on Rate { kept n rate }
fragment C on RateComparison { with { ...K } without { ...K } difference { ...D } }"""
SIGNALS = """fragment E on LeaderExample {
  leader { key } comparisons { principle { id } leader { ...G } team { ...G } }
}
fragment G on Score { signals(first: 20) { edges { node { ...S } } pageInfo { hasNextPage } } }"""
EQUITY = """query($key: String!, $asOf: DateTime) { team(key: $key) { equity(asOf: $asOf) {
  policy activeCustomers repeatShare referralsPerCustomerYear lostCustomers
  touchesToYesMedian shareAtFiveToSeven touchShareUnfit touchShareCustomers
} } }"""
OF_TEAM = "query($key: String!, $period: PeriodInput!) { team(key: $key) { examples(period: $period) { ...E } } }"
OF_PERSON = """query($person: String!, $key: String!, $period: PeriodInput!) {
  person(key: $person) { example(team: $key, period: $period) { ...E } }
}"""


def team_examples(server: Server, team: str, period: Mapping[str, str]) -> list[Any]:
    """All figures of all examples of a team, without the signals in their scores; lists by principle as dicts."""
    parts = [
        asking.ask(server, f"{OF_TEAM}\n{fragments}\n{SCORE}", key=team, period=period)["team"]["examples"]
        for fragments in (COMPARISONS, REST)
    ]
    return [shown_example(one | other) for one, other in zip(*parts, strict=True)]


def person_example(server: Server, person: str, team: str, period: Mapping[str, str]) -> Any:
    """The same of one leader, or None."""
    found: dict[str, Any] = {}
    for fragments in (COMPARISONS, REST):
        document = f"{OF_PERSON}\n{fragments}\n{SCORE}"
        part = asking.ask(server, document, person=person, key=team, period=period)["person"]["example"]
        if part is None:
            return None
        found |= part
    return shown_example(found)


def example_signals(server: Server, team: str, period: Mapping[str, str]) -> list[Any]:
    """The newest signals behind the comparisons of each of a team's examples, a page by (principle, side)."""
    document = f"{OF_TEAM}\n{SIGNALS}\n{asking.SIGNAL}"
    shown = asking.ask(server, document, key=team, period=period)["team"]["examples"]
    return [
        {
            (comparison["principle"]["id"], side): comparison[side]["signals"]
            for comparison in example["comparisons"]
            for side in ("leader", "team")
        }
        for example in shown
    ]


def team_equity(server: Server, team: str, as_of: str | None) -> Any:
    """All figures of a team's customer equity."""
    return asking.ask(server, EQUITY, key=team, asOf=as_of)["team"]["equity"]


LISTS = ("comparisons", "standards", "coaching", "recognition", "afterCoaching")


def shown_example(example: Mapping[str, Any]) -> dict[str, Any]:
    """An example as answered, with each list as (its principles in order, a dict by principle)."""
    keyed = {name: {one["principle"]["id"]: one for one in example[name]} for name in LISTS}
    order = {f"{name} in order": [one["principle"]["id"] for one in example[name]] for name in LISTS}
    standards = {name: {**one, "since": parse(one["since"])} for name, one in keyed["standards"].items()}
    return {**example, **keyed, **order, "standards": standards}


# --- what the reference expects ------------------------------------------------------------------------------------


def example_json(example: RefExample) -> dict[str, Any]:
    """An example of the reference in the shape of `shown_example`, but for `policy`."""
    lists: dict[str, list[Any]] = {
        "comparisons": [_comparison(one) for one in example.comparisons],
        "standards": [_standard(one) for one in example.standards],
        "coaching": [_count(*one) for one in example.coaching],
        "recognition": [_count(*one) for one in example.recognition],
        "afterCoaching": [
            {
                "principle": {"id": enum(one.principle)},
                "after": _rate(one.comparison.one),
                "before": _rate(one.comparison.other),
                "difference": difference_json(one.comparison.difference),
            }
            for one in example.after_coaching
        ],
    }
    by_principle = {name: {one["principle"]["id"]: one for one in found} for name, found in lists.items()}
    order = {f"{name} in order": [one["principle"]["id"] for one in found] for name, found in lists.items()}
    return {
        "leader": {"key": example.leader},
        "team": {"key": example.team},
        **by_principle,
        **order,
        "goading": _rate_ratio(example.goading),
        "monthEndPressure": _rate_ratio(example.month_end_pressure),
        "behaviourRecognitionShare": example.behaviour_recognition_share,
        "pushing": {
            "acceptance": _with_and_without(example.acceptance_after_pushing),
            "repeat": _with_and_without(example.repeat_after_pushing),
        },
        "guidesWin": {
            "acceptance": vars(example.guides_acceptance),
            "repeatCustomers": vars(example.guides_repeat_customers),
            "referrals": vars(example.guides_referrals),
        },
    }


def _comparison(one: RefComparison) -> Any:
    return {
        "principle": {"id": enum(one.principle)},
        "leader": _whole_score(one.leader),
        "team": _whole_score(one.team),
        "difference": difference_json(one.difference),
        "mirroring": _odds_ratio(one.mirroring),
        "chanceBaseline": _odds_ratio(one.chance_baseline),
        "imprint": _odds_ratio(one.imprint),
    }


def _standard(one: RefStandard) -> Any:
    return {
        "principle": {"id": enum(one.principle)},
        "since": one.since,
        "gap": one.gap,
        "score": _whole_score(one.score),
    }


def _whole_score(score: Any) -> Any:
    """A score with its previous one and the change, if it has them; without signals."""
    shown = _without_signals(score)
    previous = None
    if score.previous is not None:
        of_previous = {n: v for n, v in _without_signals(score.previous).items() if n not in ("week", "month")}
        previous = {**of_previous, "previous": None, "change": None}
    change = None if score.change is None else difference_json(score.change)
    return {**shown, "previous": previous, "change": change}


def _without_signals(score: Any) -> Any:
    return {name: value for name, value in score_json(score, days=False).items() if name != "signals"}


def _interval(low: float | None, high: float | None) -> Any:
    return None if low is None and high is None else {"low": low, "high": high}


def _odds_ratio(ratio: RefOddsRatio) -> Any:
    interval = _interval(ratio.low, ratio.high)
    counts = {"strata": ratio.strata, "n": ratio.n, "undefinedBecause": ratio.reason}
    return {"value": ratio.value, "interval": interval, **counts}


def _rate_ratio(ratio: RefRateRatio) -> Any:
    return {
        "value": ratio.value,
        "interval": _interval(ratio.low, ratio.high),
        "before": ratio.before,
        "after": ratio.after,
        "beforeDays": ratio.before_days,
        "afterDays": ratio.after_days,
        "undefinedBecause": ratio.reason,
    }


def _rate(rate: RefRate) -> Any:
    return {"kept": rate.kept, "n": rate.n, "rate": rate.rate}


def _with_and_without(comparison: RefRateComparison) -> Any:
    return {
        "with": _rate(comparison.one),
        "without": _rate(comparison.other),
        "difference": difference_json(comparison.difference),
    }


def _count(principle: str, count: int) -> Any:
    return {"principle": {"id": enum(principle)}, "count": count}


def equity_json(equity: RefEquity) -> dict[str, Any]:
    """Equity of the reference as GraphQL shows it, but for `policy`."""
    names = {name: name.split("_") for name in vars(equity)}
    return {first + "".join(map(str.capitalize, rest)): getattr(equity, n) for n, (first, *rest) in names.items()}


def signals_json(example: RefExample) -> dict[tuple[str, str], list[Any]]:
    """The signals behind each comparison, by (principle, side), newest first."""
    return {
        (enum(one.principle), side): sorted_signals([signal_json(signal) for signal in score.signals])
        for one in example.comparisons
        for side, score in (("leader", one.leader), ("team", one.team))
    }


def differences(where: str, shown: Any, expected: Any, relative: float = 1e-9) -> Iterator[str | None]:
    """Each value of two JSON trees: None where they agree, else where and how they differ.

    Floats agree within `relative` of the expected one; of `undefinedBecause` it counts only whether it is there.
    """
    if where.endswith(".undefinedBecause"):
        agree = (shown is not None) == bool(expected) and shown != ""
        yield None if agree else f"{where}: {shown!r}, expected {'a reason' if expected else 'none'}"
    elif isinstance(expected, dict) and isinstance(shown, dict):
        for name in sorted(expected.keys() | shown.keys()):
            yield from differences(
                f"{where}.{name}", shown.get(name, "nothing"), expected.get(name, "nothing"), relative
            )
    elif isinstance(expected, list) and isinstance(shown, list) and len(expected) == len(shown):
        for place, (one, other) in enumerate(zip(shown, expected, strict=True)):
            yield from differences(f"{where}[{place}]", one, other, relative)
    elif isinstance(expected, float) and isinstance(shown, int | float) and not isinstance(shown, bool):
        close = abs(shown - expected) <= relative * max(1.0, abs(expected))
        yield None if close else f"{where}: {shown}, expected {expected}"
    else:
        agree = type(shown) is type(expected) and shown == expected
        yield None if agree else f"{where}: {shown!r}, expected {expected!r}"
