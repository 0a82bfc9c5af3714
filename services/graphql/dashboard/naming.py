"""What the model's names mean, in words: reasons, verdicts, principles' breaches, and every act of the catalogue.

The names themselves (`pushed_after_no`, `contact.made`) are for programs; a page shows these words. Personal text of an
act is given apart, so that a page can show it as somebody's own words, or say that it cannot be read.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from services.graphql.dashboard.answers import Act, Verdict
from services.graphql.dashboard.numbers import day, many

VERDICTS: Mapping[Verdict, str] = {"KEPT": "Kept", "BREACHED": "Breached"}
SOURCES: Mapping[str, str] = {
    "S0": "Four reasons why you shouldn't ask your customers to help you with a sales goal",
    "S1": "Don't \u201cget\u201d your customers to do anything",
    "S2": "Your customers want you to get better at sales",
    "S3": "The long view",
    "S4": "When to keep pushing or pull back",
}

REASONS: Mapping[str, str] = {
    "goal_appeal": "Asked a customer to help hit a goal",
    "sold_without_appeal": "Sold without appealing to a goal",
    "asked_first": "Asked about the situation and the motivation before the first offer",
    "offered_unasked": "Offered before asking about the situation and the motivation",
    "pressed": "Pressed to hurry",
    "special_met_need": "Promoted a special that met a need",
    "pushed_special": "Promoted a special that met no need",
    "unpressed_decision": "Let the customer decide without pressing",
    "goaded": "Directed the team to push",
    "qualified_first": "Knew that the customer fits before the first offer",
    "offered_unqualified": "Made the first offer without knowing that the customer fits",
    "chased_unfit": "Went on selling to somebody who does not fit",
    "released_unfit": "Let somebody go who does not fit",
    "nothing_fits": "Said that nothing of ours fits",
    "fits": "Offered only what meets a need",
    "sold_what_they_could": "Offered what meets no need",
    "sold_everything": "Offered some things that meet a need and some that do not",
    "on_time": "Kept a meeting to its time",
    "overran": "Ran over the time of a meeting",
    "pointless_question": "Asked a pointless question",
    "premature_proposal": "Proposed before there was a need",
    "timely_proposal": "Proposed knowing the need and how the customer decides",
    "decision_process_unknown": "Proposed without knowing how the customer decides",
    "answered": "Answered a question in time",
    "unanswered": "Left a question without an answer in time",
    "other_channel": "Used another channel than the customer offered",
    "offered_channel": "Used the channel that the customer offered",
    "repeat_order": "The customer ordered again",
    "referral": "The customer referred somebody",
    "stayed": "Stayed in touch after an order",
    "moved_on": "Moved on after an order",
    "explored": "Went deeper into a hesitation",
    "pressed_on": "Pressed on when the customer hesitated",
    "followed_to_decision": "Followed up until the customer decided",
    "gave_up_early": "Gave up after few contacts",
    "persisted": "Followed up enough before letting it rest",
    "crossed_the_line": "Went on contacting a customer who does not take part",
    "pushed_after_no": "Went on selling after a no",
    "let_go": "Let go after a no",
    "pushed_before_date": "Went on selling before the date that the customer set",
    "waited": "Waited for the date that the customer set",
    "invented_need": "Pushed where there is no need",
    "left_alone": "Left somebody alone who has no need",
    "served_anyway": "Was of use to somebody who said no or does not fit",
    "missed_to_serve": "Was of no use to somebody who said no or does not fit",
    "helped": "Helped in time",
    "left_waiting": "Left a customer waiting for help",
}

BREACHES: Mapping[str, str] = {
    "OWN_GOALS": "appealed to a goal",
    "ASK_FIRST": "offered before asking",
    "NO_PRESSURE": "pressed or pushed",
    "QUALIFY": "offered without knowing the fit, or chased who does not fit",
    "RIGHT_SOLUTION": "offered what meets no need",
    "RESPECT_TIME": "took more of a customer\u2019s time than was due",
    "TWO_WAY": "left a question unanswered, or used another channel than offered",
    "LONG_VIEW": "moved on after an order",
    "WELCOME_HESITATION": "pressed on when a customer hesitated",
    "FOLLOW_THROUGH": "gave up early, or crossed the line",
    "ACCEPT_DECISIONS": "went on selling after a no, or before the date set",
    "NO_INVENTED_NEED": "pushed where there is no need",
    "AIM_TO_SERVE": "was of no use to somebody who said no or does not fit",
    "SERVE_CUSTOMERS": "left a customer waiting for help",
    "WALK_THE_TALK": "did not do as said",
}
"""A breach of each principle, in the past tense, for whoever did it."""

LOOKED_AT: Mapping[str, str] = {
    "card": "the scorecard",
    "example": "what a leader models",
    "signals": "single judgements",
    "evidence": "the acts behind a judgement",
    "acts": "acts",
    "personal": "personal texts or names",
    "audit": "the audit log",
    "export": "everything that is held, as an export",
}
"""What somebody looked at, by what a record of reads has (`services.graphql.reads.What`)."""

CHANNELS: Mapping[str, str] = {
    "call": "by phone",
    "text": "by text message",
    "email": "by email",
    "meeting": "in a meeting",
    "video": "by video",
    "social": "on social media",
    "calendar": "by calendar invitation",
    "mail": "by letter",
    "in_person": "in person",
    "other": "in another way",
}
PURPOSES: Mapping[str, str] = {
    "introduce": "to introduce themselves",
    "explore": "to explore",
    "follow_up": "to follow up",
    "propose": "to propose",
    "promote": "to promote",
    "serve": "to be of service",
    "thank": "to thank",
    "other": "for another purpose",
}
TOPICS: Mapping[str, str] = {
    "problem": "a problem of theirs",
    "limitation": "a limitation of theirs",
    "concern": "a concern of theirs",
    "performance_gap": "a performance gap of theirs",
    "challenge": "a challenge of theirs",
    "motivation": "what motivates them",
    "mechanism": "how they decide and invest",
    "want": "what they want",
    "none": "nothing to do with their situation",
}
TACTICS: Mapping[str, str] = {
    "deadline": "a deadline",
    "scarcity": "scarcity",
    "insistence": "insistence",
    "guilt": "guilt",
    "other": "another tactic",
}
_KINDS = {"resource": "a resource", "connection": "a connection", "support": "support", "advice": "advice"}
_PERSONAL = {"text": "In words", "concern": "The concern", "reason": "The reason", "name": "The name"}
_PERSONAL_OF = {
    **dict.fromkeys(
        ("contact.made", "contact.received", "question.asked", "need.established", "urgency.pressed", "goal.appealed"),
        "text",
    ),
    **dict.fromkeys(("standard.stated", "push.directed"), "text"),
    "hesitation.voiced": "concern",
    **dict.fromkeys(("decision.made", "prospect.released"), "reason"),
    **dict.fromkeys(("customer.known", "team.joined"), "name"),
}
BY_CUSTOMERS = frozenset({"contact.received", "hesitation.voiced", "decision.made", "order.placed", "referral.given"})
"""The acts that are the customer's own."""


