"""A phone call as a call centre reports it: in any order, repeated, in batches (B1). Pure.

A call is known by its call centre's id. What is unique is the id and the type of event, in a
transcript the id and that of the part. `joined` depends on neither order nor repetition: of two
values for a field it prefers the same one whichever comes first.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Literal, Self, TypeVar

from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Value

CallEvent = Literal["ringing", "answered", "transcript", "transcribed", "ended"]
"""The type of a report; `transcribed`: no further part of the transcript follows."""

Direction = Literal["inbound", "outbound", "internal"]
CallState = Literal["ringing", "answered", "missed", "ended"]

Speaker = Literal["customer", "agent"]

MAX_PARTS = 2000
"""Parts of a transcript that are kept, from its beginning: more than a call of three hours has."""

MAX_PART = 4000
"""Characters of a part."""


class CallPart(Value):
    """A part of a transcript; `at_ms` orders the parts. A `partial` one is replaced by its id."""

    id: TermName
    speaker: Speaker
    text: FreeText
    at_ms: int = 0
    partial: bool = False

    @property
    def rank(self) -> tuple[bool, int, str, int, str]:
        """The order in which parts of one id replace each other: final ones last, then longer."""
        return not self.partial, len(self.text), self.text, self.at_ms, self.speaker


class CallFacts(Value):
    """The known facts of a call.

    `customer` is the customer's number, "" if it is withheld; `line` the desk's; `agent` whoever
    answered, as the call centre names them. `answered`: the call centre says so; None if it does
    not say. `recording` is a link (https).
    """

    direction: Direction | None = None
    customer: PersonalText = ""
    line: PersonalText = ""
    agent: PersonalText = ""
    answered: bool | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    recording: PersonalText = ""


class CallReport(CallFacts):
    """One event of a call."""

    call_id: PersonalText
    event: CallEvent
    parts: tuple[CallPart, ...] = ()


class PhoneCall(CallFacts):
    """A call, as it is stored. `number` is the ticket that it is attached to."""

    desk: TermName
    id: TermName
    version: int = 0
    changed_at: datetime
    events: tuple[CallEvent, ...] = ()
    parts: tuple[CallPart, ...] = ()
    number: TermName | None = None

    @property
    def is_over(self) -> bool:
        return "ended" in self.events or self.ended_at is not None

    @property
    def is_answered(self) -> bool:
        """Return whether somebody answered: what the call centre says counts, then who spoke."""
        if self.answered or self.answered_at is not None or "answered" in self.events:
            return True
        return self.answered is None and any(part.speaker == "agent" for part in self.parts)

    @property
    def is_missed(self) -> bool:
        """Return whether a customer called, and nobody answered."""
        return self.is_over and not self.is_answered and self.direction in (None, "inbound")

    @property
    def state(self) -> CallState:
        if self.is_missed:
            return "missed"
        return "ended" if self.is_over else "answered" if self.is_answered else "ringing"

    @property
    def begun_at(self) -> datetime:
        return self.started_at or self.answered_at or self.ended_at or self.changed_at

    def changed(self, **fields: object) -> Self:
        return self.model_copy(update=fields)


def call_key(call_id: str) -> str:
    """Return our id of a call: call centres' ids may contain numbers of people."""
    return sha256(call_id.encode("utf-8", "replace")).hexdigest()[:32]


def joined(call: PhoneCall, report: CallReport) -> PhoneCall:
    """Return a call with one more report."""
    return call.changed(
        events=tuple(sorted({*call.events, report.event})),
        direction=_preferred(call.direction, report.direction, max),
        customer=_longer(call.customer, report.customer),
        line=_longer(call.line, report.line),
        agent=_longer(call.agent, report.agent),
        recording=_longer(call.recording, report.recording),
        answered=_preferred(call.answered, report.answered, max),
        started_at=_preferred(call.started_at, report.started_at, min),
        answered_at=_preferred(call.answered_at, report.answered_at, min),
        ended_at=_preferred(call.ended_at, report.ended_at, max),
        parts=_joined_parts((*call.parts, *report.parts)),
    )


def _joined_parts(parts: Iterable[CallPart]) -> tuple[CallPart, ...]:
    newest: dict[str, CallPart] = {}
    for part in parts:
        known = newest.get(part.id)
        if known is None or part.rank > known.rank:
            newest[part.id] = part
    return tuple(sorted(newest.values(), key=lambda part: (part.at_ms, part.id))[:MAX_PARTS])


Known = TypeVar("Known", str, bool, datetime)


def _preferred(
    one: Known | None, other: Known | None, choose: Callable[[list[Known]], Known]
) -> Known | None:
    known = [value for value in (one, other) if value is not None]
    return choose(known) if known else None


def _longer(one: str, other: str) -> str:
    """Return the longer text: a number with its country code before one without."""
    return max(one, other, key=lambda text: (len(text), text))
