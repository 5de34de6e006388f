"""Build the description of the API (OpenAPI 3.1) from its routes and from what they declare.

Paths, media types and sign-in come from the routes, bodies from the models that check them, actions
from their commands, answers from the shapes that the views return, errors from their exceptions,
webhooks from the events. `CALLS` adds what a route does not say; a test fails for a route without
an entry. `python -m infra.docs.generated` writes the description beside the route that serves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from functions.assistant import shapes as assistant
from functions.assistant.calls import (
    NewChat,
    NewChoice,
    NewRating,
    NewVerification,
    NewWords,
    Nothing,
)
from functions.core.channels import base as channels
from functions.core.deliver.sms import REGISTERING
from functions.core.domain import errors as e
from functions.core.domain.commands import ACTIONS, agent_actions
from functions.core.domain.commands.steps import StepBody
from functions.core.domain.events import EVENTS
from functions.core.domain.playbook_types import SLUG
from functions.core.domain.ticket import STATUSES, Ticket
from functions.core.domain.webhook_message import INTERNAL_FIELDS, TICKET_FIELDS
from functions.core.domain.webhooks import event_of_type
from functions.core.platform.web import MAX_IDEMPOTENCY_KEY, VERSION, Busy, chalice_error, problem
from functions.core.reports import board as boards, report as reports
from functions.core.reports.cost_queries import CostsBy
from functions.core.reports.periods import KINDS
from functions.core.services.agent_actions import WITHOUT_KEY
from functions.core.services.create_ticket import NewTicket
from functions.core.storage.reports import LISTED
from functions.core.text import shapes as common
from functions.core.text.search import MAX_QUERY
from functions.intake.mail_routing import RoutedMail
from functions.portal import shapes as portal
from functions.portal.submissions import NewConfirmation, NewMessage, NewScore
from functions.workbench import session, shapes as workbench
from functions.workbench.articles import EditedArticle
from functions.workbench.calls import NewUpload, Presence
from functions.workbench.costs import MOST_DAYS
from functions.workbench.customers import SeparateCustomer
from functions.workbench.model_calls import NewDraft, NewPhrasings, NewSummary
from functions.workbench.proposals import NewDecision
from functions.workbench.queues import QUEUES
from functions.workbench.report_routes import XLSX
from infra.docs.schemas import REF, Schema, Schemas, document_shapes, for_readers

FILE = Path(portal.__file__).with_name("openapi.json")
EXAMPLES = Path(__file__).with_name("webhook_examples.json")
"""A message of each type; `tests/notify/test_webhook_dispatch.py` writes and checks it."""

ACT = "/agent/desks/{desk}/tickets/{number}/{action}"
NOT_CALLS = frozenset(
    {
        "desk_page",
        "page_of_desk",
        "sign_in_page",
        "workbench_page",
        "static_file",
        "chat_page",
        "embed_script",
    }
)
"""Routes of pages and their files, and those that say that there is nothing at an address."""

Refusals = tuple[type[e.Refused], ...]


class UnsupportedMediaType(e.Refused, status=415, title="Unsupported Media Type"):
    """The route does not take a body of this type; Chalice says so."""


_WRONG = (e.FieldError("text", "this field is required"),)
_EXAMPLES = (
    e.InvalidInput("Some fields are invalid.", _WRONG),
    e.Unauthorised("Sign in with POST /session and send its token as a bearer token."),
    e.Forbidden("Your role may not do this."),
    e.NotFound("There is no such ticket, or the link is not complete."),
    e.ActionNotAllowed("reply is not possible while the ticket is Closed.", ("note", "reopen")),
    e.StaleVersion("The ticket has changed since version 4; it is at version 5."),
    e.StaleArticle("The article has changed since version 4; it is at version 5."),
    e.AlreadyAnswered("This request has been rated already."),
    session.NewPasswordRequired("This account needs a new password before it can be used."),
    e.TooLarge("A body may have 256 KiB at most."),
    UnsupportedMediaType(chalice_error(415).detail),
    e.KeyReused("This Idempotency-Key was used before with another body."),
    e.TooManyAttempts("Too many attempts. Wait a minute and try again."),
    e.BudgetSpent("The day's budget for the language model is spent until 2026-03-11 00:00."),
    e.ModelUnavailable("The language model gave no text. Everything works without it."),
    Busy("This cannot be done right now. Please try again in a moment."),
)


def _query(name: str, description: str, **schema: Any) -> Schema:
    shape = {"type": "string", **schema}
    return {"name": name, "in": "query", "description": description, "schema": shape}


_KEY = _query("key", "The secret of a link to the ticket.")
_CONTACT = _query("contact", "Instead: the last four digits of the phone number, at some desks.")
_LANG = _query("lang", "The language of labels, `zh-CN` or `en`, before `Accept-Language`.")
_BEFORE = _query("before", "Only versions before this one.", pattern=f"^{VERSION}$")
_PAGE = (_LANG, _BEFORE)
_DAY = {"pattern": r"^(\d{4}-\d{2}-\d{2})?$"}
_QUEUE = (
    _query("queue", "`mine` unless given; not in a search.", enum=list(QUEUES)),
    _query("status", "Only tickets in this status.", enum=list(STATUSES)),
    _query("q", "Search: words, numbers, a contact's last four digits.", maxLength=MAX_QUERY),
    _query("tag", "Search: only tickets with this tag."),
    _query("from", "Search: only tickets received on this day of the desk or later.", **_DAY),
    _query("to", "Search: only tickets received on this day of the desk or before.", **_DAY),
    _query("cursor", "The `cursor` of the page before."),
    _LANG,
)
_COSTS = (
    _query("from", f"The first day of the desk; {MOST_DAYS} days at most.", **_DAY),
    _query("to", "The last day; by default this month up to today.", **_DAY),
    _query("by", "What a line is about; `desk` unless given.", enum=list(get_args(CostsBy))),
    _LANG,
)
_QUERY = _query("query", "Words of the question; all articles unless given.", maxLength=2000)
_BEHIND = (
    _query("tickets", "Instead: the tickets behind this figure, as JSON or CSV.", enum=LISTED),
    _query("cursor", "The `cursor` of the page before."),
    _LANG,
)
_AFTER = _query("after", "Only messages after the one of this id.", maxLength=20)
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repetition harmless: it gets the first answer, for 400 days.",
    "schema": {"type": "string", "maxLength": MAX_IDEMPOTENCY_KEY},
}
_SIGNATURE = [
    {"name": f"webhook-{part}", "in": "header", "required": True,
     "schema": {"type": "string", "minLength": 1}}
    for part in ("id", "timestamp", "signature")
]  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A call at a method and path; `CALLS` has what its route does not say.

    Attributes:
        answers: status → the shape of a JSON answer, or the media type of another one.
        takes: the shapes of bodies, or a media type.
        refuses: the errors beside those of every call.
        sends: parameters in query and headers.
        opened_by: the security scheme whose token the call needs.
    """

    summary: str
    answers: Mapping[int, Any]
    takes: tuple[Any, ...] = ()
    refuses: Refusals = ()
    sends: Sequence[Schema] = ()
    name: str = ""
    method: str = ""
    path: str = ""
    media: Sequence[str] = ()
    tag: str = ""
    opened_by: str = ""


