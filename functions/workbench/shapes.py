"""The shapes of JSON answers to agents (`core/text/shapes.py` explains them)."""

# ruff: noqa: UP013 - fields side by side: a class would take a line for each

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from functions.core.domain.calls import CallState, Direction, Speaker
from functions.core.domain.chat import Reason, Writer
from functions.core.domain.customers import IdentityKind, Proof
from functions.core.domain.knowledge import Audience, Origin
from functions.core.domain.playbook_types import Locale
from functions.core.domain.proposals import CorrectedField, Source as ProposalSource
from functions.core.domain.ticket import Queue, Status, TimerState
from functions.core.reports.cost_queries import CostsBy
from functions.core.text.shapes import FieldView, Filed, FileView, TextMessageView, Time

Channel = Literal["sms", "email", "message", "phone"]


DeskRole = TypedDict("DeskRole", {"role": str, "team": str | None})
"""The highest role of a person at a desk, and the team whose tickets the person gets."""

SignedInAgent = TypedDict("SignedInAgent", {"username": str, "desks": dict[str, DeskRole]})
"""The person who signed in, and the desks at which that person is active."""

Token = TypedDict("Token", {"token": str, "expires_at": Time})
"""A bearer token for the agents' calls, valid for 60 minutes."""


class Session(Token):
    """A session. The refresh token is valid for 12 hours."""

    refresh_token: str | None
    agent: SignedInAgent


Challenge = TypedDict("Challenge", {"challenge": Literal["SOFTWARE_TOKEN_MFA"], "session": str})
"""The account has an authenticator: send `session` and its `code` within three minutes."""

NewAuthenticator = TypedDict("NewAuthenticator", {"secret": str, "uri": str})
"""The secret of a new authenticator; apps read `uri` as a QR code."""

Enrolled = TypedDict("Enrolled", {"enrolled": Literal[True]})
"""The code was right; from now on signing in asks for one."""


class Entered(Filed):
    """A ticket that an agent entered; `warnings` say what is wrong with the contact, e.g. a
    landline, which gets no text messages."""

    warnings: list[str]


class PhoneCallView(TypedDict):
    """A phone call. `caller` is the customer's number, masked, null if it is withheld; `agent`
    whoever answered, as the call centre names them; `number` the ticket that has the call."""

    id: str
    state: CallState
    direction: Direction
    caller: str | None
    agent: str | None
    started_at: Time
    answered_at: Time | None
    ended_at: Time | None
    recorded: bool
    number: str | None


PhoneCallList = TypedDict("PhoneCallList", {"calls": list[PhoneCallView]})
"""The newest 30 phone calls of a desk, the last one first."""

TranscriptPart = TypedDict("TranscriptPart", {"speaker": Speaker, "text": str, "partial": bool})
"""A part of a transcript, masked; a `partial` one is replaced later."""

PrefilledTicket = TypedDict("PrefilledTicket", {
    "contact": str | None, "description": str, "channel": Literal["phone"],
})  # fmt: skip
"""The fields of a ticket that a phone call fills in, masked; the ticket gets them unmasked."""


class WholePhoneCall(PhoneCallView):
    """A phone call with its transcript."""

    transcript: list[TranscriptPart]
    ticket: PrefilledTicket


Recording = TypedDict("Recording", {"url": str})
"""The link to the recording of a phone call, at the call centre."""

CustomerView = TypedDict("CustomerView", {
    "name": str, "contact": str, "kind": Literal["phone", "email", "message"], "id": str | None,
    "class": str | None, "claimed_class": str | None, "preferred_channel": Channel | None,
    "undeliverable": str | None,
})  # fmt: skip
"""The customer, masked. `id` is as the channel gave it; in a form or a chat anybody may have typed
it. `claimed_class` is a hint: nobody has proven it. `undeliverable` says why no mail is sent."""

TaskView = TypedDict("TaskView", {"kind": str, "assignee": str, "due_at": Time | None})
"""A task of somebody (`agent:…`, `team:…` or `role:…`) beside handling the ticket: `callback`,
`call`, `slip`, `review`, `approval`."""

DueView = TypedDict("DueView", {"kind": str, "at": Time})
"""The timer that is due first, overdue ones too, and its deadline."""

