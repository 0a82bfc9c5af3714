"""The plot of a story with a customer: attempt after attempt, each from a first contact to a decision or a release.

How it goes on depends on how it went: pressing and other mistakes cost acceptances, repeat orders and referrals (S1,
S3), so that the figures of *Does pushing pay* and *Guides win* (domain.md §5) have something true to find.
"""

from datetime import UTC, datetime, time

from services.demo.telling import DISCOVERIES, Telling

ACCEPTS, AFTER_A_MISTAKE, AFTER_PRESSING = 0.90, 0.82, 0.6
REPEATS, REPEATS_AFTER_A_MISTAKE, REPEATS_AFTER_PRESSING = 0.95, 0.92, 0.3
REFERS = 0.21


def tell(story: Telling, ends: datetime) -> None:
    """Writes the story down until about `ends`."""
    _open(story)
    while story.now < ends:
        outcome = _attempt(story)
        if outcome == "accepted":
            if not _live_with(story, ends):
                return
            story.wait(20, 50)
            story.begin_attempt()
            story.contact("explore")
        elif _comes_back(story, outcome):
            story.begin_attempt()
            story.question_from_customer()
        else:
            return


def _open(story: Telling) -> None:
    """The rep introduces themselves, or the customer comes with a question."""
    story.begin_attempt()
    if story.chance(0.25):
        story.question_from_customer()
        return
    story.contact("introduce", text="Good morning, may I ask how you do this today?")
    if story.chance(0.3):
        story.wait(1, 4)
        story.question_from_customer()


def _attempt(story: Telling) -> str:
    """One attempt: walk-in, or discovery, verdict, offer, decision. Returns how it ended."""
    if not story.touches and story.chance(0.1):
        return _walk_in(story)
    story.wait(1, 6)
    _discover(story)
    if not story.needs and story.chance(0.55):
        return _no_need(story)
    if not story.ordered and not story.slips("qualify"):
        fit = story.chance(0.8)
        criteria = ["budget", "authority", "timing"] if fit else ["too small for us"]
        story.write("prospect.qualified", outcome="fit" if fit else "unfit", criteria=criteria)
        if not fit:
            return _part_as_unfit(story)
    return _offer(story) or _decide(story)


def _walk_in(story: Telling) -> str:
    """A customer who knows what it wants, comes and buys it the same day."""
    story.hear(text="We would like to order today.")
    story.need()
    story.write("solution.recommended", items=story.items())
    story.decision("accepted")
    return "accepted"


def _discover(story: Telling) -> None:
    """Questions before any offer, or none; needs become clear more easily with them."""
    if story.chance(0.5):
        story.meet("explore")
    else:
        story.contact("explore")
    if story.slips("respect-time") and story.chance(0.5):
        story.ask("none")
    if story.slips("ask-first"):
        clear = 0.65
    else:
        clear = 0.82
        for topic in story.rng.sample(DISCOVERIES, story.rng.randint(1, 2)):
            story.ask(topic)
        story.ask("motivation")
        if story.chance(0.3):
            story.ask("want")
    for probability in (clear, 0.35):
        if story.chance(probability):
            story.need()
    if len(story.needs) > 1 and story.chance(0.08):
        story.write("need.ruled_out", need=story.needs.pop())


def _no_need(story: Telling) -> str:
    """There is no need: say so and leave it at that, or sell all the same."""
    if story.chance(0.25) and not story.slips("right-solution"):
        story.write("solution.recommended", items=[])
        story.write("prospect.released", reason="Nothing of ours fits.")
        return "released"
    story.write("need.ruled_out")
    if story.slips("no-invented-need"):
        story.wait(2, 9)
        story.contact("promote")
        story.write("special.promoted", campaign="new-customers", needs=[])
        story.decision("declined", reason="We do not need it.")
        return "declined"
    story.wait(1, 3)
    story.contact("thank")
    return "released"


def _part_as_unfit(story: Telling) -> str:
    """Not a customer for us: help them on their way, or chase them."""
    if story.needs and not story.slips("aim-to-serve"):
        story.wait(1, 8)
        story.serve()
    if story.slips("qualify"):
        for _ in range(story.rng.randint(1, 2)):
            story.wait(3, 8)
            story.contact("propose")
            story.temptation()
    story.wait(1, 4)
    story.write("prospect.released", reason="Too small for what we do.")
    return "released"


def _offer(story: Telling) -> str | None:
    """What the rep recommends and proposes. Returns how the attempt ended if it did."""
    knows_path = not story.slips("respect-time")
    if knows_path:
        story.ask("mechanism")
    story.wait(1, 5)
    story.contact("propose")
    story.write("solution.recommended", items=story.items())
    if knows_path and story.chance(0.6):
        next_on = story.date_in(7, 21).isoformat()
        story.write("path.agreed", steps=["trial", "budget", "board"], next_on=next_on)
    if story.chance(0.1) and not story.slips("follow-through"):
        return _persist(story)
    story.wait(2, 6)
    if story.needs or not knows_path or story.slips("respect-time"):
        story.write("proposal.made", items=story.items())
    story.temptation()
    return _give_up(story) if story.touches < 5 and story.slips("follow-through") else None


