"""The trace context of posts and events, as records carry it on."""

import pytest

from services.events.trace import trace_of_event, trace_of_post

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"


def test_a_post_carries_its_trace_on() -> None:
    """Both headers as they came; several of `tracestate` are one list."""
    headers = [
        (b"host", b"x"),
        (b"traceparent", PARENT.encode()),
        (b"tracestate", b"rojo=1 , "),
        (b"tracestate", b"b=2"),
    ]
    assert trace_of_post(headers) == (("traceparent", PARENT.encode()), ("tracestate", b"rojo=1,b=2"))
    assert trace_of_post(headers[:1]) == ()


def test_an_event_may_have_a_trace_of_its_own() -> None:
    """CloudEvents' distributed tracing extension has the same values as attributes."""
    assert trace_of_event({"traceparent": PARENT, "tracestate": STATE}) == (
        ("traceparent", PARENT.encode()),
        ("tracestate", STATE.encode()),
    )
    assert trace_of_event({"traceparent": 7}) == trace_of_event({"tracestate": STATE}) == ()


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        PARENT.upper(),
        PARENT + "-more",
        PARENT[:-1],
        "ff" + PARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        PARENT + "\n",
        PARENT.replace("0", "٠"),
    ],
)
def test_a_trace_that_is_none_is_left_out(parent: str) -> None:
    """A bad `traceparent` takes its `tracestate` with it."""
    assert trace_of_event({"traceparent": parent, "tracestate": STATE}) == ()


def test_two_parents_are_none() -> None:
    """Which of two would count, nobody could say."""
    assert trace_of_post([(b"traceparent", PARENT.encode())] * 2) == ()


def test_a_later_version_may_have_more_fields() -> None:
    """A version that is not known yet is carried on, whatever it has behind the fields that are."""
    later = "cc" + PARENT[2:] + "-what-comes-then"
    assert trace_of_event({"traceparent": later}) == (("traceparent", later.encode()),)


@pytest.mark.parametrize(
    "state", ["", ",", "A=1", "a", "a=b=c", "a=\x7f", ",".join(["a=1"] * 33), f"a={'x' * 256},b={'y' * 254}"]
)
def test_a_state_that_is_none_is_left_out(state: str) -> None:
    """A bad `tracestate`, or one that is too long, leaves the `traceparent` as it is."""
    assert trace_of_event({"traceparent": PARENT, "tracestate": state}) == (("traceparent", PARENT.encode()),)
