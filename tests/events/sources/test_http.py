"""Recording over HTTP, against a real server that answers as it is told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.events.sources.http import HttpRecorder, read_key
from services.events.sources.protocol import Accepted, Outcome, Refused
from services.kit.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from tests.events.sources.scripted_ingress import Answer, ScriptedIngress, scripted_ingress, taken


def events(count: int, size: int = 0) -> list[dict[str, object]]:
    """Events with their places as ids, and a text of `size` letters each."""
    return [{"specversion": "1.0", "id": str(place), "data": {"text": "x" * size}} for place in range(count)]


def problem(status: int, *faults: tuple[int, str, str]) -> Answer:
    """The answer that refuses a batch for (index, pointer, reason)."""
    errors = [{"index": index, "pointer": pointer, "reason": reason} for index, pointer, reason in faults]
    return Answer(status, {"type": "about:blank", "title": "Refused", "status": status, "errors": errors})


class Trial:
    """A recorder on a scripted ingress, which notes the pauses it would make."""

    def __init__(self, script: ScriptedIngress) -> None:
        self.script = script
        self.pauses: list[float] = []
        self.recorder = HttpRecorder(script.url + "/", "the-key", self.pauses.append)

    def record(self, count: int, size: int = 0) -> Sequence[Outcome]:
        return self.recorder.record(events(count, size))


@contextmanager
def trial(*answers: Answer) -> Iterator[Trial]:
    """A recorder on an ingress that gives these answers."""
    with scripted_ingress(*answers) as script:
        on_trial = Trial(script)
        try:
            yield on_trial
        finally:
            on_trial.recorder.close()


def test_request() -> None:
    """Events go to /v1/events in batch mode, with the key, over one connection."""
    with trial() as t:
        assert t.record(2) == [Accepted(False), Accepted(False)]
        t.record(1)

        first, second = t.script.requests
        assert first.path == "/v1/events"
        assert first.headers["Content-Type"] == "application/cloudevents-batch+json"
        assert first.headers["Authorization"] == "Bearer the-key"
        assert first.events == events(2)
        assert first.client == second.client


def test_no_events() -> None:
    """Nothing to record is nothing to send."""
    with trial() as t:
        assert t.record(0) == []
        assert t.script.requests == []


def test_duplicates() -> None:
    """A receipt says whether the act was known."""
    with trial(taken(1, duplicate=True)) as t:
        assert t.record(1) == [Accepted(duplicate=True)]


def test_size_of_batches() -> None:
    """A request has 500 events at most, and 1 MiB at most."""
    with trial() as t:
        t.record(1100)
        t.record(20, size=250_000)

        assert [len(request.events) for request in t.script.requests] == [500, 500, 100, 4, 4, 4, 4, 4]


def test_bad_events_of_a_batch() -> None:
    """Bad events are taken out, whatever they are refused for, and the rest is sent again."""
    answers = [
        problem(400, (1, "/time", "no time")),
        problem(403, (3, "/type", "not with this key")),
        problem(409, (0, "", "another act"), (2, "", "another")),
    ]
    with trial(*answers) as t:
        assert t.record(6) == [
            Refused(409, "", "another act"),
            Refused(400, "/time", "no time"),
            Accepted(False),
            Refused(409, "", "another"),
            Refused(403, "/type", "not with this key"),
            Accepted(False),
        ]
        assert t.script.ids() == [
            ["0", "1", "2", "3", "4", "5"],
            ["0", "2", "3", "4", "5"],
            ["0", "2", "3", "5"],
            ["2", "5"],
        ]


def test_only_bad_events() -> None:
    """Where every event of a batch is bad, nothing is sent again."""
    with trial(problem(422, (0, "/data/rep", "missing"), (0, "/data", "more"))) as t:
        assert t.record(1) == [Refused(422, "/data/rep", "missing")]
        assert len(t.script.requests) == 1


def test_too_large() -> None:
    """A batch that is too large for the server is halved; an event that is, is refused."""
    with trial(problem(413), taken(1), problem(413), problem(413), taken(1)) as t:
        assert t.record(3) == [
            Accepted(False),
            Refused(413, "", "larger than the server takes an event"),
            Accepted(False),
        ]


def test_busy_server() -> None:
    """A busy server is asked again after as long as it says, within reason."""
    busy = [
        Answer(status, {}, (("Retry-After", after),)) for status, after in ((429, "3"), (503, "900"), (408, "soon"))
    ]
    with trial(*busy) as t:
        assert t.record(1) == [Accepted(False)]
        assert t.pauses == [3.0, 30.0, 4.0]


def test_server_that_stays_busy() -> None:
    """A server that is busy for good is given up on."""
    with trial(*[Answer(503, {}, (("Retry-After", "1"),))] * 20) as t:
        with pytest.raises(Unavailable, match="cannot take acts now: it answered 503"):
            t.record(1)
        assert len(t.script.requests) == 8
        assert len(t.pauses) == 7


def test_broken_connection() -> None:
    """A connection that breaks before the answer is made anew, and the same is sent again."""
    with trial(Answer(None), Answer(None)) as t:
        assert t.record(2) == [Accepted(False), Accepted(False)]
        assert t.script.ids() == [["0", "1"]] * 3
        assert t.pauses == [0.0, 2.0]


def test_nobody_there() -> None:
    """Where no server answers, the address is named."""
    with scripted_ingress() as script:
        url = script.url
    with pytest.raises(Unavailable, match=url):
        HttpRecorder(url, None, lambda _: None).record(events(1))


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(401, {"title": "Who?"}), Unauthenticated, "answered 401 Who?"),
        (Answer(403, {"title": "No", "detail": "not this source"}), Forbidden, "answered 403 not this source"),
        (Answer(404, b"<html>"), Invalid, "answered 404$"),
        (Answer(422, {"title": "Odd"}), Invalid, "answered 422 Odd"),
        (Answer(400, b"<html>"), Invalid, "answered 400$"),
        (Answer(202, b"<html>"), Invalid, "the answer is not Exemplar's"),
        (taken(3), Invalid, "3 receipts for 1 events"),
    ],
)
def test_refused_requests(answer: Answer, error: type[Exception], message: str) -> None:
    """An answer that is about the request, or is not Exemplar's, ends the import with what it says."""
    with trial(answer) as t, pytest.raises(error, match=message):
        t.record(1)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", ""])
def test_bad_url(url: str) -> None:
    """A URL that is none of HTTP is refused."""
    with pytest.raises(Invalid, match="not a URL"):
        HttpRecorder(url, None)


def test_key_file(tmp_path: Path) -> None:
    """A key file holds the key, with or without an end of line; anything else is no key."""
    path = tmp_path / "key"
    path.write_text("abc_123\n", encoding="utf-8")
    assert read_key(path) == "abc_123"
    for wrong in ("", "a b", "a\nb", "ä"):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(Invalid, match="no API key"):
            read_key(path)
    with pytest.raises(Invalid, match="No such file"):
        read_key(tmp_path / "none")