def _give_up(story: Telling) -> str:
    """No word for weeks: the customer decides by itself, or nobody ever does."""
    story.wait(34, 60)
    if story.chance(0.5):
        story.decision("declined", reason="We never heard from you again.")
        return "declined"
    story.write("prospect.released")
    return "released"


def _persist(story: Telling) -> str:
    """The customer goes quiet: five to seven touches, or one too many, then let go."""
    enough = 10 if story.slips("follow-through") else 6
    while story.touches < enough:
        story.wait(4, 10)
        story.contact("follow_up")
        story.temptation()
    story.wait(33, 45)
    story.write("prospect.released", reason="No answer.")
    return "released"


def _decide(story: Telling) -> str:
    """Follow-ups until the customer decides."""
    for _ in range(story.rng.choice((1, 1, 2, 2, 3, 4))):
        story.wait(3, 9)
        story.contact("follow_up", text="Is there anything you would like to look at again?")
        story.temptation()
        if story.chance(0.3):
            story.hesitation()
        elif story.chance(0.2):
            story.question_from_customer()
        elif story.chance(0.15):
            story.request_for_help()
    story.wait(1, 5)
    if story.chance(0.18):
        _defer(story)
    if story.chance(ACCEPTS * _goodwill(story)):
        story.decision("accepted")
        return "accepted"
    return _decline(story)


def _defer(story: Telling) -> None:
    """The customer wants to be asked again later; the rep waits, or does not."""
    until = story.date_in(21, 50)
    story.decision("deferred", until=until.isoformat(), reason="After the budget round.")
    if story.slips("accept-decisions"):
        story.wait(4, 12)
        story.contact("follow_up")
        story.temptation()
    story.now = max(story.now, datetime.combine(until, time(9), UTC))
    story.wait(0, 4)
    story.contact("follow_up")
    story.wait(1, 5)


def _decline(story: Telling) -> str:
    """A no: be of use anyway and let it be, or push on."""
    alone = story.chance(0.06)
    story.decision("declined", no_contact=True if alone else None, reason="Not this year.")
    if story.needs and not alone and not story.slips("aim-to-serve"):
        story.wait(1, 9)
        story.serve()
    if story.slips("accept-decisions"):
        for _ in range(story.rng.randint(1, 2)):
            story.wait(3, 9)
            story.contact("promote")
            story.temptation()
    return "declined"


def _comes_back(story: Telling, outcome: str) -> bool:
    """Whether the customer gets in touch again by itself, after some months."""
    story.wait(45, 110)
    return story.chance((0.5 if outcome == "declined" else 0.3) * _goodwill(story))


def _goodwill(story: Telling) -> float:
    """What the attempt so far has left of the customer's goodwill, from 1 down."""
    return AFTER_A_MISTAKE**story.mistakes * (AFTER_PRESSING if story.pressed else 1)


def _live_with(story: Telling, ends: datetime) -> bool:
    """The life of a customer: order after order while they stayed with it. Returns whether there is more to say."""
    while story.now < ends:
        story.wait(0, 3)
        _order(story)
        if story.slips("long-view"):
            if story.chance(0.2):
                story.wait(5, 20)
                story.request_for_help()
            story.wait(95, 130)
            return story.chance(0.3)
        _stay(story)
        repeats = REPEATS * REPEATS_AFTER_A_MISTAKE**story.mistakes * (REPEATS_AFTER_PRESSING if story.pressed else 1)
        if not story.chance(repeats):
            return False
        story.wait(20, 45)
        if story.chance(0.35):
            return True
    return False


def _order(story: Telling) -> None:
    """The customer orders."""
    story.ordered = True
    amount = f"{story.rng.randrange(400, 24_000)}.{story.rng.choice(('00', '50', '90'))}"
    items = story.rng.sample(("audit", "licence", "support-plan", "training"), story.rng.randint(1, 2))
    currency = "GBP" if story.customer.segment == "retail" else "EUR"
    story.write("order.placed", amount=amount, currency=currency, items=items)


def _stay(story: Telling) -> None:
    """The rep stays with the customer after the order, and may be sent to another one."""
    story.wait(2, 9)
    story.contact(story.rng.choice(("thank", "serve")))
    if story.chance(0.4):
        story.wait(7, 18)
        story.serve()
    if story.chance(0.2):
        story.wait(5, 15)
        story.meet("serve")
    if story.chance(0.6):
        story.wait(4, 16)
        story.request_for_help()
    if story.chance(REFERS * _goodwill(story)):
        story.write("referral.given", referred=story.refer(story.now))
