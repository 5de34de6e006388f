"""A desk's rules as data: the schema of a playbook, its loading and its checks.

A playbook is one YAML file that whoever runs the desk may edit; `docs/playbooks.md` explains each
key. `load` reads and checks one and names the line and key of whatever does not fit. What was
checked once is stored as JSON, and `Playbook.stored` reads that on Lambda without YAML.

Nothing in the code knows a desk's terms: types, priorities, tags, teams and their names are the
playbook's own, most of them in the language that its customers see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag as Branch,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from functions.core.domain.calendar import BusinessCalendar
from functions.core.domain.errors import PlaybookError
from functions.core.domain.ticket import IN_HAND, STATUSES, TIMER_KINDS, Queue
from functions.core.text.file_types import Kind

if TYPE_CHECKING:
    from datetime import datetime

Locale = Literal["zh-CN", "en"]
LOCALES: tuple[Locale, ...] = ("zh-CN", "en")

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+)\s*([smhdw])")


def duration(written: object) -> timedelta:
    """`"90s"`, `"30m"`, `"2h"`, `"1h30m"`, `"3d"` as a timedelta. A day is 24 hours."""
    if isinstance(written, timedelta):
        return written
    text = str(written).strip()
    found = _DURATION.findall(text)
    if not found or _DURATION.sub("", text).strip():
        raise PydanticCustomError(
            "duration", "expected a duration such as 30m, 2h or 3d, got '{given}'", {"given": text}
        )
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in found), timedelta())


def written(length: timedelta) -> str:
    """A timedelta as `duration` reads it: `"1d16h"`. Parts of a second are not written."""
    left, parts = int(length.total_seconds()), []
    for unit in ("d", "h", "m", "s"):
        size = int(timedelta(**{_UNITS[unit]: 1}).total_seconds())
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta, BeforeValidator(duration), PlainSerializer(written, when_used="json")
]


def _lasts(length: timedelta) -> timedelta:
    if length <= timedelta():
        raise PydanticCustomError("duration", "expected a duration longer than nothing")
    return length


Wait = Annotated[Duration, AfterValidator(_lasts)]
"""A duration that is not nothing."""


def _both_locales(written: object) -> object:
    if isinstance(written, str) or not isinstance(written, Mapping):
        raise PydanticCustomError(
            "text", "expected a text in each language ({keys}), got '{given}'",
            {"keys": ", ".join(LOCALES), "given": str(written)[:60]},
        )  # fmt: skip
    missing = [locale for locale in LOCALES if not written.get(locale)]
    if missing:
        raise PydanticCustomError(
            "text", "the text in {missing} is missing", {"missing": ", ".join(missing)}
        )
    return written


Text = Annotated[dict[Locale, str], BeforeValidator(_both_locales)]


def _as_tuple(written: object) -> object:
    return (written,) if isinstance(written, str) else written


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One name or a list of names."""


def _not_blank(written: str) -> str:
    # An empty word stands in every text.
    if not written.strip():
        raise PydanticCustomError("word", "expected a word, got an empty text")
    return written


Word = Annotated[str, AfterValidator(_not_blank)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_as_tuple)]
"""One word or a list of words that are looked for in what a customer wrote."""


_Place = tuple[str | int, ...]
"""Where something stands in a playbook: keys and, in lists, indices from 0."""
_Problem = tuple[_Place, str]
_Reference = tuple[_Place, str, Any]
"""Where a name stands, the name, and the names that there are."""


MAIL_ADDRESS = r"[^@\s]+@[^@\s]+"

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Amount = Annotated[Decimal, PlainSerializer(float, when_used="json")]
"""A sum of money, in JSON a number."""


class Section(BaseModel):
    """What all parts of a playbook share: unknown keys are refused, nothing changes."""

    # The schema of the whole is built at first use, and those of its parts with it (cold start).
    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=False
    )


class Numbering(Section):
    """A3: how tickets are numbered, e.g. `CS{date:%Y%m%d}{serial:03}`."""

    pattern: str
    restarts: Literal["day", "month", "year", "never"] = "day"

    @model_validator(mode="after")
    def _writes_a_number(self) -> Self:
        from datetime import UTC, datetime

        try:
            shown = self.write(datetime(2026, 1, 2, tzinfo=UTC), 7)
        except (KeyError, ValueError, IndexError) as error:
            raise PydanticCustomError(
                "number", "the pattern cannot be filled in: {why}", {"why": str(error)}
            ) from error
        if not re.fullmatch(r"[A-Za-z0-9-]{4,40}", shown) or "{serial" not in self.pattern:
            raise PydanticCustomError(
                "number",
                "the pattern needs {serial} and may write letters, digits and hyphens only; "
                "it writes '{shown}'",
                {"serial": "{serial}", "shown": shown},
            )
        return self

    def write(self, local: datetime, serial: int) -> str:
        """The number for a serial at a moment in the desk's own time zone."""
        return self.pattern.format(date=local, serial=serial)

    def period(self, local: datetime) -> str:
        """The period within which serials count up, at a moment in the desk's time zone."""
        form = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "never": "ever"}[self.restarts]
        return local.strftime(form)