_SIGNED_IN: Refusals = (e.Unauthorised, e.Forbidden, e.NotFound)
_ACTS: Refusals = (*_SIGNED_IN, e.ActionNotAllowed, e.StaleVersion)
_SIGNED: Refusals = (e.Unauthorised, e.NotFound)
_BY_LINK: Refusals = (e.Forbidden, e.NotFound, e.ActionNotAllowed)
_ACCOUNT: Refusals = (e.Unauthorised, session.NewPasswordRequired)
_WRITTEN_BY_MODEL: Refusals = (
    *_SIGNED_IN, e.ActionNotAllowed, e.BudgetSpent, e.ModelUnavailable,
)  # fmt: skip
_BY_TOKEN: Refusals = (e.Unauthorised, e.NotFound)
_CHAT = {200: assistant.ChatMessages}
_WRITTEN = {200: portal.Changed, 303: "text/html"}

# fmt: off
CALLS: Mapping[str, Operation] = {
    "create_ticket": Operation(
        "File a request. While there are more of them than the desk takes, it waits (202).",
        {201: common.Filed, 202: common.Held}, (NewTicket,), (e.NotFound,), [_IDEMPOTENCY]),
    "webhook": Operation(
        "File a request from your own system, signed by Standard Webhooks. A repeated `webhook-id` "
        "gets the first answer.", {201: common.Filed}, (NewTicket,), _SIGNED, _SIGNATURE),
    "mime": Operation(
        "Take a raw mail from a mail provider, signed by Standard Webhooks.",
        {202: (RoutedMail, common.Held)}, ("message/rfc822",), _SIGNED, _SIGNATURE),
    "sms_reports": Operation(
        "Take delivery reports of a provider of text messages; the answer is what it expects.",
        {200: dict[str, Any]}, ("application/json",), _SIGNED,
        (_query("provider", "`aliyun` or `tencent`.", enum=list(REGISTERING)),
         _query("key", "The secret that `deskbell sms set` prints."))),
    "get_channel": Operation(
        "Answer a chat provider's check of the address.", {200: "text/plain"}, (), _SIGNED),
    "post_channel": Operation(
        "Take messages of a chat provider, signed as it signs.", {200: "*/*"}, ("*/*",), _SIGNED),
    "ticket_status": Operation(
        "Show the status of a ticket: JSON, or the page for `Accept: text/html`.",
        {200: (portal.StatusView, "text/html")}, (), (e.InvalidInput, e.NotFound),
        (_KEY, _CONTACT, *_PAGE)),
    "customer_message": Operation(
        "Add a customer's message, at most 30 an hour by one link.",
        {201: portal.Changed, 303: "text/html"}, (NewMessage,), (e.NotFound, e.ActionNotAllowed),
        (_KEY, _LANG, _IDEMPOTENCY)),
    "customer_confirmation": Operation(
        "Say whether the problem is solved, by a customer link.",
        _WRITTEN, (NewConfirmation,), _BY_LINK, (_KEY, _LANG)),
    "customer_survey": Operation(
        "Rate the solution once, by a customer link.",
        _WRITTEN, (NewScore,), (*_BY_LINK, e.AlreadyAnswered), (_KEY, _LANG)),
    "short_link": Operation(
        "Follow the short link of a text message to the customer's page.",
        {302: "text/html"}, (), (e.NotFound,)),
    "api_description": Operation("Describe this API (OpenAPI 3.1).", {200: dict[str, Any]}),
    "begin_chat": Operation(
        "Begin a chat with the desk's assistant: its token opens it, and the welcome.",
        {201: assistant.ChatBegun}, (NewChat,), (e.NotFound, e.TooManyAttempts)),
    "write_in_chat": Operation(
        "Write in a chat: the assistant answers or offers articles, or a person takes over; after "
        "that the words go to the ticket.", _CHAT, (NewWords,), _BY_TOKEN, [_IDEMPOTENCY],
        opened_by="chat"),
    "read_chat": Operation(
        "Read what is new in a chat; after the hand-over what agents write, too.",
        _CHAT, (), _BY_TOKEN, [_AFTER], opened_by="chat"),
    "choose_in_chat": Operation(
        "Choose an option of the last offer, or `none`.",
        _CHAT, (NewChoice,), (*_BY_TOKEN, e.ActionNotAllowed), [_IDEMPOTENCY], opened_by="chat"),
    "rate_in_chat": Operation(
        "Rate the last answer from 1 to 5; after a poor rating a person takes over.",
        _CHAT, (NewRating,), (*_BY_TOKEN, e.ActionNotAllowed), [_IDEMPOTENCY], opened_by="chat"),
    "verify_in_chat": Operation(
        "Verify a contact: with `contact` a code of 6 digits is sent to it, with `code` it "
        "is verified. A code is valid for 10 minutes and 5 attempts.",
        _CHAT, (NewVerification,),
        (*_BY_TOKEN, e.ActionNotAllowed, e.TooManyAttempts), [_IDEMPOTENCY], opened_by="chat"),
    "hand_over_chat": Operation(
        "Ask for a person.", _CHAT, (Nothing,), _BY_TOKEN, [_IDEMPOTENCY], opened_by="chat"),
    "open_session": Operation(
        "Sign in with name and password; with an authenticator, then answer the challenge.",
        {200: (workbench.Session, workbench.Challenge)},
        (session.Credentials, session.ChallengeAnswer), _ACCOUNT),
    "refresh_session": Operation(
        "Get a new token.", {200: workbench.Token}, (session.RefreshToken,), (e.Unauthorised,)),
    "enrol_authenticator": Operation(
        "Set up an authenticator: without `code` for its secret, then with the code that it shows.",
        {200: (workbench.NewAuthenticator, workbench.Enrolled)}, (session.Enrolment,),
        (*_ACCOUNT, e.ActionNotAllowed)),
    "list_tickets": Operation(
        "List a queue (docs/http.md has its roles), or search all tickets (docs/search.md).",
        {200: workbench.TicketList}, (), (e.InvalidInput, *_SIGNED_IN), _QUEUE),
    "enter_ticket": Operation(
        "Enter a request that came by phone or at the counter, or that the desk itself makes.",
        {201: workbench.Entered}, (NewTicket,), _SIGNED_IN, [_IDEMPOTENCY]),
    "show_ticket": Operation(
        "Show a ticket with its conversation.",
        {200: workbench.TicketView}, (), (e.InvalidInput, *_SIGNED_IN), _PAGE),
    "separate_customer": Operation(
        "Undo a join of a customer's contacts, by its number in the record. For supervisor, admin.",
        {200: workbench.CustomerRecordView}, (SeparateCustomer,), _SIGNED_IN),
    "list_articles": Operation(
        "Search the knowledge base, or list all of its articles.",
        {200: workbench.ArticleList}, (), (e.InvalidInput, *_SIGNED_IN), (_QUERY, _LANG)),
    "get_article": Operation(
        "Show an article with its history.", {200: workbench.ArticleView}, (), _SIGNED_IN),
    "put_article": Operation(
        "Write an article. `version` is the one that was edited, 0 for a new one: if the article "
        "has changed since, it stays as it is. For supervisor, admin.",
        {200: workbench.ArticleView}, (EditedArticle,), (*_SIGNED_IN, e.StaleArticle)),
    "list_proposals": Operation(
        "List what the desk could add to its articles and rules, made every night, and what was "
        "decided about it before. For supervisor, admin.",
        {200: workbench.ProposalsView}, (), _SIGNED_IN, (_LANG,)),
    "decide_proposal": Operation(
        "Accept a proposal, so that its questions become phrasings or a draft of an article, or "
        "dismiss it. For supervisor, admin.",
        {200: workbench.DecisionView}, (NewDecision,),
        (*_SIGNED_IN, e.ActionNotAllowed, e.StaleArticle)),
    "show_costs": Operation(
        "Show what the desk's work has cost: AWS's units at list price, agents' time, parts and "
        "compensation; JSON, or a file by `Accept`. For finance, admin (docs/costs.md).",
        {200: (workbench.CostsView, "text/csv", XLSX)}, (), (e.InvalidInput, *_SIGNED_IN),
        _COSTS),
    "write_phrasings": Operation(
        "Let the desk's language model propose more phrasings. Nothing is stored. For supervisor, "
        "admin.", {200: workbench.ModelPhrasings}, (NewPhrasings,), _WRITTEN_BY_MODEL),
    "show_board": Operation(
        "Show what waits, what is overdue, who is online, and the day so far. For qa, supervisor, "
        "admin.", {200: boards.BoardView}, (), _SIGNED_IN, (_LANG,)),
    "show_report": Operation(
        "Show the `daily`, `weekly` or `monthly` report of a period, such as 2026-11-28, 2026-W48 "
        "or 2026-11; by `Accept` as a file. For qa, supervisor, finance, admin.",
        {200: (reports.ReportView, reports.BehindList, "text/csv", XLSX)}, (),
        (e.InvalidInput, *_SIGNED_IN), _BEHIND),
    "set_presence": Operation(
        "Go online or offline: whether you get tickets. Going offline ends your shift.",
        {200: Presence}, (Presence,), _SIGNED_IN),
    "act": Operation(
        "Take one of the desk's own steps: its fields beside `version` and `attachments`.",
        {200: workbench.SummaryView}, (StepBody,), _ACTS, (_LANG, _IDEMPOTENCY)),
}
"""The name of a route's function (with its method, if it has several) → its call."""