SummaryView = TypedDict("SummaryView", {
    "number": str, "version": int, "title": str | None, "status": Status,
    "status_label": str, "type": str, "type_label": str, "tags": list[str], "priority": str,
    "priority_label": str,
    "priority_colour": str | None, "urgency": str | None, "mood": str | None,
    "proposed_type": str | None, "queue": Queue, "team": str | None, "handler": str | None,
    "handler_name": str, "reviewer": str | None, "channel": str, "locale": Literal["zh-CN", "en"],
    "level": int, "customer": CustomerView, "contact_proven": bool, "contact_reachable": bool,
    "contact_problem": str | None, "received_at": Time, "updated_at": Time,
    "assigned_at": Time | None, "expected_response_by": Time | None,
    "expected_resolution_by": Time | None, "first_response_at": Time | None,
    "resolved_at": Time | None, "due_next": DueView | None, "archived_at": Time | None,
    "summary": str | None,
    "score": int | None, "merged_into": str | None, "carries": list[str], "tasks": list[TaskView],
    "actions": list[str],
})  # fmt: skip
"""A ticket in a list. `title` is its subject or first words, masked. `proposed_type` is the type
that a later message suggests, `carries` are the tickets that were merged into this one, `actions`
what the caller may do now."""


class ListedTicket(SummaryView):
    """A ticket of a queue or a search; `found` is the masked text around what a search found."""

    found: str | None


TicketList = TypedDict("TicketList", {"tickets": list[ListedTicket], "cursor": str | None})
"""A page of 50 tickets; `cursor` is that of the next page, null on the last one."""

EntryView = TypedDict("EntryView", {
    "at": Time, "event": str, "label": str, "actor": str, "version": int, "sealed": bool,
    "details": dict[str, Any], "fields": NotRequired[list[FieldView]],
})  # fmt: skip
"""An event of the ticket. `sealed`: its text was masked, and `open-original` opens it."""

MessageView = TypedDict("MessageView", {
    "direction": Literal["in", "out"], "channel": str, "text": str, "at": Time,
    "delivery": str | None, "event": str, "actor": str, "version": int, "number": str,
    "sealed": NotRequired[bool], "by_another": NotRequired[str | None],
    "by_submitter": NotRequired[bool], "reason": NotRequired[str], "parts": NotRequired[int],
})  # fmt: skip
"""A message of the customer or the desk, or an automatic one. `delivery` is null for what came
in, and `waiting` for a text that waits for a call; `reason` says why it was not delivered, `parts`
how many parts a text message has. `by_another` is the masked address of another writer."""

TimerView = TypedDict("TimerView", {
    "kind": str, "state": TimerState, "due_at": Time | None, "left_seconds": int | None,
    "provisional": bool,
})  # fmt: skip
"""A timer; `left_seconds` while it is paused. `provisional`: the deadline lies in a year whose
official holidays are not published yet."""

SuggestionView = TypedDict("SuggestionView", {"text": str, "article": str | None})
"""The draft of an answer."""

StepFieldView = TypedDict("StepFieldView", {
    "name": str, "label": str, "kind": str, "choices": list[str], "choice_labels": dict[str, str],
    "required": bool, "required_with": dict[str, str], "max": int, "customer_sees": bool,
    "future": bool, "value": str,
})  # fmt: skip
"""A field that a step takes, and the `value` that is known already."""

StepView = TypedDict("StepView", {
    "action": str, "label": str, "to": str | None, "fields": list[StepFieldView],
    "attachments": bool, "customer_sees": bool, "approval": dict[str, Any] | None,
})  # fmt: skip
"""One of the desk's own steps that the caller may take now."""

PendingView = TypedDict("PendingView", {
    "step": str, "label": str, "fields": dict[str, str], "by": str,
})  # fmt: skip
"""The step that waits for a supervisor's approval."""

SourceView = TypedDict("SourceView", {"event": str, "number": str, "version": int})
"""The address of a file."""


class SourcedFile(FileView, SourceView):
    """A file of the ticket, or of one that was merged into it."""


class RefusedFileView(SourceView):
    """A file that was not accepted; only the original mail holds it."""

    name: str
    size: int
    reason: str


OtherTicket = TypedDict("OtherTicket", {
    "number": str, "status": Status, "status_label": str, "type": str, "type_label": str,
    "received_at": Time, "score": int | None, "same_customer": bool,
})  # fmt: skip
"""Another ticket of the same contact; of the `same_customer` if both have proven it."""