class Fields(Section):
    """A15: limits of what is written, and how personal data is shown."""

    description_max: int = Field(default=2000, ge=20, le=20_000)
    summary_max: int = Field(default=500, ge=20, le=2000)
    name_style: Literal["salutation", "initial"] = "salutation"
    contact_style: Literal["last_four", "middle_four"] = "last_four"
    status_by_contact: bool = True
    public_contacts: Words = ()


class Term(Section):
    """A word of the desk (a type, a status) and how customers read it."""

    label: Text


class Type(Term):
    """A class of requests (A1, B3, D3, E1)."""

    keywords: Words = ()


class Priority(Term):
    """One step of urgency. The order in the playbook is the order of rank, most urgent first."""

    colour: str = "grey"
    promise: Text | None = None


class Vague(Section):
    """A6, E2: when what is known says too little, what is asked then, and whom.

    The customer is asked `times` times at most, after the first in the words of `again`, so that
    no question comes twice (E10); what is still unclear then, and what `ask: supervisor` names, the
    supervisors have to say.
    """

    unless_mentions: Words = ()
    question: Text
    again: Text | None = None
    ask: Literal["agent", "customer", "supervisor"] = "agent"
    times: int = Field(default=2, ge=1, le=3)


class Tag(Term):
    """A2: a preset tag and the words that give it."""

    keywords: Words = Field(min_length=1)
    type: str | None = None
    vague: Vague | None = None


class Condition(Section):
    """All that is named must hold; within a list, one of its entries is enough."""

    mentions: Words = ()
    type: Names = ()
    tags: Names = ()
    priority: Names = ()
    customer_class: Names = ()
    channel: Names = ()
    mood: Names = ()
    product: Words = ()
    queue: Annotated[tuple[Queue, ...], BeforeValidator(_as_tuple)] = ()
    amount_over: Amount | None = None
    score_below: int | None = None


class Effect(Section):
    """What a rule does to the ticket's classification.

    `product` says of which line the product is (D7). The first rule that names one counts; it
    stands beside what the customer called the product.
    """

    priority: str | None = None
    raise_by: int = Field(default=0, ge=0, le=5)
    lower_by: int = Field(default=0, ge=0, le=5)
    type: str | None = None
    add_tags: Names = ()
    mood: str | None = None
    product: Word | None = None


class Rule(Section):
    """One rule over a request; rules are taken in order, and each sees what the last one did."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    when: Condition
    then: Effect


class Needs(Section):
    """D7, B5: what a member of the team has to have: skills, the product's line, the language."""

    skills: Names = ()
    product: bool = False
    language: bool = False


class Destination(Section):
    """A5, A7, B5: where a ticket goes, the first that fits.

    With `queue: collect` nobody is given the ticket: it waits among its like until somebody of the
    team takes it, so that they can be looked at together (E3). `otherwise` says what happens when
    nobody suitable is free: the ticket waits for the team, or a supervisor assigns it (D7).
    """

    when: Condition = Field(default_factory=Condition)
    team: str
    queue: Literal["team", "supervisor", "collect"] = "team"
    needs: Needs = Field(default_factory=Needs)
    otherwise: Literal["wait", "supervisor"] = "wait"


class CustomerClass(Section):
    """Who is VIP: by the customer id that a channel gives (`*` at the end stands for the rest)."""

    customer_ids: Names = ()


class Team(Term):
    """A group of agents. `mailbox` is where the team itself is told something."""

    mailbox: str | None = None
    role: Literal["agent", "supervisor", "qa"] = "agent"


class Assignment(Section):
    """How a free member is found and waiting tickets are ordered."""

    capacity: int = Field(default=5, ge=1, le=500)
    order: tuple[Literal["vip", "priority", "age"], ...] = ("priority", "vip", "age")
    prefer: Literal["longest_idle", "least_loaded"] = "longest_idle"


RECIPIENTS = ("customer", "handler", "team", "supervisor", "qa")
TEAM_NAMED = "team:"
"""B6, D9: before a team's name, a recipient: that team, whoever's the ticket is."""
TEAM_IN = "field:"
"""E5: before a field of the desk's steps, a recipient: the team that was written down there."""


def _recipient(written: str) -> str:
    if written not in RECIPIENTS and not written.startswith((TEAM_NAMED, TEAM_IN)):
        raise PydanticCustomError(
            "recipient",
            "expected 'customer', 'handler', 'team', 'supervisor' or 'qa', "
            "'team:' with a team's name, or 'field:' with a step's field, got '{given}'",
            {"given": written},
        )
    return written


Recipient = Annotated[str, AfterValidator(_recipient)]


class Tell(Section):
    """Somebody is told something: a message of this playbook, by its key."""

    to: Recipient
    message: str


class TimerEffects(Section):
    """What follows from a warning or a breach."""

    tell: tuple[Tell, ...] = ()
    queue: Literal["team", "supervisor"] | None = None
    team: str | None = None
    raise_by: int = Field(default=0, ge=0, le=5)
    repeat_every: Wait | None = None


OneOrEach = Annotated[
    Annotated[dict[str, Wait], Branch("[each]")] | Annotated[Wait, Branch("[one]")],
    # Told apart beforehand, so that an error speaks of the branch that is meant.
    Discriminator(lambda written: "[each]" if isinstance(written, Mapping) else "[one]"),
]
"""One duration, or one a priority."""