_UPLOAD = Operation(
    "Ask where to put a file, which a later action names in `attachments`.",
    {201: common.OfferedUpload}, (NewUpload,), _SIGNED_IN, name="create_upload")
_BY_MODEL = (
    Operation(
        "Let the desk's language model draft a reply from articles. It is sent to nobody.",
        {200: workbench.ModelText}, (NewDraft,), _WRITTEN_BY_MODEL, name="draft"),
    Operation(
        "Let the desk's language model summarise the ticket for whoever takes it over. The summary "
        "of a version is made once.",
        {200: workbench.ModelText}, (NewSummary,), _WRITTEN_BY_MODEL, name="summary"),
)
# fmt: on

_OPENED = {"open-original": workbench.OpenedOriginal, "open-contact": workbench.OpenedContact}
_TAGS = {
    "assistant": "chats", "intake": "channels", "portal": "customers", "workbench": "agents",
}  # fmt: skip
_FROM = {
    "create_ticket": ("customers", "$response.body#/number"),
    "webhook": ("customers", "$response.body#/number"),
    "enter_ticket": ("agents", "$response.body#/number"),
    "list_tickets": ("agents", "$response.body#/tickets/0/number"),
}
"""Call → where its answer has the ticket's number, which calls with this tag take."""


def operations(routes: Mapping[str, Mapping[str, Any]]) -> Iterator[Operation]:
    """Yield every operation of an application's routes; the agents' actions have a path each.

    Raises:
        KeyError: a route has no entry in `CALLS`.
    """
    for path, methods in routes.items():
        for method, route in methods.items():
            name = route.view_name if len(methods) == 1 else f"{method.lower()}_{route.view_name}"
            name = name if name in CALLS else route.view_name
            if name in NOT_CALLS:
                continue
            at = partial(
                replace,
                method=method.lower(),
                media=route.content_types,
                tag=_TAGS[route.view_function.__module__.split(".")[1]],
                opened_by="token" if route.authorizer else CALLS[name].opened_by,
            )
            if path == ACT:
                yield from (at(each) for each in _actions())
            yield at(CALLS[name], name=name, path=path)


