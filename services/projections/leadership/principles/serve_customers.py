"""Serve those you have (S0, S2): who asks for help gets it in good time."""

from collections.abc import Iterator

from services.events.catalog.acts import ContactReceived, ServiceGiven
from services.kit.instants import HOUR
from services.projections.leadership.bench import Bench
from services.projections.leadership.history import History
from services.projections.leadership.policy import Policy
from services.projections.leadership.signals import Principle, Signal

PRINCIPLE = Principle.SERVE_CUSTOMERS
TITLE = "Serve those you have"
SOURCES = ("S0", "S2")
DESCRIPTION = "When a customer wants help, help within four days."
JUDGED = (
    (
        "A customer's wish for help is kept if somebody is of service within {policy.serve_customers.help_hours} "
        "hours, else breached."
    ),
)


def judge(history: History, policy: Policy) -> Iterator[Signal]:
    """Each contact in which the customer wants help, against the first service after it."""
    bench = Bench(history, PRINCIPLE)
    services = history.lane(ServiceGiven)
    window = policy.serve_customers.help_hours * HOUR
    for contact, received in history.each(ContactReceived):
        if not received.wants_help:
            continue
        service = services.first_after(contact, None)
        if history.within(service, contact, window):
            yield bench.kept("helped", service, contact)
        else:
            deadline = history.times[contact] + window
            yield bench.breached_by_silence("left_waiting", contact, deadline, lacking="service.given")