class TimerRule(Section):
    """One kind of deadline: what starts, stops and pauses it, how long it is, what follows.

    `start` and `stop` name event types, or steps of the desk's own (`step:accept`); `pause_in`
    statuses. `within` is one duration or one a priority; `until` names a field of the step that
    starts the timer, whose moment counts instead. The clock is `always` or `business` (the desk's
    opening hours). `warn_at` are shares of the time, e.g. 0.8.

    An `appointment` is a time at which something is to happen by itself (E6): reaching it breaks no
    promise, so the timer is `met`, or runs on to its next time where it repeats.
    """

    start: Names
    stop: Names
    pause_in: Names = ()
    within: OneOrEach
    until: str | None = None
    clock: Literal["always", "business"] = "always"
    warn_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    on_warning: TimerEffects = Field(default_factory=TimerEffects)
    on_breach: TimerEffects = Field(default_factory=TimerEffects)
    appointment: bool = False
    when: Condition = Field(default_factory=Condition)

    def allowance(self, priority: str) -> timedelta:
        """The time allowed at a priority."""
        return self.within if isinstance(self.within, timedelta) else self.within[priority]


class ReplyTemplate(Section):
    """A9, E4: what an agent is offered, in parts that follow one another.

    `moods` has other words for parts, by the customer's mood (E9, B13).
    """

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    when: Condition = Field(default_factory=Condition)
    parts: dict[str, Text]
    moods: dict[str, dict[str, Text]] = {}
    article: str | None = None


class Article(Section):
    """A piece of the internal knowledge base."""

    title: Text
    solution: Text


class Message(Section):
    """What Deskbell itself says. `sms` is the short form; without it `text` serves."""

    subject: Text
    text: Text
    sms: Text | None = None


class NotificationRule(Section):
    """Which event tells whom what. Within an event type, the first that fits a recipient."""

    on: str
    to: Recipient
    message: str
    when: Condition = Field(default_factory=Condition)


class Review(Section):
    """A13, B9, E7: what a poor score leads to.

    `then: review` lets the team call back and record the cause; `then: second_handling` opens the
    ticket again, one level up, with the customer's reason.
    """

    below: int
    team: str
    within: Wait
    then: Literal["review", "second_handling"] = "review"


class Survey(Section):
    """A12, A13: the question after resolution. `words` name the scores, best first, if a desk
    asks in words."""

    scores: tuple[int, int] = (1, 5)
    words: dict[str, int] = {}
    wait: Wait
    review: Review


class Confirmation(Section):
    """C10, D13: the customer is asked first whether the problem is gone.

    `solved` says what follows a yes: the survey, a call-back by `team`, or the archive. `within`
    is no deadline of that call, which is a timer's (`timers.callback`), but its end: a ticket that
    nobody called back by then is archived without it. `unsolved` says who takes a ticket up again
    after a no: its handler, the team, or somebody more senior.
    """

    solved: Literal["survey", "callback", "archive"] = "survey"
    unsolved: Literal["handler", "team", "senior"] = "team"
    team: str | None = None
    within: Wait | None = None


class StepField(Term):
    """One thing that is written down with a step."""

    kind: Literal["text", "time", "number", "choice", "list"] = "text"
    choices: tuple[str, ...] = ()
    required: bool = True
    max: int = Field(default=500, ge=1, le=4000)


class Approval(Section):
    """C9, issue of authority: the step waits for a supervisor, always or above an amount."""

    field: str | None = None
    over: Amount = Decimal(0)


class Step(Term):
    """D8–D11, B2, B6, E5: an action of the desk's own, with the fields that it needs.

    `source` names the statuses in which it is possible, `to` the one it leads to (none: it stays).
    `by` names the roles that may take it. Members of `teams` may on any ticket, whoever has it: the
    warehouse answers, an agent reviews what an engineer has in hand (D4, D9). What `customer_sees`
    stands in the customer's timeline.
    With `resolves` the step solves the problem too, and the field of that name is the summary;
    what `responds` counts as the first response, as a call to the customer does (E3). `then` says
    what the step does to the ticket's classification (E6); its `priority` never lowers one.
    """

    by: Names = ("agent",)
    teams: Names = ()
    source: Names
    to: str | None = None
    resolves: str | None = None
    fields: dict[Identifier, StepField] = {}
    attachments: bool = False
    customer_sees: bool = False
    responds: bool = False
    then: Effect = Field(default_factory=Effect)
    approval: Approval | None = None


class Records(Section):
    """B7: how the steps of handling are numbered."""

    pattern: str = "{ticket}-{step:03}"

    @model_validator(mode="after")
    def _writes(self) -> Self:
        try:
            self.pattern.format(ticket="T1", step=1)
        except (KeyError, ValueError, IndexError) as error:
            raise PydanticCustomError(
                "records", "the pattern cannot be filled in: {why}", {"why": str(error)}
            ) from error
        return self


Consequence = Literal["accept", "untrusted", "quarantine"]
"""What follows from a verdict about a mail: it is taken in and its sender believed, it is taken in
and its sender's address proves nothing, or it is set aside until somebody releases it."""


