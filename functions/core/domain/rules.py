"""The typed model of a playbook: a desk's rules as data.

`docs/playbooks.md` explains each key. `functions.core.playbook.load` reads a YAML file and checks
it. The checked playbook is stored as JSON, and deployed functions read it with `Playbook.stored`,
without YAML and without checking it again.

The code knows no desk's terms: types, priorities, tags, teams and their names come from the
playbook, most of them in the customers' language.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag as Branch,
    ValidationError,
)

from functions.core.domain.calendar import BusinessCalendar
from functions.core.domain.countries import PHONE_REGION, country_of_zone
from functions.core.domain.errors import PlaybookError
from functions.core.domain.playbook_assistant import Assistant, MoodByExamples
from functions.core.domain.playbook_endings import Endings
from functions.core.domain.playbook_limits import Sms, UnprovenTickets
from functions.core.domain.playbook_mail import (
    Checks as Checks,
    Consequence as Consequence,
    FileKind as FileKind,
    FileRules as FileRules,
    Mail as Mail,
)
from functions.core.domain.playbook_model import LanguageModel
from functions.core.domain.playbook_negations import Negations
from functions.core.domain.playbook_numbers import Numbering, Records
from functions.core.domain.playbook_privacy import PrivacyNotice
from functions.core.domain.playbook_records import Retention, Webhook as Webhook
from functions.core.domain.playbook_reports import Reports
from functions.core.domain.playbook_types import (
    LOCALES as LOCALES,
    STEP_FIELD_HOLDS,
    Amount,
    AskedField,
    Choices,
    Duration,
    Identifier,
    Locale as Locale,
    Names,
    PublicUrl,
    Section as Section,
    Signature,
    Slug,
    StepFieldKind,
    Text,
    Wait,
    Word,
    Words,
    as_tuple,
)
from functions.core.domain.playbook_upgrades import upgraded
from functions.core.domain.privacy import Holds
from functions.core.domain.recipients import Recipient
from functions.core.domain.ticket import Queue


class Fields(Section):
    """A15: limits of texts, and how personal data is shown."""

    description_max: int = Field(default=2000, ge=20, le=20_000)
    summary_max: int = Field(default=500, ge=20, le=2000)
    name_style: Literal["salutation", "initial"] = "salutation"
    contact_style: Literal["last_four", "middle_four"] = "last_four"
    status_by_contact: bool = False
    public_contacts: Words = ()


class Term(Section):
    """A term of the desk (a type, a status, a team) with the label that people read."""

    label: Text


class CustomerTerm(Term):
    """A term that customers may read by a label of its own.

    Without `customer_label` they do not see a tag or a priority, and a status or a step by its
    `label`.
    """

    customer_label: Text | None = None


class Type(Term):
    """A class of requests (A1, B3, D3, E1). `agents_only`: only agents may give it.

    `asks` names the fields that the customers' form shows for it.
    """

    keywords: Words = ()
    agents_only: bool = False
    asks: Annotated[tuple[AskedField, ...], BeforeValidator(as_tuple)] = ()


class Priority(CustomerTerm):
    """A priority. The playbook lists priorities by rank, the most urgent first.

    `urgency` is what the customers' form calls it; its label unless given.
    """

    colour: str = "grey"
    promise: Text | None = None
    urgency: Text | None = None


class Vague(Section):
    """A6, E2: the question about a vague request, and its recipient.

    The customer is asked at most `times` times. The first question is `question`, later ones are
    `again`, so that no question is repeated (E10). Requests that are still unclear afterwards, and
    those with `ask: supervisor`, go to the supervisors.
    """

    unless_mentions: Words = ()
    question: Text
    again: Text | None = None
    ask: Literal["agent", "customer", "supervisor"] = "agent"
    times: int = Field(default=2, ge=1, le=3)


class Tag(CustomerTerm):
    """A2: a preset tag and its keywords."""

    keywords: Words = Field(min_length=1)
    type: str | None = None
    vague: Vague | None = None


class Condition(Section):
    """A condition: every key that is set must match; within a list, one entry is enough."""

    mentions: Words = ()
    type: Names = ()
    tags: Names = ()
    priority: Names = ()
    customer_class: Names = ()
    channel: Names = ()
    mood: Names = ()
    product: Words = ()
    queue: Annotated[tuple[Queue, ...], BeforeValidator(as_tuple)] = ()
    approved: bool | None = None
    amount_over: Amount | None = None
    score_below: int | None = None


class Effect(Section):
    """The changes that a rule or step makes to a ticket's classification.

    `product` names the product line (D7); the first rule that names one wins. The customer's own
    name of the product is kept beside it.
    """

    priority: str | None = None
    raise_by: int = Field(default=0, ge=0, le=5)
    lower_by: int = Field(default=0, ge=0, le=5)
    type: str | None = None
    add_tags: Names = ()
    mood: str | None = None
    product: Word | None = None


class Rule(Section):
    """A classification rule. Rules apply in order, each to the result of those before it."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    when: Condition
    then: Effect