def _actions() -> Iterator[Operation]:
    step = CALLS["act"]
    for name, action in agent_actions().items():
        yield replace(
            step,
            summary=f"{action.label[1]}: {ACTIONS[name].action.meaning}. "
            f"For {', '.join(f'{role} ({scope})' for role, scope in action.rights.items())}.",
            answers={200: _OPENED.get(name, workbench.SummaryView)},
            takes=(action.body,),
            sends=[each for each in step.sends if each != _IDEMPOTENCY or name not in WITHOUT_KEY],
            name=name.replace("-", "_"),
            path=ACT.replace("{action}", name),
        )
    yield replace(_UPLOAD, path=ACT.replace("{action}", "attachments"))
    for call in _BY_MODEL:
        yield replace(call, path=ACT.replace("{action}", call.name))


def description(routes: Mapping[str, Mapping[str, Any]]) -> Schema:
    for module in (assistant, boards, common, portal, reports, workbench):
        document_shapes(module)
    found = list(operations(routes))
    schemas = Schemas()
    paths: dict[str, Schema] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method] = _operation(
            operation, schemas, found
        )
    hooks = {kind: _webhook(kind, event, schemas) for kind, event in event_of_type().items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deskbell",
            "version": "1",
            "summary": "A serverless help desk",
            "description": "Bodies are JSON in UTF-8, at most 256 KiB; unknown fields are refused. "
            "Fields may be added to answers, and none is taken away. docs/http.md explains links, "
            "queues and rights; docs/webhooks.md how to receive webhooks.",
        },
        "servers": [{"url": "./"}],
        "tags": [{"name": tag} for tag in _TAGS.values()],
        "paths": paths,
        "webhooks": hooks,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "chat": {"type": "http", "scheme": "bearer", "description": "A chat's own token."},
            },
            "examples": {
                type(refused).__name__: {"value": problem(refused, "en").body}
                for refused in _EXAMPLES
            },
            "schemas": schemas.used({"paths": paths, "webhooks": hooks}),
        },
    }