class Checks(Section):
    """G3: what follows from what was found out about a mail, and how large one may be."""

    virus: Consequence = "quarantine"
    spam: Consequence = "quarantine"
    dmarc: Consequence = "quarantine"
    authentication: Consequence = "untrusted"
    unproven: Consequence = "accept"
    results_of: str = ""
    max_mb: int = Field(default=40, ge=1, le=40)


def _windows(written: dict[str, int]) -> dict[str, int]:
    for window in written:
        _lasts(duration(window))
    return written


Limits = Annotated[
    dict[str, Annotated[int, Field(ge=1, le=10_000)]],
    Field(min_length=1),
    AfterValidator(_windows),
]
"""Time → how many automatic mails go out within it at most: `{10m: 5, 1h: 10}`."""


class AutomaticLimits(Section):
    """How many mails that no agent asked for go out, so that two machines that answer each other
    come to rest. Mail that follows from what an agent does is never held."""

    ticket: Limits = {"10m": 5, "1h": 10, "24h": 20}
    address: Limits = {"10m": 25, "1h": 50, "24h": 100}


class Mail(Section):
    """The desk's mailbox and how its mail is signed."""

    address: str = Field(pattern=rf"^{MAIL_ADDRESS}$")
    sender: Text
    checks: Checks = Field(default_factory=Checks)
    automatic_limits: AutomaticLimits = Field(default_factory=AutomaticLimits)


class FileRules(Section):
    """D10: which files are kept of what customers send, and which ones agents may add."""

    customers: tuple[Kind, ...] = get_args(Kind)
    agents: tuple[Kind, ...] = ("image", "document")
    max_mb: int = Field(default=20, ge=1, le=20)
    most: int = Field(default=20, ge=0, le=100)


class Retention(Section):
    """B10: how long a ticket's archive is kept; never below three years."""

    years: Literal[3, 5, 7, 10] = 3


def _endpoint(written: str) -> str:
    from functions.core.domain.webhooks import Endpoint

    try:
        Endpoint.of(written)
    except ValueError as error:
        raise PydanticCustomError("url", "{why}", {"why": str(error)}) from error
    return written


class Webhook(Section):
    """G5: an endpoint that is told of events, by signed requests (docs/webhooks.md).

    `events` are types such as `ticket.received`, steps of the desk's own (`step:visit`), or `*`.
    Its secrets are none of the playbook's: `deskbell webhooks secret` shows them.
    """

    url: Annotated[str, Field(max_length=500), AfterValidator(_endpoint)]
    events: Names = Field(min_length=1)


