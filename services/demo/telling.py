"""The sentences of a story with a customer: asking, meeting, offering, following up, helping.

A `Telling` has a clock that only moves forward, knows who deals with the customer at that time, and asks the
climate at each sentence whether that person forgets a principle just now. What makes a story of the sentences is
the plot, in `story.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from services.demo.acts import Notebook
from services.demo.climate import Climate
from services.demo.customers import Customer
from services.demo.office import office_time

CHANNELS = ("call", "call", "email", "email", "text", "video", "social", "in_person", "calendar", "mail", "other")
OFFERED = ("call", "email", "text", "video", "meeting", "calendar")
DISCOVERIES = ("problem", "limitation", "concern", "performance_gap", "challenge")
SALES = ("introduce", "explore", "follow_up", "propose", "promote")
PRODUCTS = ("audit", "licence", "maintenance", "onboarding", "sensors", "support-plan", "training", "workshop")
CONCERNS = ("The price is above our budget.", "We changed supplier only last year.", "My colleagues need to agree.")
TACTICS = ("deadline", "scarcity", "insistence", "guilt", "other")
PRESSURE = "This price is only good until Friday."
APPEAL = "We are two deals short this month; could you help us out?"
IN_CONVERSATION = frozenset(
    {"question.asked", "need.established", "need.ruled_out", "path.agreed", "urgency.pressed", "goal.appealed"}
    | {"hesitation.voiced", "hesitation.explored", "special.promoted"}
)

Items = list[dict[str, object]]


@dataclass(slots=True)
class Telling:
    """One deal of one customer as it unfolds. The counts are of the current attempt (domain.md §2)."""

    customer: Customer
    deal: str | None
    notebook: Notebook
    climate: Climate
    rng: Random
    now: datetime
    refer: Callable[[datetime], str]
    """Gives the key of a new customer that this one refers at a time."""
    needs: list[str] = field(default_factory=list)
    touches: int = 0
    mistakes: int = 0
    pressed: bool = False
    ordered: bool = False
    offered_channel: str | None = None
    conversation: str | None = None

    def begin_attempt(self) -> None:
        """A new attempt: the counts begin again, and so do the needs."""
        self.needs, self.touches, self.mistakes, self.pressed = [], 0, 0, False

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def slips(self, principle: str) -> bool:
        """Whether the rep forgets `principle` now; the customer notices."""
        slipped = self.climate.slips(self.customer.owner(self.now), principle, self.now, self.rng)
        self.mistakes += slipped
        return slipped

    def wait(self, least: float, most: float) -> None:
        """Lets `least` to `most` days pass, to a time in office hours of a weekday (UTC)."""
        at = office_time(self.now + timedelta(days=self.rng.uniform(least, most)), self.rng)
        self.now = max(at, self.now + timedelta(minutes=self.rng.randint(61, 95)))
        self.conversation = None

    def write(self, kind: str, /, **data: object) -> str:
        """Notes a customer-facing act of now, in the conversation of now, and returns its id; takes some minutes."""
        during = self.conversation if kind in IN_CONVERSATION else None
        rep = self.customer.owner(self.now).key
        number = self.notebook.write(kind, self.now, {"rep": rep, "deal": self.deal, "during": during, **data})
        self.now += timedelta(minutes=self.rng.randint(2, 9), seconds=self.rng.randint(0, 59))
        return number

    def contact(self, purpose: str, text: str | None = None) -> None:
        """The rep gets in touch; where the customer offered a meeting, in one."""
        channel = self._channel()
        if channel == "meeting":
            self.meet(purpose)
            return
        self.touches += purpose in SALES
        self.conversation = self.write("contact.made", channel=channel, purpose=purpose, text=text)

    def _channel(self) -> str:
        """The channel that the customer offered, unless the rep forgets; any if it offered none."""
        offered = self.offered_channel
        if not offered:
            return self.rng.choice(CHANNELS)
        if self.slips("two-way"):
            return "call" if offered == "email" else "email"
        self.offered_channel = None
        return "meeting" if offered == "calendar" else offered

    def hear(self, *, asks: bool = False, wants_help: bool = False, text: str | None = None) -> str:
        """The customer gets in touch, now and then with an offer of how to reach it. Returns the act's id."""
        offered = self.rng.choice(OFFERED) if self.chance(0.25) else None
        self.offered_channel = offered or self.offered_channel
        channel = self.rng.choice(CHANNELS)
        self.conversation = self.write(
            "contact.received", channel=channel, asks=asks, wants_help=wants_help, offered_channel=offered, text=text
        )
        return self.conversation

    def question_from_customer(self) -> None:
        """The customer asks something, and is answered within a day or not at all."""
        asked = self.hear(asks=True, text="How long does it take to set up?")
        if not self.slips("two-way"):
            self.wait(0, 1)
            self.write("question.answered", answers=asked)

    def request_for_help(self) -> None:
        """The customer wants help, and gets it within a day, or late if at all."""
        text = "It stopped working this morning." if self.ordered else "Could you show us how others do it?"
        self.hear(wants_help=True, text=text)
        if not self.slips("serve-customers"):
            self.wait(0, 1)
            self.serve()
        elif self.chance(0.5):
            self.wait(6, 9)
            self.serve()

    def serve(self) -> None:
        """The rep is of use."""
        self.write("service.given", kind=self.rng.choice(("resource", "connection", "support", "advice")))

    def ask(self, topic: str) -> None:
        """The rep asks a question."""
        self.write("question.asked", topic=topic)

    def meet(self, purpose: str) -> None:
        """A meeting, as long as was asked for, or longer."""
        if self.offered_channel in ("meeting", "calendar"):
            self.offered_channel = None
        asked = self.rng.choice((20, 30, 45, 60))
        invited = self.chance(0.08)
        over = self.rng.randint(10, 35) if invited or self.slips("respect-time") else self.rng.randint(-8, 4)
        self.touches += purpose in SALES
        self.conversation = self.write(
            "meeting.held",
            asked_minutes=asked,
            actual_minutes=asked + over,
            channel=self.rng.choice(("meeting", "video", "in_person")),
            purpose=purpose,
            extended_by_customer=True if invited else None,
        )

    def need(self) -> None:
        """A need becomes clear."""
        name = f"n-{self.rng.randrange(1000, 10000)}"
        self.needs.append(name)
        text = "Reports take two days each month." if self.chance(0.3) else None
        self.write("need.established", need=name, text=text)

    def items(self) -> Items:
        """What the rep would sell: what answers a need or, if the rep forgets, whatever there is."""
        products = self.rng.sample(PRODUCTS, len(self.needs))
        fitting: Items = [
            {"item": product, "needs": [need]} for product, need in zip(products, self.needs, strict=True)
        ]
        if not fitting or self.slips("right-solution"):
            kept = fitting if self.chance(0.4) else []
            return [*kept, {"item": self.rng.choice(PRODUCTS), "needs": []}]
        return fitting

    def temptation(self) -> None:
        """Where the rep may push: appeal to the customer for the rep's own goal, press, or promote a special."""
        if self.slips("own-goals"):
            self.pressed = True
            self.write("goal.appealed", goal="month", text=APPEAL)
        if self.slips("no-pressure"):
            self.pressed = True
            if self.chance(0.3):
                self.write("special.promoted", campaign="month-end", needs=[])
            else:
                self.write("urgency.pressed", tactic=self.rng.choice(TACTICS), text=PRESSURE)
        elif self.needs and self.chance(0.05):
            self.write("special.promoted", campaign="bundle", needs=self.needs[:1])

    def hesitation(self) -> None:
        """The customer hesitates; the rep goes deeper or presses on."""
        voiced = self.write("hesitation.voiced", concern=self.rng.choice(CONCERNS))
        if self.slips("welcome-hesitation"):
            self.wait(1, 4)
            self.contact("propose")
        elif self.chance(0.7):
            self.write("hesitation.explored", hesitation=voiced)
        else:
            self.ask("concern")

    def decision(self, outcome: str, **data: object) -> None:
        """The customer decides."""
        self.write("decision.made", outcome=outcome, **data)

    def date_in(self, least: int, most: int) -> date:
        """A date so many days ahead."""
        return self.now.date() + timedelta(days=self.rng.randint(least, most))