class Needs(Section):
    """D7, B5: what an agent must cover to be assigned: skills, product line, language."""

    skills: Names = ()
    product: bool = False
    language: bool = False


class Destination(Section):
    """A5, A7, B5: a team that tickets are routed to; the first match wins.

    With `queue: collect` no agent is assigned: the ticket waits with similar ones until a member of
    the team takes it (E3). `otherwise` applies while no suitable agent is free: the ticket waits
    for the team, or a supervisor assigns it (D7).
    """

    when: Condition = Field(default_factory=Condition)
    team: str
    queue: Literal["team", "supervisor", "collect"] = "team"
    needs: Needs = Field(default_factory=Needs)
    otherwise: Literal["wait", "supervisor"] = "wait"


class CustomerClass(Section):
    """A class of customers, by the customer ids that channels give (a final `*` is a wildcard).

    Tickets of a class that `comes_first` precede others where `assignment.order` says `vip` (A5).
    """

    customer_ids: Names = ()
    comes_first: bool = False


class Team(Term):
    """A group of agents. Notifications to the team go to `mailbox`."""

    mailbox: str | None = None
    role: Literal["agent", "supervisor", "qa"] = "agent"


class Assignment(Section):
    """The choice of a free agent, the order of waiting tickets, and the end of a shift."""

    capacity: int = Field(default=5, ge=1, le=500)
    order: tuple[Literal["vip", "priority", "age"], ...] = ("priority", "vip", "age")
    prefer: Literal["longest_idle", "least_loaded"] = "longest_idle"
    end_of_shift: Literal["keep", "team", "supervisor"] = "keep"


DESK_NAME = "[a-z][a-z0-9-]{1,30}"
"""The form of a desk's name, as a regular expression."""


class TimerNotification(Section):
    """A notification: the recipient and the key of the message."""

    to: Recipient
    message: str


class TimerEffects(Section):
    """The consequences of a warning or a breach."""

    tell: tuple[TimerNotification, ...] = ()
    queue: Literal["team", "supervisor"] | None = None
    team: str | None = None
    raise_by: int = Field(default=0, ge=0, le=5)
    repeat_every: Wait | None = None


OneOrEach = Annotated[
    Annotated[dict[str, Wait], Branch("[each]")] | Annotated[Wait, Branch("[one]")],
    # Choosing the branch first makes an error speak of the intended one.
    Discriminator(lambda value: "[each]" if isinstance(value, Mapping) else "[one]"),
]
"""One duration, or one per priority."""


class TimerRule(Section):
    """A kind of deadline: what starts, stops and pauses it, its length and its consequences.

    `start`, `stop` and `cancel` name event types or the desk's steps (`step:accept`). An event of
    `stop` is what the timer waits for; one of `cancel` ends it unmet, and does not start it.
    `pause_in` names statuses. `within` is the allowance. `until` names a field of the step that
    starts the timer; the time in that field replaces the allowance. The clock is `always` or
    `business` (the desk's opening hours). `warn_at` lists shares of the allowance, e.g. 0.8.

    An `appointment` is a time at which something is due to happen by itself (E6). Reaching it is
    not a breach: the timer is `met`, or runs on to its next time if it repeats.

    `task` names the team that has to do what the timer waits for; it finds the ticket among its
    tasks (D4).
    """

    start: Names
    stop: Names = ()
    cancel: Names = ()
    pause_in: Names = ()
    within: OneOrEach
    until: str | None = None
    clock: Literal["always", "business"] = "always"
    warn_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    on_warning: TimerEffects = Field(default_factory=TimerEffects)
    on_breach: TimerEffects = Field(default_factory=TimerEffects)
    appointment: bool = False
    task: Recipient | None = None
    when: Condition = Field(default_factory=Condition)

    def allowance(self, priority: str) -> timedelta:
        return self.within if isinstance(self.within, timedelta) else self.within[priority]


class ReplyTemplate(Section):
    """A9, E4: a reply that agents are offered, in consecutive parts.

    `moods` replaces parts according to the customer's mood (E9, B13).
    """

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    when: Condition = Field(default_factory=Condition)
    parts: dict[str, Text]
    moods: dict[str, dict[str, Text]] = {}
    article: str | None = None


class TemplateArticle(Section):
    """A9: the solution that a template quotes, unless the knowledge base has it (`knowledge`)."""

    title: Text
    solution: Text