def _operation(call: Operation, schemas: Schemas, others: Iterable[Operation]) -> Schema:
    parameters = [_path_parameter(name) for name in re.findall(r"{(\w+)}", call.path)]
    described: Schema = {
        "operationId": call.name,
        "tags": [call.tag],
        "summary": call.summary,
        "parameters": [*parameters, *call.sends],
    }
    if call.takes:
        any_text = isinstance(call.takes[0], str)
        media = call.media if any_text else call.media[:1]  # not the page's own forms
        described["requestBody"] = {
            "required": any(map(_needs_fields, call.takes)),
            "content": {each: {"schema": schemas.of(call.takes, "validation")} for each in media},
        }
    answers = {str(status): _answer(status, call, schemas) for status in call.answers}
    if links := _links(call, others):
        answers[min(answers)]["links"] = links
    of_bodies = (e.InvalidInput, e.TooLarge, UnsupportedMediaType) if call.takes else ()
    refuses = {*call.refuses, *of_bodies, e.TooManyAttempts, Busy}
    refuses |= {e.KeyReused} if _IDEMPOTENCY in call.sends else set()
    described["responses"] = answers | _problems(refuses, call.tag == "customers")
    return described | ({"security": [{call.opened_by: []}]} if call.opened_by else {})


def _needs_fields(body: Any) -> bool:
    if body == "*/*":  # a chat provider's empty request is set aside, not refused
        return False
    is_model = isinstance(body, type) and issubclass(body, BaseModel)
    return not is_model or any(field.is_required() for field in body.model_fields.values())


