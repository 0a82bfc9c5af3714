"""How the fold and the audit tree stand, for Prometheus."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.kit.errors import ExemplarError
from services.projections.audit.sequencer import TreeStatus
from services.projections.dead_letters import Counts
from services.projections.projector import FoldStatus


class FoldMetrics(Collector):
    """Reads the status of a projector whenever it is scraped. Counts are since the process started.

    `dead_letters` counts those in the model, which all processes that fold it share; while it raises one of our errors,
    that metric is left out.
    """

    def __init__(self, status: Callable[[], FoldStatus], dead_letters: Callable[[], Counts]) -> None:
        self._status = status
        self._dead_letters = dead_letters

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        status = self._status()
        outcomes = CounterMetricFamily("exemplar_fold_records", "Records folded, by outcome", labels=["outcome"])
        outcomes.add_metric(["act"], status.acts)
        outcomes.add_metric(["duplicate"], status.duplicates)
        outcomes.add_metric(["conflict"], status.conflicts)
        outcomes.add_metric(["unreadable"], status.unreadable)
        yield outcomes
        yield CounterMetricFamily("exemplar_fold_batches", "Batches committed", value=status.batches)
        yield GaugeMetricFamily("exemplar_fold_waiting", "Records in the log that wait for the fold", status.waiting)
        yield GaugeMetricFamily("exemplar_fold_lag_seconds", "How long the oldest of them waits", status.lag_seconds)
        yield GaugeMetricFamily("exemplar_fold_halted", "Halted partitions", len(status.halted or {}))
        yield GaugeMetricFamily("exemplar_fold_stopped", "1 if the fold has stopped", float(status.failure is not None))
        offsets = GaugeMetricFamily("exemplar_fold_next_offset", "Offset that is folded next", labels=["partition"])
        for partition, offset in sorted(status.positions.items()):
            offsets.add_metric([str(partition)], offset)
        yield offsets
        with suppress(ExemplarError):
            found = self._dead_letters()
            letters = GaugeMetricFamily("exemplar_dead_letters", "Dead letters in the model, by kind", labels=["kind"])
            letters.add_metric(["unreadable"], found.unreadable)
            letters.add_metric(["conflict"], found.conflicts)
            yield letters


class TreeMetrics(Collector):
    """Reads the status of a sequencer whenever it is scraped; who reads the whole log also knows what that has lost."""

    def __init__(self, status: Callable[[], TreeStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        status = self._status()
        yield GaugeMetricFamily("exemplar_audit_entries", "Entries of the tree that were signed here", status.size)
        stopped = float(status.failure is not None)
        yield GaugeMetricFamily("exemplar_audit_stopped", "1 if the tree is not continued", stopped)
        lost = "Records that the log has lost before the first ones that it kept"
        yield GaugeMetricFamily("exemplar_log_beginning_missing", lost, status.log_missing)