class Playbook(Section):
    """A desk's rules, whole."""

    desk: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")
    name: Text
    locale: Locale = "zh-CN"
    calendar: dict[str, Any]
    number: Numbering
    fields: Fields = Field(default_factory=Fields)
    mail: Mail
    files: FileRules = Field(default_factory=FileRules)
    sms_sender: str = ""
    types: dict[str, Type] = Field(min_length=1)
    default_type: str
    priorities: dict[str, Priority] = Field(min_length=1)
    default_priority: str
    tags: dict[str, Tag] = {}
    unclear: Vague | None = None
    customer_classes: dict[str, CustomerClass] = {}
    rules: tuple[Rule, ...] = ()
    teams: dict[str, Team] = Field(min_length=1)
    routing: tuple[Destination, ...] = Field(min_length=1)
    assignment: Assignment = Field(default_factory=Assignment)
    statuses: dict[str, Term]
    timers: dict[str, TimerRule] = {}
    templates: tuple[ReplyTemplate, ...] = ()
    articles: dict[str, Article] = {}
    messages: dict[str, Message] = {}
    notifications: tuple[NotificationRule, ...] = ()
    webhooks: dict[Slug, Webhook] = {}
    survey: Survey
    confirmation: Confirmation | None = None
    steps: dict[Slug, Step] = {}
    records: Records = Field(default_factory=Records)
    reopen_within: Duration = timedelta(days=14)
    closed_reply: Literal["reopen", "linked"] = "reopen"
    retention: Retention = Field(default_factory=Retention)

    @classmethod
    def stored(cls, document: str | bytes) -> Playbook:
        """Read a playbook that was checked before it was stored (JSON)."""
        try:
            return cls.model_validate_json(document)
        except ValidationError as error:
            raise PlaybookError(_explain(error, {})) from error

    @cached_property
    def hours(self) -> BusinessCalendar:
        """The desk's opening hours."""
        return BusinessCalendar.from_dict(self.calendar)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The desk's time zone, known without building its calendar."""
        return ZoneInfo(str(self.calendar.get("timezone", "UTC")))

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Priority → rank, 0 the most urgent."""
        return {name: rank for rank, name in enumerate(self.priorities)}

    @cached_property
    def public_contacts(self) -> tuple[str, ...]:
        """The desk's own numbers and addresses, which stay readable in what it writes."""
        return (*self.fields.public_contacts, self.mail.address)

    def shifted(self, priority: str, by: int) -> str:
        """The priority `by` steps more urgent (less, where negative), within the scale."""
        names = list(self.priorities)
        return names[min(max(self.ranks[priority] - by, 0), len(names) - 1)]

    def team_of_role(self, role: str) -> str | None:
        """The first team whose members have this role."""
        return next((name for name, team in self.teams.items() if team.role == role), None)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [
            (place, f"there is no '{name}'; there is {', '.join(known) or 'none'}")
            for place, name, known in self._references()
            if name not in known
        ]
        problems += [
            *self._doubles(), *self._routing_ends(), *self._allowances(), *self._scores(),
            *self._steps_fit(),
        ]  # fmt: skip
        if problems:
            said = "; ".join(f"{'.'.join(map(str, place))}: {what}" for place, what in problems)
            raise PydanticCustomError(
                "playbook", "{said}", {"said": said, "problems": tuple(problems)}
            )
        return self

    def _doubles(self) -> Iterator[_Problem]:
        for part, ids in (
            ("rules", [rule.id for rule in self.rules]),
            ("templates", [template.id for template in self.templates]),
        ):
            for index, name in enumerate(ids):
                if name in ids[:index]:
                    yield (part, index, "id"), f"'{name}' stands twice"

    def _routing_ends(self) -> Iterator[_Problem]:
        open_ends = [i for i, place in enumerate(self.routing) if place.when == Condition()]
        last = len(self.routing) - 1
        if not open_ends:
            yield (
                ("routing", last),
                "the last destination must stand without `when`, or some tickets go nowhere",
            )
        elif open_ends[0] != last:
            yield (
                ("routing", open_ends[0]),
                "without `when` it takes every ticket; what follows is never reached",
            )

    def _allowances(self) -> Iterator[_Problem]:
        for kind, timer in self.timers.items():
            given = timer.within if isinstance(timer.within, dict) else self.priorities
            for priority in self.priorities:
                if priority not in given:
                    yield ("timers", kind, "within"), f"the time for '{priority}' is missing"

    def _steps_fit(self) -> Iterator[_Problem]:
        """A step has a name of its own and leads from one pair of hands to the same."""
        if not self.steps:
            return
        from functions.core.domain.commands import agent_actions
        from functions.core.domain.commands.steps import BODY_FIELDS

        taken = {*agent_actions(), "attachments"}
        for name, step in self.steps.items():
            if name in taken:
                yield ("steps", name), "every desk has an action of this name"
            for field in step.fields:
                if field in BODY_FIELDS:
                    yield ("steps", name, "fields", field), "this name has a meaning of its own"
            if step.to is None:
                continue
            if step.to in STATUSES and step.to not in IN_HAND:
                yield (
                    ("steps", name, "to"),
                    f"a step leads to one of {', '.join(s for s in STATUSES if s in IN_HAND)}",
                )
            elif step.to == "awaiting_confirmation" and step.resolves is None:
                yield ("steps", name, "to"), "what the customer is to confirm needs `resolves`"
            for status in step.source:
                if status in STATUSES and status not in IN_HAND:
                    yield (
                        ("steps", name, "source"),
                        f"in '{status}' nobody has the ticket in hand, so `to` cannot be reached",
                    )

    def _scores(self) -> Iterator[_Problem]:
        low, high = self.survey.scores
        if low >= high:
            yield ("survey", "scores"), f"expected the lowest and the highest, got {low}, {high}"
        elif not low < self.survey.review.below <= high:
            yield ("survey", "review", "below"), f"expected a number from {low + 1} to {high}"
        for word, score in self.survey.words.items():
            if not low <= score <= high:
                yield ("survey", "words", word), f"expected a number from {low} to {high}"

    def _references(self) -> Iterator[_Reference]:
        """Every place where the playbook names something that must stand elsewhere in it."""
        yield ("default_type",), self.default_type, self.types
        yield ("default_priority",), self.default_priority, self.priorities
        yield ("survey", "review", "team"), self.survey.review.team, self.teams
        for name, tag in self.tags.items():
            if tag.type is not None:
                yield ("tags", name, "type"), tag.type, self.types
        for status in STATUSES_NEEDED:
            yield ("statuses",), status, self.statuses
        for status in self.statuses:
            yield ("statuses", status), status, STATUSES
        yield from self._in_rules()
        for kind, timer in self.timers.items():
            yield from self._timer(kind, timer)
        yield from self._in_words()
        yield from self._in_steps()

    def _in_steps(self) -> Iterator[_Reference]:
        for name, step in self.steps.items():
            for status in step.source:
                yield ("steps", name, "source"), status, STATUSES
            if step.to is not None:
                yield ("steps", name, "to"), step.to, STATUSES
            for team in step.teams:
                yield ("steps", name, "teams"), team, self.teams
            if step.resolves is not None:
                yield ("steps", name, "resolves"), step.resolves, step.fields
            yield from self._effect(("steps", name, "then"), step.then)
            if step.approval is not None and step.approval.field is not None:
                yield ("steps", name, "approval", "field"), step.approval.field, step.fields
        asked = self.confirmation
        if asked is not None and asked.solved == "callback":
            yield ("confirmation", "team"), asked.team or "", self.teams
        if asked is not None:
            yield ("statuses",), "awaiting_confirmation", self.statuses

    def _happenings(self) -> list[str]:
        """What may start or stop a timer: event types, and the desk's own steps."""
        from functions.core.domain.events import EVENTS

        return [*EVENTS, *(f"step:{name}" for name in self.steps)]

    def _in_rules(self) -> Iterator[_Reference]:
        for index, rule in enumerate(self.rules):
            yield from self._condition(("rules", index, "when"), rule.when)
            yield from self._effect(("rules", index, "then"), rule.then)
        for index, place in enumerate(self.routing):
            yield ("routing", index, "team"), place.team, self.teams
            yield from self._condition(("routing", index, "when"), place.when)

    def _effect(self, place: _Place, then: Effect) -> Iterator[_Reference]:
        if then.priority is not None:
            yield (*place, "priority"), then.priority, self.priorities
        if then.type is not None:
            yield (*place, "type"), then.type, self.types
        for tag in then.add_tags:
            yield (*place, "add_tags"), tag, self.tags

    def _in_words(self) -> Iterator[_Reference]:
        from functions.core.domain.events import EVENTS

        notified = sorted(name for name, kind in EVENTS.items() if "notify" in kind.wakes)

        for index, template in enumerate(self.templates):
            if template.article is not None:
                yield ("templates", index, "article"), template.article, self.articles
            yield from self._condition(("templates", index, "when"), template.when)
            for mood, parts in template.moods.items():
                for part in parts:
                    yield ("templates", index, "moods", mood, part), part, template.parts
        for index, notification in enumerate(self.notifications):
            place = ("notifications", index)
            steps = [f"step:{name}" for name in self.steps]
            yield (*place, "on"), notification.on, [*notified, *steps]
            yield (*place, "message"), notification.message, self.messages
            yield from self._recipient((*place, "to"), notification.to)
            yield from self._condition((*place, "when"), notification.when)
        if self.webhooks:
            yield from self._in_webhooks()

    def _in_webhooks(self) -> Iterator[_Reference]:
        from functions.core.domain.webhooks import EVERYTHING, types

        known = [EVERYTHING, *types(), *(f"step:{name}" for name in self.steps)]
        for name, webhook in self.webhooks.items():
            for index, event in enumerate(webhook.events):
                yield ("webhooks", name, "events", index), event, known

    def _recipient(self, place: _Place, to: str) -> Iterator[_Reference]:
        if to.startswith(TEAM_NAMED):
            yield place, to.removeprefix(TEAM_NAMED), self.teams
        if to.startswith(TEAM_IN):
            fields = {name for step in self.steps.values() for name in step.fields}
            yield place, to.removeprefix(TEAM_IN), sorted(fields)

    def _condition(self, place: _Place, when: Condition) -> Iterator[_Reference]:
        for field, known in (
            ("type", self.types),
            ("priority", self.priorities),
            ("tags", self.tags),
            ("customer_class", self.customer_classes),
        ):
            for name in getattr(when, field):
                yield (*place, field), name, known

    def _timer(self, kind: str, timer: TimerRule) -> Iterator[_Reference]:
        happenings = self._happenings()
        place = ("timers", kind)
        yield place, kind, TIMER_KINDS
        if isinstance(timer.within, dict):
            for priority in timer.within:
                yield (*place, "within", priority), priority, self.priorities
        for name in timer.start:
            yield (*place, "start"), name, happenings
        for name in timer.stop:
            yield (*place, "stop"), name, happenings
        for name in timer.pause_in:
            yield (*place, "pause_in"), name, STATUSES
        for when, effects in (("on_warning", timer.on_warning), ("on_breach", timer.on_breach)):
            if effects.team is not None:
                yield (*place, when, "team"), effects.team, self.teams
            for index, tell in enumerate(effects.tell):
                yield (*place, when, "tell", index, "message"), tell.message, self.messages
                yield from self._recipient((*place, when, "tell", index, "to"), tell.to)
        yield from self._condition((*place, "when"), timer.when)