JoinView = TypedDict("JoinView", {
    "join": int, "proof": Proof, "at": Time, "brought": list[str],
    "undone_at": Time | None, "undone_by": str | None, "reason": str | None,
})  # fmt: skip
"""A proof that joined identities, by its number; an undone one says who undid it, and why."""

IdentityView = TypedDict("IdentityView", {"kind": IdentityKind, "shown": str})
"""A contact, a provider's id or the company's id of a customer, masked."""

CustomerRecordView = TypedDict("CustomerRecordView", {
    "id": str, "identities": list[IdentityView], "joins": list[JoinView],
})  # fmt: skip
"""One customer across channels."""

ChatLineView = TypedDict("ChatLineView", {"from": Writer, "text": str, "at": Time})
"""A message of a chat before the hand-over."""

ChatArticleView = TypedDict("ChatArticleView", {"id": str, "title": str})
"""An article that the assistant took a question to be about."""

ChatView = TypedDict("ChatView", {
    "id": str, "reason": Reason, "reason_label": str, "articles": list[ChatArticleView],
    "values": dict[str, str], "messages": list[ChatLineView],
})  # fmt: skip
"""The chat that became this ticket: why a person was needed, what the assistant saw, asked and
looked up, and all that was said."""

ModelSummaryView = TypedDict("ModelSummaryView", {
    "text": str, "version": int, "at": Time, "model": str,
})  # fmt: skip
"""A language model's summary of the ticket's first `version` versions, for the next handler."""


class TicketView(SummaryView):
    """A ticket with its conversation, the last 20 versions of it: `before` is that of the page with
    earlier ones, null on the first page. `question` is what the customer was asked and has not
    answered; `privacy_version` is that of the notice that the customer agreed to; `rules` are those
    of the playbook that classified the ticket; `facts` the latest value of each field of the desk's
    own steps; `records` the numbered handling record; `sms` is null unless the customer gets text
    messages; `goes_on_as` the ticket that this one was merged into; `model_summary` is there once
    somebody asked for it.
    """

    question: str | None
    description: str
    subject: str | None
    product: dict[str, str | None] | None
    proof_of_purchase: str | None
    order: str | None
    since: str | None
    environment: str | None
    attempted: str | None
    entered_by: str | None
    privacy_version: str | None
    chat: ChatView | None
    timeline: list[EntryView]
    messages: list[MessageView]
    timers: list[TimerView]
    suggestion: SuggestionView
    rules: list[str]
    steps: list[StepView]
    facts: dict[str, str]
    pending: PendingView | None
    records: list[dict[str, Any]]
    attachments: list[SourcedFile]
    refused: list[RefusedFileView]
    related: list[str]
    before: int | None
    history: list[str]
    preferred_channel: Channel | None
    customer_record: CustomerRecordView | None
    other_tickets: list[OtherTicket]
    sms: NotRequired[TextMessageView | None]
    goes_on_as: NotRequired[str]
    model_summary: NotRequired[ModelSummaryView]


OpenedOriginal = TypedDict("OpenedOriginal", {
    "number": str, "version": int, "original": dict[str, str],
})  # fmt: skip
"""The original of a message: the text of each masked field."""

OpenedContact = TypedDict("OpenedContact", {
    "number": str, "version": int, "contact": str, "shown_until": Time,
})  # fmt: skip
"""The customer's whole contact; hide it at `shown_until`."""

ModelTokens = TypedDict("ModelTokens", {"input": int, "output": int})
"""The tokens that a use of a language model is charged by."""

ModelCost = TypedDict("ModelCost", {"model": str, "tokens": ModelTokens, "cost_usd": float})
"""The cost of a use; nothing for a summary that had been made of this version before."""


class ModelText(ModelCost):
    """A text for an agent to check; `articles` are those that a draft is grounded in."""

    text: str
    articles: list[ChatArticleView]


class ModelPhrasings(ModelCost):
    """Proposed phrasings of an article; it gets those that somebody adds to it."""

    phrasings: list[str]


ArticleSummary = TypedDict("ArticleSummary", {
    "id": str, "version": int, "title": str, "solution": str, "audience": Audience,
    "state": Literal["draft", "published"], "current": bool, "author": str, "at": Time,
})  # fmt: skip
"""An article in a list, in the caller's language or in one that it has. `current`: it is published
and valid today; only supervisors and admins see others."""