def reason_words(reason: str) -> str:
    """What a reason says; a reason that is not known here as it is, without underscores."""
    return REASONS.get(reason) or reason.replace("_", " ").capitalize()


def source_words(source: str) -> str:
    """The article that a principle comes from: "S1: Don't “get” your customers to do anything"."""
    return f"{source}: {SOURCES[source]}" if source in SOURCES else source


class Personal(NamedTuple):
    """Personal text of an act; `content` None: the person was erased, or who looks may not read it."""

    label: str
    content: str | None


def personal_text(act: Act) -> Personal | None:
    """What somebody said in their own words, to be shown apart; None if the act holds none."""
    name = _PERSONAL_OF.get(act.name)
    if name is None or name not in act.data:
        return None
    content = act.data[name]
    return Personal(_PERSONAL[name], None if content is None else str(content))


def act_sentence(act: Act) -> str:
    """What was done, without a full stop: "Asked about what motivates them". Of any act, its name at the least."""
    says = _ACTS.get(act.name)
    return act.name if says is None else says(act.data)


def _listed(data: Mapping[str, Any], name: str) -> str:
    values = [str(value) for value in data.get(name) or ()]
    return ", ".join(values)


def _with_list(words: str, listed: str) -> str:
    return f"{words}: {listed}" if listed else words


def _of(words: Mapping[str, str], value: Any) -> str:
    return words.get(str(value), str(value))


def _contact_made(data: Mapping[str, Any]) -> str:
    return f"Contacted the customer {_of(CHANNELS, data.get('channel'))}, {_of(PURPOSES, data.get('purpose'))}"


def _contact_received(data: Mapping[str, Any]) -> str:
    said = f"The customer got in touch {_of(CHANNELS, data.get('channel'))}"
    if data.get("asks"):
        said += ", with a question"
    if data.get("wants_help"):
        said += ", wanting help"
    if offered := data.get("offered_channel"):
        said += f", and offered to talk {_of(CHANNELS, offered)}"
    return said


def _need_ruled_out(data: Mapping[str, Any]) -> str:
    need = data.get("need")
    return f"Ruled out the need {need}" if need else "Found that there is no need at all"


def _qualified(data: Mapping[str, Any]) -> str:
    outcome = "fits" if data.get("outcome") == "fit" else "does not fit"
    return _with_list(f"Judged that the customer {outcome}", _listed(data, "criteria"))


def _meeting(data: Mapping[str, Any]) -> str:
    asked, actual = data.get("asked_minutes", 0), data.get("actual_minutes", 0)
    said = f"Met {_of(CHANNELS, data.get('channel'))}, {_of(PURPOSES, data.get('purpose'))}"
    said += f": {many(actual, 'minute')}, {many(asked, 'minute')} asked for"
    return f"{said}, extended by the customer" if data.get("extended_by_customer") else said