def _path_parameter(name: str) -> Schema:
    schema: Schema = {"type": "string", "minLength": 1}
    if name == "channel":
        schema = {"type": "string", "enum": sorted(channels.names())}
    if name == "article":
        schema["pattern"] = SLUG
    if name == "kind":
        schema = {"type": "string", "enum": list(KINDS)}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answer(status: int, call: Operation, schemas: Schemas) -> Schema:
    shape = call.answers[status]
    shapes = shape if isinstance(shape, tuple) else (shape,)
    json_shapes = tuple(one for one in shapes if not isinstance(one, str))
    content: Schema = {one: {} for one in shapes if isinstance(one, str)}
    if json_shapes:
        content["application/json"] = {"schema": schemas.of(json_shapes, "serialization")}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _links(call: Operation, others: Iterable[Operation]) -> Schema:
    """The calls that take what an answer holds, for whoever goes on from it."""
    if call.name == "open_session":
        body = {"refresh_token": "$response.body#/refresh_token"}
        return {"refresh_session": {"operationId": "refresh_session", "requestBody": body}}
    tag, number = _FROM.get(call.name, ("", ""))
    given = {"desk": "$request.path.desk", "number": number}
    return {
        other.name: {"operationId": other.name, "parameters": given}
        for other in others
        if other.tag == tag and "{number}" in other.path
    }


def _problems(refuses: Iterable[type[e.Refused]], has_pages: bool) -> Schema:
    """The error answers by status, with an example of each error."""
    answers: Schema = {}
    for refused in sorted(refuses, key=lambda refused: (refused.status, refused.__name__)):
        media = {"schema": {"$ref": REF.format(model="Problem")}, "examples": {}}
        pages: Schema = {"text/html": {}} if has_pages else {}
        content = {"application/problem+json": media, **pages}
        new = {"description": refused.title, "content": content}
        answer = answers.setdefault(str(refused.status), new)
        examples = answer["content"]["application/problem+json"]["examples"]
        examples[refused.__name__] = {"$ref": f"#/components/examples/{refused.__name__}"}
        if refused is Busy:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answers


def _webhook(kind: str, event: str, schemas: Schemas) -> Schema:
    """Describe the message of an event, with its example."""
    schemas.of((Ticket, EVENTS[event]), "serialization")
    ticket = _part(schemas.components["Ticket"], TICKET_FIELDS)
    schemas.components["WebhookTicket"] = ticket
    properties = {
        "type": {"const": kind},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": _object(
            {
                **{name: {"type": "string"} for name in ("desk", "number", "actor")},
                "version": {"type": "integer"},
                "event": _public(schemas.components[event], schemas),
                "ticket": {"$ref": REF.format(model="WebhookTicket")},
            }
        ),
    }
    body = {"schema": _object(properties), "example": json.loads(EXAMPLES.read_text("utf-8"))[kind]}
    return {
        "post": {
            "operationId": kind,
            "summary": event_meaning(event),
            "parameters": _SIGNATURE,
            "requestBody": {"content": {"application/json": body}},
            "responses": {"2XX": {"description": "Taken; after any other answer it comes again."}},
        }
    }


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _part(schema: Schema, names: Iterable[str]) -> Schema:
    return _object(
        {name: schema["properties"][name] for name in schema["properties"] if name in names}
    )


def _public(event: Schema, schemas: Schemas) -> Schema:
    """The schema of an event without the fields that no message contains."""
    properties = dict(event["properties"])
    for name, inside in INTERNAL_FIELDS.items():
        if inside is True:
            properties.pop(name, None)
        elif name in properties:
            hidden = inside.get("__all__", ()) if isinstance(inside, dict) else inside
            (model,) = re.findall(REF.format(model='([^"]+)'), json.dumps(properties[name]))
            shown = schemas.components[model]["properties"].keys() - hidden
            schemas.components[f"Public{model}"] = _part(schemas.components[model], shown)
            text = json.dumps(properties[name]).replace(f'/{model}"', f'/Public{model}"')
            properties[name] = json.loads(text)
    return _object(properties)


def event_meaning(event: str) -> str:
    return for_readers((EVENTS[event].__doc__ or "").strip().split("\n\n")[0])