STATUSES_NEEDED = ("received", "queued", "assigned", "in_progress", "resolved", "archived")
"""Those without which no ticket can run its course."""


def load(source: str | Path | Mapping[str, Any]) -> Playbook:
    """A checked playbook, from the path of a YAML file or from its content as a dict.

    Raises:
        PlaybookError: it cannot be read, or does not fit; the message names the line or key and
            what was expected. Every problem that the schema finds is named, one a line.
    """
    lines: dict[_Place, int] = {}
    name = ""
    if isinstance(source, Mapping):
        content: Any = dict(source)
    else:
        name = str(source)
        content, lines = _read(Path(source))
    try:
        playbook = Playbook.model_validate(content)
    except ValidationError as error:
        raise PlaybookError(_explain(error, lines, name)) from error
    problems = [
        *_calendar(playbook),
        *_numbers(playbook),
        *_dead_ends(playbook),
        *_never_known(playbook),
        *_templates(playbook),
    ]
    if problems:
        raise PlaybookError("\n".join(_at(at, lines, name) + f": {what}" for at, what in problems))
    return playbook


def _read(path: Path) -> tuple[Any, dict[_Place, int]]:
    """The content of a YAML file, and the line on which each of its keys stands."""
    import yaml

    try:
        loader = _plain_loader()(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PlaybookError(f"{path}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PlaybookError(f"{path}: not YAML: {error}") from error
    lines: dict[_Place, int] = {}

    def walk(node: Any, at: _Place) -> None:
        lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                here, line = (*at, key.value), key.start_mark.line + 1
                if key.value in first:
                    raise PlaybookError(
                        f"{path}:{line}: {'.'.join(map(str, here))}: "
                        f"stands twice, first on line {first[key.value]}"
                    )
                first[key.value] = lines[here] = line
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                walk(value, (*at, index))

    if node is not None:
        walk(node, ())
    return content, lines


def _plain_loader() -> Any:
    """A YAML reader without the surprises of YAML 1.1: `on`, `no`, 13:30 and dates are texts."""
    import yaml

    class Plain(yaml.SafeLoader):
        pass

    Plain.yaml_implicit_resolvers = {}
    for tag, pattern, first in (
        ("bool", r"true|false", "tf"),
        ("null", r"null|~|", ["n", "~", ""]),
        ("int", r"-?[0-9]+", "-0123456789"),
        ("float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
    ):
        written = re.compile(rf"^(?:{pattern})$")
        Plain.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", written, list(first))
    return Plain


def _at(place: _Place, lines: Mapping[_Place, int], name: str) -> str:
    """`file:line: key.key`, as exact as is known."""
    known = place
    while known and known not in lines:
        known = known[:-1]
    line = f":{lines[known]}" if known in lines else ""
    where = f"{name}{line}: " if name else ""
    return where + (".".join(map(str, place)) or "playbook")


def _explain(error: ValidationError, lines: Mapping[_Place, int], name: str = "") -> str:
    """What is wrong, one problem a line, each with its place."""
    problems: list[str] = []
    for found in error.errors():
        if found["type"] == "playbook":
            problems += [
                f"{_at(place, lines, name)}: {what}" for place, what in found["ctx"]["problems"]
            ]
            continue
        # pydantic appends the branch of a union to the place; a playbook has no such key.
        place = tuple(
            part
            for part in found["loc"]
            if not (isinstance(part, str) and ("[" in part or part == "function-before"))
        )
        problems.append(f"{_at(place, lines, name)}: {_in_words(found, place)}")
    return "\n".join(dict.fromkeys(problems))


_EXPECTED = {
    "missing": "this key is missing",
    "dict_type": "expected keys with values",
    "model_type": "expected keys with values",
    "tuple_type": "expected a list",
    "string_type": "expected a text",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "float_parsing": "expected a number",
}
_PATTERNS = {
    "desk": "expected 2 to 31 small letters, digits and hyphens, a letter first",
    "id": "expected small letters, digits and hyphens",
    "address": "expected a mail address",
}


def _in_words(found: Any, place: _Place) -> str:
    """What is wrong and what was expected, in the words of somebody who edits a playbook."""
    if found["type"] == "extra_forbidden":
        return f"there is no such key; there is {', '.join(_keys_at(place[:-1]))}"
    if found["type"] == "missing":
        return _EXPECTED["missing"]
    if found["type"] == "string_pattern_mismatch":
        joints = "underscores" if "_" in found["ctx"]["pattern"] else "hyphens"
        name = f"expected a name of small letters, digits and {joints}, a letter first"
        return f"{_PATTERNS.get(str(place[-1]), name)}, got '{found['input']}'"
    said = _EXPECTED.get(found["type"], found["msg"].replace("Input should be", "expected"))
    if "got " in said or isinstance(found["input"], (dict, list, tuple, type(None))):
        return str(said)
    return f"{said}, got '{found['input']}'"


def _keys_at(place: _Place) -> tuple[str, ...]:
    """The keys that may stand at a place."""
    part: type[Section] = Playbook
    entry = False
    for key in place:
        if entry:
            entry = False
            continue
        annotation = part.model_fields[str(key)].annotation
        entry = get_origin(annotation) in (dict, tuple)
        part = next((inner for inner in _inside(annotation)), part)
    return tuple(part.model_fields)


def _inside(annotation: Any) -> Iterator[type[Section]]:
    """The parts that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for argument in get_args(annotation):
        yield from _inside(argument)


TEMPLATE_VARIABLES = frozenset(
    {
        "number", "desk", "name", "status", "type", "tags", "tag", "priority", "team", "handler",
        "promise", "expected_response_by", "expected_resolution_by", "due_at", "status_url",
        "text", "question", "summary", "solution", "score", "reason", "timer", "description",
        "step", "order", "other",
    }
)  # fmt: skip
"""What a message or a reply template may fill in."""


def _calendar(playbook: Playbook) -> Iterator[_Problem]:
    try:
        _ = playbook.hours
    except ValueError as error:
        yield ("calendar",), str(error)


def _numbers(playbook: Playbook) -> Iterator[_Problem]:
    """A3: a pattern that does not show the period in which serials begin anew would write a number
    twice, and the second ticket of it could not be filed."""
    from datetime import UTC, datetime

    number, day = playbook.number, datetime(2026, 1, 1, tzinfo=UTC)
    shown: dict[str, str] = {}
    for moment in (day + timedelta(days=days) for days in range(3 * 366)):
        period = number.period(moment)
        if shown.setdefault(number.write(moment, 1), period) != period:
            yield (
                ("number", "pattern"),
                f"it writes the same numbers in each {number.restarts}, when serials begin anew; "
                "let it show the date as far as that, or let them begin anew less often",
            )
            return


def _dead_ends(playbook: Playbook) -> Iterator[_Problem]:
    """What has the form of a rule and could never be followed."""
    fields = [
        (name, field) for step in playbook.steps.values() for name, field in step.fields.items()
    ]
    for name, step in playbook.steps.items():
        yield from _in_step(("steps", name), step)
    moments = {name for name, field in fields if field.kind == "time"}
    for kind, timer in playbook.timers.items():
        if timer.until is not None and timer.until not in moments:
            known = ", ".join(sorted(moments)) or "none"
            yield (
                ("timers", kind, "until"),
                f"no step has a field '{timer.until}' of kind time; there is {known}",
            )
    for place, to in _told(playbook):
        if to in {"supervisor", "qa"} and playbook.team_of_role(to) is None:
            yield place, f"no team has the role {to}, so nobody would be told"
    for name, team in playbook.teams.items():
        if team.mailbox is not None and not re.fullmatch(MAIL_ADDRESS, team.mailbox):
            yield ("teams", name, "mailbox"), f"expected a mail address, got '{team.mailbox}'"


def _told(playbook: Playbook) -> Iterator[tuple[_Place, Recipient]]:
    """Everybody who is told something, with the place that says so."""
    for index, notification in enumerate(playbook.notifications):
        yield ("notifications", index, "to"), notification.to
    for kind, timer in playbook.timers.items():
        for when, effects in (("on_warning", timer.on_warning), ("on_breach", timer.on_breach)):
            for index, tell in enumerate(effects.tell):
                yield ("timers", kind, when, "tell", index, "to"), tell.to


def _in_step(place: _Place, step: Step) -> Iterator[_Problem]:
    from functions.core.domain.roster import Role

    for role in step.by:
        if role not in get_args(Role):
            yield (*place, "by"), f"there is no '{role}'; there is {', '.join(get_args(Role))}"
    for name, field in step.fields.items():
        if field.kind == "choice" and not field.choices:
            yield (*place, "fields", name, "choices"), "a choice needs something to choose from"
    compared = step.approval.field if step.approval else None
    if compared is not None and step.fields[compared].kind != "number":
        yield (*place, "approval", "field"), f"'{compared}' is compared, so its kind is number"


_NOT_KNOWN: dict[str, tuple[str, ...]] = {
    "rules": ("queue", "score_below"),
    "routing": ("score_below",),
    "timers": ("mentions", "amount_over"),
    "templates": ("amount_over",),
    "notifications": ("amount_over",),
}
"""Part of a playbook → what its conditions can never know. Only rules and routing read all that the
customer wrote; a rule can give a tag, which everybody knows."""
_NOT_KNOWN_AT_ONCE = ("tags", "mood")
"""The same of what happens before the words are read: `TicketReceived`."""


def _never_known(playbook: Playbook) -> Iterator[_Problem]:
    """Conditions that ask for what is not known where they stand, so that they would never hold."""
    for part, unknown in _NOT_KNOWN.items():
        entries: Any = getattr(playbook, part)
        for key, entry in entries.items() if isinstance(entries, dict) else enumerate(entries):
            early = getattr(entry, "on", "") == "TicketReceived"
            for name in (*unknown, *(_NOT_KNOWN_AT_ONCE if early else ())):
                if name in entry.when.model_fields_set:
                    yield (
                        (part, key, "when", name),
                        "this is not known here, so it would never hold",
                    )


def template_variables(playbook: Playbook) -> frozenset[str]:
    """What this playbook's texts may fill in: the common variables and its steps' own fields."""
    fields = {name for step in playbook.steps.values() for name in step.fields}
    return TEMPLATE_VARIABLES | fields


def _templates(playbook: Playbook) -> Iterator[_Problem]:
    """E4: an unknown variable in a text is an error that names it; so is what cannot be filled in,
    be the variables known or still empty."""
    from jinja2 import TemplateError, meta
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(autoescape=False)
    variables = template_variables(playbook)
    for place, text in _texts(playbook):
        try:
            unknown = meta.find_undeclared_variables(environment.parse(text)) - variables
            for value in ("1", ""):
                environment.from_string(text).render(dict.fromkeys(variables, value))
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            yield place, f"cannot be filled in: {str(error).splitlines()[0]}"
            continue
        for variable in sorted(unknown):
            known = ", ".join(sorted(variables))
            yield place, f"there is no variable '{variable}'; there is {known}"


def _texts(playbook: Playbook) -> Iterator[tuple[_Place, str]]:
    """Every text that is filled in, with its place."""
    for key, message in playbook.messages.items():
        for field in ("subject", "text", "sms"):
            for locale, text in (getattr(message, field) or {}).items():
                yield ("messages", key, field, locale), text
    for index, template in enumerate(playbook.templates):
        for part, texts in template.parts.items():
            for locale, text in texts.items():
                yield ("templates", index, "parts", part, locale), text
        for mood, parts in template.moods.items():
            for part, texts in parts.items():
                for locale, text in texts.items():
                    yield ("templates", index, "moods", mood, part, locale), text
    for key, article in playbook.articles.items():
        for locale, text in article.solution.items():
            yield ("articles", key, "solution", locale), text