def _path(data: Mapping[str, Any]) -> str:
    said = _with_list("Agreed how the customer will go on to decide", _listed(data, "steps"))
    return f"{said}; next on {_date(data['next_on'])}" if data.get("next_on") else said


def _items(data: Mapping[str, Any]) -> str:
    shown = []
    for item in data.get("items") or ():
        needs = ", ".join(str(need) for need in item.get("needs") or ())
        shown.append(f"{item.get('item')} ({f'for the need {needs}' if needs else 'for no need'})")
    return ", ".join(shown)


def _recommended(data: Mapping[str, Any]) -> str:
    return f"Recommended {_items(data)}" if data.get("items") else "Recommended nothing: nothing of ours fits"


def _special(data: Mapping[str, Any]) -> str:
    needs = _listed(data, "needs")
    return f"Promoted the special {data.get('campaign')}, " + (f"for the need {needs}" if needs else "for no need")


def _appealed(data: Mapping[str, Any]) -> str:
    return _with_list("Asked the customer to help hit a goal", str(data.get("goal") or ""))


def _decided(data: Mapping[str, Any]) -> str:
    outcome = data.get("outcome")
    if outcome == "deferred":
        said = f"The customer put the decision off to {_date(data.get('until'))}"
    else:
        said = f"The customer said {'yes' if outcome == 'accepted' else 'no'}"
    return f"{said}, and asked to be left alone" if data.get("no_contact") else said


def _ordered(data: Mapping[str, Any]) -> str:
    said = f"The customer ordered for {data.get('amount')} {data.get('currency')}"
    return _with_list(said, _listed(data, "items"))


def _known(data: Mapping[str, Any]) -> str:
    return _with_list("Noted who the customer is", f"segment {data['segment']}" if data.get("segment") else "")


def _pushed(data: Mapping[str, Any]) -> str:
    return _with_list(f"Directed the team {data.get('team')} to push", str(data.get("campaign") or ""))


def _recognised(data: Mapping[str, Any]) -> str:
    what = "behaviour" if data.get("for") == "behaviour" else "results"
    on = f", on {data['principle']}" if data.get("principle") else ""
    return f"Recognised {data.get('rep')} for {what}{on}"


def _formed(data: Mapping[str, Any]) -> str:
    under = f", under {data['parent']}" if data.get("parent") else ""
    return f"The team was named {data.get('name')}{under}"


def _about_act(data: Mapping[str, Any], does: str, prefix: str) -> str:
    named = f"the act {data.get(f'{prefix}_id')} of {data.get(f'{prefix}_source')}"
    return f"{data.get('by')} {does} {named}: {data.get('reason')}"


def _date(value: Any) -> str:
    try:
        return day(date.fromisoformat(str(value)))
    except ValueError:
        return str(value)


_ACTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "contact.made": _contact_made,
    "contact.received": _contact_received,
    "question.asked": lambda data: f"Asked about {_of(TOPICS, data.get('topic'))}",
    "question.answered": lambda _data: "Answered the customer's question",
    "need.established": lambda data: f"Established the need {data.get('need')}",
    "need.ruled_out": _need_ruled_out,
    "prospect.qualified": _qualified,
    "meeting.held": _meeting,
    "path.agreed": _path,
    "solution.recommended": _recommended,
    "proposal.made": lambda data: f"Proposed {_items(data)}",
    "special.promoted": _special,
    "urgency.pressed": lambda data: f"Pressed the customer to hurry, by {_of(TACTICS, data.get('tactic'))}",
    "goal.appealed": _appealed,
    "hesitation.voiced": lambda _data: "The customer hesitated",
    "hesitation.explored": lambda _data: "Went deeper into the hesitation",
    "decision.made": _decided,
    "order.placed": _ordered,
    "prospect.released": lambda _data: "Let the customer go",
    "referral.given": lambda data: f"The customer referred {data.get('referred')}",
    "service.given": lambda data: f"Was of service: {_of(_KINDS, data.get('kind'))}",
    "customer.known": _known,
    "customer.assigned": lambda data: f"The customer was given to {data.get('rep')}",
    "standard.stated": lambda data: f"Stated {data.get('principle')} as a standard of the team {data.get('team')}",
    "push.directed": _pushed,
    "coaching.given": lambda data: f"Coached {data.get('rep')} on {data.get('principle')}",
    "recognition.given": _recognised,
    "team.formed": _formed,
    "team.left": lambda data: f"{data.get('person')} left the team",
    "team.joined": lambda data: f"{data.get('person')} joined the team as a {data.get('role')}",
    "act.retracted": lambda data: _about_act(data, "took back", "retracts"),
    "act.disputed": lambda data: _about_act(data, "disputes", "disputes"),
    "person.erased": lambda data: f"Personal data was erased by {data.get('by')}: {data.get('reason')}",
}
