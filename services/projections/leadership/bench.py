"""The bench: where a principle's rule turns what it found in a history into signals (domain.md §3)."""

from services.projections.leadership.history import History
from services.projections.leadership.signals import Principle, Signal, Verdict


class Bench:
    """Draws the signals of one principle from one history.

    `by` is the position of the act whose rep is judged; `others` are the positions of further evidence. `at` is the
    signal's time where it is not that of the last act in the evidence. `lacking` names an act on whose absence the
    signal rests: where the source of the act `by` does not record it, the signal is not drawn but counted as such.
    """

    def __init__(self, history: History, principle: Principle) -> None:
        self._history = history
        self._principle = principle

    def kept(self, reason: str, by: int, *others: int, at: int | None = None, lacking: str = "") -> Signal:
        """The principle was kept."""
        return self._draw(Verdict.KEPT, reason, (by, *others), at, lacking)

    def breached(self, reason: str, by: int, *others: int, lacking: str = "") -> Signal:
        """The principle was breached by an act."""
        return self._draw(Verdict.BREACHED, reason, (by, *others), None, lacking)

    def breached_by_silence(self, reason: str, by: int, at: int, lacking: str) -> Signal:
        """The principle was breached by what did not come by `at`: the breach is of whoever had the customer then."""
        signal = self._draw(Verdict.BREACHED, reason, (by,), at, lacking)
        if assigned := self._history.assigned(at):
            person, since = assigned
            return signal._replace(person=person, belongs=max(signal.belongs, since))
        return signal

    def _draw(self, verdict: Verdict, reason: str, positions: tuple[int, ...], at: int | None, lacking: str) -> Signal:
        history = self._history
        by = positions[0]
        if lacking and not history.records(by, lacking):
            verdict = Verdict.NOT_RECORDED
        if len(positions) > 1:
            positions = tuple(sorted(set(positions)))
        last = history.times[positions[-1]]
        return Signal(
            history.rep(by),
            history.customer,
            self._principle,
            verdict,
            reason,
            last if at is None else at,
            last,
            tuple([history.acts[position] for position in positions]),
        )