ArticleList = TypedDict("ArticleList", {"articles": list[ArticleSummary], "version": int})
"""Articles, and the version of the knowledge base, which each change of an article raises."""

ValidityView = TypedDict("ValidityView", {"from": str | None, "until": str | None})
"""The first and the last day on which an article is valid."""

VersionView = TypedDict("VersionView", {"version": int, "author": str, "at": Time})
"""A version of an article: who wrote it when."""

ArticleView = TypedDict("ArticleView", {
    "id": str, "version": int, "title": dict[Locale, str], "asked": dict[Locale, list[str]],
    "solution": dict[Locale, str], "needs": dict[str, Origin],
    "then": Literal["answer", "hand_over"], "audience": Audience, "valid": ValidityView,
    "state": Literal["draft", "published"], "current": bool, "history": list[VersionView],
})  # fmt: skip
"""An article with its last 50 versions, newest first."""

QuestionView = TypedDict("QuestionView", {"id": str, "text": str})
"""A question and where it was asked: a ticket's number, or a chat and the message in it."""

ArticleProposalView = TypedDict("ArticleProposalView", {
    "id": str, "source": ProposalSource, "title": str, "article": str | None, "count": int,
    "share": float, "questions": list[QuestionView], "poor": dict[str, int],
    "types": dict[str, int],
})  # fmt: skip
"""`count` questions of like meaning, a `share` of those that were looked at: phrasings for
`article`, or a new article. `poor` counts those whose answer was rated poor, by article."""

RuleProposalView = TypedDict("RuleProposalView", {
    "id": str, "field": CorrectedField, "was": str | None, "value": str, "words": list[str],
    "corrected": int, "changes": int, "right": int, "numbers": list[str], "rule": dict[str, Any],
})  # fmt: skip
"""Agents changed the type from `was` to `value`, or added the tag `value`, on `corrected` tickets.
The `rule` would have changed `changes` requests of the last month, `right` of them as agents did;
`numbers` has the newest others."""

DecisionView = TypedDict("DecisionView", {
    "id": str, "source": ProposalSource, "accepted": bool, "by": str, "at": Time, "count": int,
    "article": str | None, "phrasings": int, "before": float | None, "after": float | None,
    "helped": float | None,
})  # fmt: skip
"""A decision and its effect: the share of questions that ended without a person in the fortnight
`before` and `after`, and the share of the proposal's own questions that its article answers, or is
offered for, now (`helped`)."""

MadeView = TypedDict("MadeView", {"at": Time, "since": Time, "seen": int})
"""The time at which proposals were made, from `seen` questions or requests `since` a time."""

ProposalsView = TypedDict("ProposalsView", {
    "articles": list[ArticleProposalView], "rules": list[RuleProposalView],
    "decisions": list[DecisionView], "made": dict[str, MadeView],
})  # fmt: skip
"""The proposals for articles and rules that are undecided, and the decisions about others."""

AgentTimeView = TypedDict("AgentTimeView", {"minutes": float, "amount": float})
"""The minutes of agents and their cost at the playbook's rate."""

PartsCostView = TypedDict("PartsCostView", {"used": dict[str, int], "amount": float})
"""The parts that were written down, and what they cost."""

CostLineView = TypedDict("CostLineView", {
    "key": str, "units": dict[str, float], "usd": float, "agent": AgentTimeView,
    "parts": PartsCostView, "compensation": float, "total": float,
})  # fmt: skip
"""The costs of a desk, channel, ticket or day; `key` is empty for what belongs to none. `units` are
quantities by price name and `usd` their list price; the other amounts are in the currency."""

CostsView = TypedDict("CostsView", {
    "desk": str, "from": str, "to": str, "by": CostsBy, "currency": str, "usd_rate": float,
    "region": str, "prices_of": str, "unpriced": list[str], "lines": list[CostLineView],
    "sum": CostLineView, "remainder": float | None,
})  # fmt: skip
"""The costs of a desk's days. `prices_of` is the region whose list prices were taken. `unpriced`
are units and parts without a price, which count nothing. `remainder` is null: only
`deskbell costs --bill` has a bill to compare with."""