class Message(Section):
    """A message that Deskbell sends. `sms` is its short form; without it `text` is used.

    `agents_only`: it is only about tickets that an agent entered, so it may quote the request.
    """

    subject: Text
    text: Text
    sms: Text | None = None
    agents_only: bool = False


class NotificationRule(Section):
    """The message about an event for one recipient; the first match of both wins."""

    on: str
    to: Recipient
    message: str
    when: Condition = Field(default_factory=Condition)


class Review(Section):
    """A13, B9, E7: the consequence of a poor score.

    `then: review` lets the team call the customer back and record the cause.
    `then: second_handling` reopens the ticket one level up, with the customer's reason.
    """

    below: int
    team: str
    within: Wait
    then: Literal["review", "second_handling"] = "review"


class SurveyWord(Term):
    """A word that customers rate with, and its score."""

    score: int


class Survey(Section):
    """A12, A13: the survey after resolution.

    `words` holds words for scores, best first, for desks that ask in words.
    """

    scores: tuple[int, int] = (1, 5)
    words: dict[str, SurveyWord] = {}
    wait: Wait
    review: Review


class Confirmation(Section):
    """C10, D13: the question to the customer whether the problem is solved.

    `solved` follows a yes: the survey, a call-back by `team`, or the archive. A score without a yes
    or a no is an answer where the survey is all that follows. `within` ends a
    call-back that did not happen: the ticket is archived without it. (The deadline of the call is
    a timer, `timers.callback`.) `unsolved` names who continues after a no: the handler, the team or
    a more senior agent.
    """

    solved: Literal["survey", "callback", "archive"] = "survey"
    unsolved: Literal["handler", "team", "senior"] = "team"
    team: str | None = None
    within: Wait | None = None


RequestField = Literal["description", AskedField]
"""The fields of a request that can fill in a step's field."""


class StepField(Term):
    """A field that is filled in with a step.

    `required_with` names values of the step's other fields with which the field is required too;
    `*` is any value.
    A time with `future` is ahead, by a year at most. `from_request` names the fields of the request
    that the agent's form is filled in with (D4).
    A choice without a label is that of the team of its name. Customers see the field, on their page
    and in messages, only with `customer_sees`.
    """

    kind: StepFieldKind = "text"
    choices: Choices = {}
    required: bool = True
    required_with: dict[Identifier, str] = {}
    max: int = Field(default=500, ge=1, le=4000)
    future: bool = False
    from_request: Annotated[tuple[RequestField, ...], BeforeValidator(as_tuple)] = ()
    customer_sees: bool = False

    @property
    def holds(self) -> Holds:
        """The mark of the field's text (`privacy`); times and choices have a form."""
        return STEP_FIELD_HOLDS[self.kind]


class Approval(Section):
    """C9: the step waits for a supervisor's approval, always or above an amount."""

    field: str | None = None
    over: Amount = Decimal(0)


