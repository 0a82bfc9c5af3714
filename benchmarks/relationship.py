"""One relationship of many acts, folded by all principles: what the largest relationship costs a batch."""

import time
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.acts import decoded, events
from benchmarks.measuring import Sizes, Table, figure, quantile
from services.events.catalog.acts import CustomerAct
from services.events.catalog.envelope import Act, Catalogue
from services.projections.leadership.folding import distinct, fold
from services.projections.leadership.policy import DEFAULT_POLICY
from tests.projections.leadership.test_against_reference import as_act
from tests.reference.histories import random_history

CUSTOMER = "c1"
SEEDS = 5
REPEATS = 10


def measure(sizes: Sizes, _folder: Path) -> list[Table]:
    """Adversarial histories, and the made-up year as if all of it were with one customer."""
    number, rounds = sizes.relationship, sizes.rounds
    histories = {
        "adversarial (`tests/reference`)": [_adversarial(seed, number) for seed in range(SEEDS)],
        "the made-up year, all with one customer": [_lifelike(seed, number) for seed in range(7, 7 + SEEDS)],
    }
    rows = []
    for name, those in histories.items():
        seconds = [taken for acts in those for taken in _folded(acts, rounds * REPEATS)]
        acts = median(len(acts) for acts in those)
        signals = median(len(fold(CUSTOMER, acts, DEFAULT_POLICY).signals) for acts in those)
        middle = median(seconds)
        rows.append(
            (
                name,
                f"{acts:,.0f}",
                f"{signals:,.0f}",
                figure(1000 * middle),
                figure(1000 * quantile(seconds, 0.99)),
                figure(1e6 * middle / acts),
            )
        )
    return [Table("One relationship", ("", "acts", "signals", "p50 ms", "p99 ms", "µs an act"), rows)]


def _adversarial(seed: int, number: int) -> list[Act]:
    """The first acts of a random history with one customer; CPU-seconds depend on how many, not which."""
    history = [as_act(act) for act in random_history(seed, number + number // 4)]
    counting, _ = distinct(act for act in history if act.subject == CUSTOMER)
    return counting[:number]


def _lifelike(seed: int, number: int) -> list[Act]:
    """The first customer-facing acts of a made-up year, each told as if it were with the same customer."""
    acts = decoded(events(10 * number, seed), Catalogue())
    facing = [act for act in acts if isinstance(act.data, CustomerAct)]
    return [msgspec.structs.replace(act, subject=CUSTOMER) for act in facing[:number]]


def _folded(acts: list[Act], repeats: int) -> list[float]:
    """CPU-seconds of each fold."""
    seconds = []
    for _ in range(repeats):
        begun = time.process_time()
        fold(CUSTOMER, acts, DEFAULT_POLICY)
        seconds.append(time.process_time() - begun)
    return seconds
