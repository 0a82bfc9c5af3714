"""The hand-made cases of every principle: see cases/README.md."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterable

import pytest

from services.events.catalog.acts import CustomerAct
from services.events.catalog.envelope import Act
from services.projections.leadership import principles
from services.projections.leadership.folding import fold
from services.projections.leadership.policy import Policy
from services.projections.leadership.principles.walk_the_talk import derived
from services.projections.leadership.signals import BY_SLUG, Principle, Signal, Verdict
from tests.projections.leadership.stories import CASES, Expected, Story, stories_in
from tests.reference.model import REASONS

STORIES = [(BY_SLUG[path.stem], story) for path in sorted(CASES.glob("[a-z]*.md")) for story in stories_in(path)]


def drawn(story: Story) -> list[Signal]:
    """All signals of a story's acts, those of walk-the-talk too."""
    policy = Policy(not_recorded=story.not_recorded)
    acts = list(story.acts.values())
    folds = [fold(subject, [act for act in acts if act.subject == subject], policy) for subject in subjects(acts)]
    signals = [signal for folded in folds for signal in folded.signals]
    stated: dict[tuple[str, Principle], int] = {}
    for standard in (standard for folded in folds for standard in folded.standards):
        key = standard.leader, standard.principle
        stated[key] = min(standard.stated, stated.get(key, standard.stated))
    return [*signals, *derived(signals, stated)]


def subjects(acts: Iterable[Act]) -> set[str]:
    """Whom the acts concern."""
    return {act.subject for act in acts}


def as_expected(signal: Signal, story: Story) -> Expected:
    """A signal in the words of a story."""
    numbers = {(act.source, act.id): number for number, act in story.acts.items()}
    evidence = tuple(numbers[act.source, act.id] for act in signal.evidence)
    since = None if signal.belongs == signal.evidence[-1].time else signal.belongs
    return Expected(signal.at, signal.person, signal.verdict, signal.reason, evidence, since)


@pytest.mark.parametrize(
    ("principle", "story"), STORIES, ids=[f"{principle.slug}: {story.title}" for principle, story in STORIES]
)
def test_case(principle: Principle, story: Story) -> None:
    """A story gives exactly the signals of its principle that it expects, each about the customer of its acts."""
    signals = [signal for signal in drawn(story) if signal.principle is principle]
    assert sorted(as_expected(signal, story) for signal in signals) == sorted(story.expected)
    for signal in signals:
        facing = {act.subject for act in signal.evidence if isinstance(act.data, CustomerAct)}
        assert facing == ({signal.customer} if signal.customer else set())


def reasons_of(principle: Principle) -> set[tuple[str, Verdict]]:
    """Every reason that the rule of a principle can give, by its source, with each verdict that it may come with."""
    module = importlib.import_module(f"{principles.__name__}.{principle.name.lower()}")
    nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    named = {ast.unparse(node.targets[0]): node.value for node in nodes if isinstance(node, ast.Assign)}
    found = set()
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        drawing = re.search(r"bench\.(kept|breached)|^(Signal)$", ast.unparse(call.func))
        if drawing is None:
            continue
        given = [named.get(ast.unparse(argument), argument) for argument in call.args]
        said = {text.value for argument in given for text in ast.walk(argument) if isinstance(text, ast.Constant)}
        verdicts = {Verdict.KEPT if drawing[1] == "kept" else Verdict.BREACHED}
        if any(keyword.arg == "lacking" for keyword in call.keywords):
            verdicts.add(Verdict.NOT_RECORDED)
        found |= {(reason, verdict) for reason in said if isinstance(reason, str) for verdict in verdicts}
    return found


@pytest.mark.parametrize("principle", Principle, ids=lambda principle: principle.slug)
def test_every_reason_has_cases(principle: Principle) -> None:
    """The cases of a principle show every reason that its rule can give, with each verdict that it may come with."""
    told = [case for about, story in STORIES if about is principle for case in story.expected]
    shown = {(case.reason, case.verdict) for case in told}
    assert shown
    assert principle is Principle.WALK_THE_TALK or shown == reasons_of(principle)


def test_the_reasons_are_those_of_the_reference() -> None:
    """The rules give the reasons of domain.md §3, each of its principle, with its verdict and what it may rest on."""
    documented = {(BY_SLUG[slug], reason, Verdict[verdict.upper()]) for reason, (slug, verdict, _) in REASONS.items()}
    resting = {(BY_SLUG[slug], reason, Verdict.NOT_RECORDED) for reason, (slug, _, absent) in REASONS.items() if absent}
    drawn_by_rules = {(principle, *given) for principle in Principle for given in reasons_of(principle)}
    assert drawn_by_rules == documented | resting