class Step(CustomerTerm):
    """D8-D11, B2, B6, E5: an action that the desk defines, with its fields.

    `source` names the statuses in which agents may take it, `to` the status it leads to (absent:
    the status stays). `by` names the roles that may take it. Members of `teams` may take it on any
    ticket: the warehouse answers, an agent reviews an engineer's ticket (D4, D9). With
    `customer_sees` the step appears in the customer's timeline, by its `customer_label`. With
    `resolves` it also resolves the ticket; the field of that name is the summary. With `responds`
    it counts as the first response, as a call to the customer does (E3). `then` changes the
    ticket's classification (E6); its `priority` never lowers one.

    `asks` names the department to which the step sends a slip: `team:` with a team, or `field:`
    with the field that names it. Only that department and supervisors may take a step that
    `answers` it; its `to` applies while the ticket waits for the department (B6, D9, E5). With
    `calls` the step is a call to the customer: until the first response the handler may open the
    number for it, and it tells what waited for a call, unless a field has one of the values
    `not_reached` (B8, E3).
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
    asks: Recipient | None = None
    answers: Names = ()
    calls: bool = False
    not_reached: Names = ()
    then: Effect = Field(default_factory=Effect)
    approval: Approval | None = None


class Playbook(Section):
    """All rules of a desk."""

    desk: str = Field(pattern=f"^{DESK_NAME}$")
    name: Text
    locale: Locale = "zh-CN"
    public_url: PublicUrl | None = None
    calendar: dict[str, Any]
    number: Numbering
    fields: Fields = Field(default_factory=Fields)
    privacy: PrivacyNotice | None = None
    mail: Mail
    files: FileRules = Field(default_factory=FileRules)
    sms_sender: str = ""
    sms_signature: Signature | None = None
    sms_opt_out: Text | None = None
    sms: Sms = Field(default_factory=Sms)
    unproven_tickets: UnprovenTickets = Field(default_factory=UnprovenTickets)
    types: dict[str, Type] = Field(min_length=1)
    default_type: str
    priorities: dict[str, Priority] = Field(min_length=1)
    default_priority: str
    tags: dict[str, Tag] = {}
    unclear: Vague | None = None
    negations: Negations = Field(default_factory=Negations)
    customer_classes: dict[str, CustomerClass] = {}
    rules: tuple[Rule, ...] = ()
    mood_by_examples: MoodByExamples | None = None
    teams: dict[str, Team] = Field(min_length=1)
    routing: tuple[Destination, ...] = Field(min_length=1)
    assignment: Assignment = Field(default_factory=Assignment)
    statuses: dict[str, CustomerTerm]
    timers: dict[str, TimerRule] = {}
    templates: tuple[ReplyTemplate, ...] = ()
    articles: dict[str, TemplateArticle] = {}
    messages: dict[str, Message] = {}
    notifications: tuple[NotificationRule, ...] = ()
    webhooks: dict[Slug, Webhook] = {}
    survey: Survey
    endings: Endings = Field(default_factory=Endings)
    assistant: Assistant | None = None
    language_model: LanguageModel | None = None
    confirmation: Confirmation | None = None
    steps: dict[Slug, Step] = {}
    records: Records = Field(default_factory=Records)
    reports: Reports = Field(default_factory=Reports)
    reopen_within: Duration = timedelta(days=14)
    closed_reply: Literal["reopen", "linked"] = "reopen"
    retention: Retention = Field(default_factory=Retention)

    @classmethod
    def stored(cls, document: str | bytes) -> Self:
        """Read a playbook that was checked before it was stored as JSON, by this or older code.

        Raises:
            PlaybookError: the document is invalid; the message names the keys.
        """
        try:
            return cls.model_validate(upgraded(json.loads(document)))
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
                for problem in error.errors(include_url=False)
            )
            raise PlaybookError(f"stored playbook: {problems}") from error
        except json.JSONDecodeError as error:
            raise PlaybookError(f"stored playbook: not JSON: {error}") from error

    @cached_property
    def hours(self) -> BusinessCalendar:
        """The desk's opening hours."""
        return BusinessCalendar.from_dict(self.calendar)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The desk's time zone, without building its calendar."""
        return ZoneInfo(str(self.calendar.get("timezone", "UTC")))

    @property
    def sms_countries(self) -> tuple[str, ...]:
        """The countries that text messages go to: those set, else the desk's own.

        The desk's own country is that of its holidays, else that of its time zone, and the one
        whose numbers customers may write without a country code.
        """
        holidays = self.calendar.get("holidays")
        own = holidays.get("country") if isinstance(holidays, dict) else None
        own = own or country_of_zone(str(self.calendar.get("timezone", "UTC")))
        countries = (str(own).upper(), PHONE_REGION) if own else (PHONE_REGION,)
        return self.sms.countries or tuple(dict.fromkeys(countries))

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Priority → rank, 0 the most urgent."""
        return {name: rank for rank, name in enumerate(self.priorities)}

    def choices(self, field: StepField) -> dict[str, Term]:
        """Return the choices of a step's field with their labels, those of teams included."""
        return {
            key: Term(label=label)
            if label
            else self.teams.get(key) or Term(label=dict.fromkeys(LOCALES, key))
            for key, label in field.choices.items()
        }

    @cached_property
    def shown_fields(self) -> frozenset[str]:
        """The fields of the desk's steps that customers may see."""
        fields = (entry for step in self.steps.values() for entry in step.fields.items())
        return frozenset(name for name, field in fields if field.customer_sees)

    @cached_property
    def public_contacts(self) -> tuple[str, ...]:
        """The desk's numbers and addresses, which stay readable in its own messages."""
        return (*self.fields.public_contacts, self.mail.address)

    def shifted(self, priority: str, by: int) -> str:
        """Return the priority `by` steps more urgent (less, if negative), within the scale."""
        names = list(self.priorities)
        return names[min(max(self.ranks[priority] - by, 0), len(names) - 1)]

    def team_of_role(self, role: str) -> str | None:
        return next((name for name, team in self.teams.items() if team.role == role), None)

    def team_or_last(self, team: str | None) -> str:
        """Return a team that the desk has, or that of its last destination.

        A ticket may be with a team that the playbook no longer has.
        """
        return team if team in self.teams and team else self.routing[-1].team

    def comes_first(self, customer_class: str | None) -> bool:
        """Return whether tickets of this customer class precede others (A5)."""
        known = self.customer_classes.get(customer_class or "")
        return known is not None and known.comes_first
