"""Build the description of the API (OpenAPI 3.1) from its routes and from what they declare.

Paths, media types and sign-in come from the routes, bodies from the models that check them, actions
from their commands, answers from the shapes that the views return, errors from their exceptions,
webhooks from the events. `CALLS` adds what a route does not say; a test fails for a route without
an entry. `python -m infra.docs.generated` writes the description beside the route that serves it.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, TypeAdapter

from functions.core.channels import base as channels
from functions.core.domain import errors
from functions.core.domain.commands import ACTIONS, agent_actions
from functions.core.domain.commands.steps import StepBody
from functions.core.domain.events import EVENTS
from functions.core.domain.ticket import STATUSES, Ticket
from functions.core.domain.webhooks import event_of_type
from functions.core.platform.web import MAX_IDEMPOTENCY_KEY, VERSION, Busy, chalice_error, problem
from functions.core.services.create_ticket import NewTicket
from functions.core.text import shapes as common
from functions.intake.mail_routing import RoutedMail
from functions.notify.webhook_message import INTERNAL_FIELDS, TICKET_FIELDS
from functions.portal import shapes as portal
from functions.portal.submissions import NewConfirmation, NewMessage, NewScore
from functions.workbench import session, shapes as workbench
from functions.workbench.calls import NewUpload, Presence
from functions.workbench.queues import QUEUES

FILE = Path(portal.__file__).with_name("openapi.json")
EXAMPLES = Path(__file__).with_name("webhook_examples.json")
"""A message of each type; `tests/notify/test_webhook_dispatch.py` writes and checks it."""

ACT = "/agent/desks/{desk}/tickets/{number}/{action}"
NOT_CALLS = frozenset({"unknown_page", "unknown_path"})
"""Routes that only say, to a browser too, that there is nothing at an address."""

Schema = dict[str, Any]
Refusals = tuple[type[errors.Refused], ...]


class UnsupportedMediaType(errors.Refused, status=415, title="Unsupported Media Type"):
    """The route does not take a body of this type; Chalice says so."""


_EXAMPLES = (
    errors.InvalidInput(
        "Some fields are invalid; see errors.",
        (errors.FieldError("text", "this field is required"),),
    ),
    errors.Unauthorised("Sign in with POST /session and send its token as a bearer token."),
    errors.Forbidden("Your role may not do this."),
    errors.NotFound("There is no such ticket, or the link is not complete."),
    errors.ActionNotAllowed("reply is not possible while the ticket is Closed.", ("note",)),
    errors.StaleVersion("The ticket has changed since version 4; it is at version 5."),
    errors.AlreadyAnswered("This request has been rated already."),
    session.NewPasswordRequired("This account needs a new password before it can be used."),
    errors.TooLarge("A body may have 256 KiB at most."),
    UnsupportedMediaType(chalice_error(415).detail),
    errors.KeyReused("This Idempotency-Key was used before with another body."),
    errors.TooManyAttempts("Too many attempts. Wait a minute and try again."),
    Busy("This cannot be done right now. Please try again in a moment."),
)
_OF_BODIES: Refusals = (errors.InvalidInput, errors.TooLarge, UnsupportedMediaType)
_OF_ALL: Refusals = (errors.TooManyAttempts, Busy)


def _query(name: str, description: str, **schema: Any) -> Schema:
    shape = {"type": "string", **schema}
    return {"name": name, "in": "query", "description": description, "schema": shape}


_KEY = _query("key", "The secret of a link to the ticket.")
_CONTACT = _query("contact", "Instead: the last four digits of the phone number, at some desks.")
_LANG = _query("lang", "The language of labels, `zh-CN` or `en`, before `Accept-Language`.")
_BEFORE = _query("before", "Only versions before this one.", pattern=f"^{VERSION}$")
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repetition harmless: it gets the first answer, for 400 days.",
    "schema": {"type": "string", "maxLength": MAX_IDEMPOTENCY_KEY},
}


@dataclass(frozen=True)
class Call:
    """What a call's route does not say about it.

    Attributes:
        answers: status → the shape of a JSON answer, or the media type of another one.
        body: the shapes of bodies that it takes.
        refuses: an example of each error beside those of every call.
        keyed: it takes an idempotency key.
    """

    summary: str
    answers: Mapping[int, Any]
    body: tuple[Any, ...] = ()
    refuses: Refusals = ()
    query: tuple[Schema, ...] = ()
    keyed: bool = False


_customers_write = partial(
    Call,
    answers={200: portal.Changed, 303: "text/html"},
    refuses=(errors.Forbidden, errors.NotFound, errors.ActionNotAllowed),
    query=(_KEY, _LANG),
)
_SIGNED_IN: Refusals = (errors.Forbidden, errors.NotFound)

CALLS: Mapping[str, Call] = {
    "create_ticket": Call(
        "File a request. While there are more of them than the desk takes, it waits (202).",
        {201: common.Filed, 202: common.Held},
        (NewTicket,),
        (errors.NotFound, errors.KeyReused),
        keyed=True,
    ),
    "webhook": Call(
        "File a request from your own system, signed by Standard Webhooks. A repeated `webhook-id` "
        "gets the first answer.",
        {201: common.Filed},
        (NewTicket,),
        (errors.Unauthorised, errors.NotFound),
    ),
    "mime": Call(
        "Take a raw mail from a mail provider, signed by Standard Webhooks.",
        {202: (RoutedMail, common.Held)},
        ("message/rfc822",),
        (errors.Unauthorised, errors.NotFound),
    ),
    "get_channel": Call(
        "Answer a chat provider's check of the address.",
        {200: "text/plain"},
        refuses=(errors.Unauthorised, errors.NotFound),
    ),
    "post_channel": Call(
        "Take the messages of a chat provider, signed as it signs.",
        {200: "*/*"},
        ("*/*",),
        (errors.Unauthorised, errors.NotFound),
    ),
    "ticket_status": Call(
        "Show the status of a ticket: JSON, or the page for `Accept: text/html`.",
        {200: (portal.StatusView, "text/html")},
        refuses=(errors.InvalidInput, errors.NotFound),
        query=(_KEY, _CONTACT, _LANG, _BEFORE),
    ),
    "customer_message": _customers_write(
        "Add a customer's message, at most 30 an hour by one link.",
        answers={201: portal.Changed, 303: "text/html"},
        body=(NewMessage,),
        refuses=(errors.NotFound, errors.ActionNotAllowed, errors.KeyReused),
        keyed=True,
    ),
    "customer_confirmation": _customers_write(
        "Say whether the problem is solved, by a customer link.", body=(NewConfirmation,)
    ),
    "customer_survey": _customers_write(
        "Rate the solution once, by a customer link.",
        body=(NewScore,),
        refuses=(errors.Forbidden, errors.NotFound, errors.AlreadyAnswered),
    ),
    "short_link": Call(
        "Follow the short link of a text message to the customer's page.",
        {302: "text/html"},
        refuses=(errors.NotFound,),
    ),
    "api_description": Call("Describe this API (OpenAPI 3.1).", {200: dict[str, Any]}),
    "open_session": Call(
        "Sign in with name and password; with an authenticator, then answer the challenge.",
        {200: (workbench.Session, workbench.Challenge)},
        (session.Credentials, session.ChallengeAnswer),
        (errors.Unauthorised, session.NewPasswordRequired),
    ),
    "refresh_session": Call(
        "Get a new token.", {200: workbench.Token}, (session.RefreshToken,), (errors.Unauthorised,)
    ),
    "enrol_authenticator": Call(
        "Set up an authenticator: without `code` for its secret, then with the code that it shows.",
        {200: (workbench.NewAuthenticator, workbench.Enrolled)},
        (session.Enrolment,),
        (errors.Unauthorised, errors.ActionNotAllowed, session.NewPasswordRequired),
    ),
    "list_tickets": Call(
        "List a queue; which roles may see it, docs/http.md says.",
        {200: workbench.TicketList},
        refuses=(errors.InvalidInput, *_SIGNED_IN),
        query=(
            _query("queue", "`mine` unless given.", enum=list(QUEUES)),
            _query("status", "Only tickets in this status.", enum=list(STATUSES)),
            _query("cursor", "The `cursor` of the page before."),
            _LANG,
        ),
    ),
    "enter_ticket": Call(
        "Enter a request that came by phone or at the counter, or that the desk itself makes.",
        {201: workbench.Entered},
        (NewTicket,),
        (*_SIGNED_IN, errors.KeyReused),
        keyed=True,
    ),
    "show_ticket": Call(
        "Show a ticket with its conversation.",
        {200: workbench.TicketView},
        refuses=(errors.InvalidInput, *_SIGNED_IN),
        query=(_LANG, _BEFORE),
    ),
    "set_presence": Call(
        "Go online or offline: whether you get tickets. Going offline ends your shift.",
        {200: Presence},
        (Presence,),
        _SIGNED_IN,
    ),
    "act": Call(
        "Take one of the desk's own steps: its fields beside `version` and `attachments`.",
        {200: workbench.SummaryView},
        (StepBody,),
        (*_SIGNED_IN, errors.ActionNotAllowed, errors.StaleVersion),
        query=(_LANG,),
    ),
}
"""The name of a route's function (with its method, if it has several) → its call."""

_OPENED = {"open-original": workbench.OpenedOriginal, "open-contact": workbench.OpenedContact}
_FROM = {
    "create_ticket": ("number", "customers", "$response.body#/number"),
    "webhook": ("number", "customers", "$response.body#/number"),
    "enter_ticket": ("number", "agents", "$response.body#/number"),
    "list_tickets": ("number", "agents", "$response.body#/tickets/0/number"),
}
"""Call → the parameter of other calls with this tag that its answer holds."""

_TAGS = {
    "functions.intake.handler": "channels",
    "functions.portal.handler": "customers",
    "functions.workbench.handler": "agents",
}
_SIGNED_HEADERS = [
    {
        "name": f"webhook-{part}",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }
    for part in ("id", "timestamp", "signature")
]


@dataclass(frozen=True)
class Operation:
    """A call at a method and path of the description."""

    name: str
    method: str
    path: str
    call: Call
    media: Sequence[str]
    tag: str
    bearer: bool


def operations(routes: Mapping[str, Mapping[str, Any]]) -> Iterator[Operation]:
    """Yield every operation of an application's routes; the agents' actions have a path each.

    Raises:
        KeyError: a route has no entry in `CALLS`.
    """
    for path, methods in routes.items():
        for method, route in methods.items():
            name = route.view_name
            if name in NOT_CALLS:
                continue
            if len(methods) > 1 and name not in CALLS:
                name = f"{method.lower()}_{name}"
            at = partial(
                Operation,
                method=method.lower(),
                media=route.content_types,
                tag=_TAGS[route.view_function.__module__],
                bearer=route.authorizer is not None,
            )
            if path == ACT:
                yield from _actions(at)
            yield at(name=name, path=path, call=CALLS[name])


def _actions(at: partial[Operation]) -> Iterator[Operation]:
    step = CALLS["act"]
    for name, action in agent_actions().items():
        answer = _OPENED.get(name, workbench.SummaryView)
        summary = f"{action.label[1]}: {ACTIONS[name].action.meaning}."
        call = Call(summary, {200: answer}, (action.body,), step.refuses, step.query)
        yield at(name=name.replace("-", "_"), path=ACT.replace("{action}", name), call=call)
    upload = Call(
        "Ask where to put a file, which a later action names in `attachments`.",
        {201: common.OfferedUpload},
        (NewUpload,),
        _SIGNED_IN,
    )
    yield at(name="create_upload", path=ACT.replace("{action}", "attachments"), call=upload)


def description(routes: Mapping[str, Mapping[str, Any]]) -> Schema:
    """Return the description of an application's routes."""
    for module in (common, portal, workbench):
        _document_shapes(module)
    found = list(operations(routes))
    schemas = _Schemas()
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
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "examples": {
                type(refused).__name__: {"value": problem(refused, "en").body}
                for refused in _EXAMPLES
            },
            "schemas": schemas.used({"paths": paths, "webhooks": hooks}),
        },
    }


def _operation(operation: Operation, schemas: _Schemas, others: Iterable[Operation]) -> Schema:
    call, path = operation.call, operation.path
    signed = errors.Unauthorised in call.refuses and not path.endswith("{channel}")
    parameters = [_path_parameter(name) for name in re.findall(r"{(\w+)}", path)]
    parameters += [*call.query, *([_IDEMPOTENCY] if call.keyed else ())]
    parameters += _SIGNED_HEADERS if signed else []
    described: Schema = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": call.summary,
        **({"parameters": parameters} if parameters else {}),
    }
    if call.body:
        media = (
            operation.media if call.body[0] in {"*/*", "message/rfc822"} else operation.media[:1]
        )
        described["requestBody"] = {
            "required": any(map(_needs_fields, call.body)),
            "content": {each: {"schema": schemas.of(call.body, "validation")} for each in media},
        }
    responses = {
        str(status): _answer(status, shape, schemas) for status, shape in call.answers.items()
    }
    links = _links(operation, others)
    if links and "201" in responses:
        responses["201"]["links"] = links
    refuses = {*call.refuses, *_OF_ALL, *(_OF_BODIES if call.body else ())}
    refuses |= {errors.Unauthorised} if operation.bearer else set()
    described["responses"] = responses | _problems(refuses, operation.tag == "customers")
    if operation.bearer:
        described["security"] = [{"token": []}]
    return described


def _needs_fields(body: Any) -> bool:
    is_model = isinstance(body, type) and issubclass(body, BaseModel)
    return not is_model or any(field.is_required() for field in body.model_fields.values())


def _path_parameter(name: str) -> Schema:
    schema: Schema = {"type": "string", "minLength": 1}
    if name == "channel":
        schema = {"type": "string", "enum": sorted(channels.names())}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answer(status: int, shape: Any, schemas: _Schemas) -> Schema:
    shapes = shape if isinstance(shape, tuple) else (shape,)
    json_shapes = tuple(one for one in shapes if not isinstance(one, str))
    content: Schema = {one: {} for one in shapes if isinstance(one, str)}
    if json_shapes:
        content["application/json"] = {"schema": schemas.of(json_shapes, "serialization")}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _links(operation: Operation, others: Iterable[Operation]) -> Schema:
    """The calls that take what an answer holds, for whoever goes on from it."""
    if operation.name == "open_session":
        body = {"refresh_token": "$response.body#/refresh_token"}
        return {"refresh_session": {"operationId": "refresh_session", "requestBody": body}}
    if operation.name not in _FROM:
        return {}
    name, tag, value = _FROM[operation.name]
    given = {"desk": "$request.path.desk", name: value}
    return {
        other.name: {"operationId": other.name, "parameters": given}
        for other in others
        if other.tag == tag and f"{{{name}}}" in other.path
    }


def _problems(refuses: Iterable[type[errors.Refused]], has_pages: bool) -> Schema:
    """The error answers by status, with an example of each error."""
    answers: Schema = {}
    for refused in sorted(refuses, key=lambda refused: (refused.status, refused.__name__)):
        media = {"schema": {"$ref": _REF.format(model="Problem")}, "examples": {}}
        pages: Schema = {"text/html": {}} if has_pages else {}
        content = {"application/problem+json": media, **pages}
        new = {"description": refused.title, "content": content}
        answer = answers.setdefault(str(refused.status), new)
        examples = answer["content"]["application/problem+json"]["examples"]
        examples[refused.__name__] = {"$ref": f"#/components/examples/{refused.__name__}"}
        if refused is Busy:
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answers


_REF = "#/components/schemas/{model}"


class _Schemas:
    """The JSON schemas of shapes, collected as components."""

    def __init__(self) -> None:
        self.components: Schema = {}
        self.of((common.Problem,), "serialization")

    def of(self, shapes: Sequence[Any], mode: Any) -> Schema:
        """Return the schema of any of these shapes, or of the text of a media type."""
        if isinstance(shapes[0], str):
            return {"type": "string"}
        inputs = [(shape, mode, TypeAdapter(shape)) for shape in shapes]
        schemas, generated = TypeAdapter.json_schemas(inputs, ref_template=_REF)
        self.components |= _untitled(generated.get("$defs", {}))
        found = [_untitled(schemas[shape, mode]) for shape in shapes]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def used(self, part: Any) -> Schema:
        """Return the components that a part of the description refers to."""
        names: set[str] = set()
        waiting = [part]
        while waiting:
            text = json.dumps(waiting.pop())
            new = set(re.findall(_REF.format(model='([^"]+)'), text)) - names
            names |= new
            waiting += [self.components[name] for name in new]
        return {name: self.components[name] for name in sorted(names)}


def _untitled(schema: Any) -> Any:
    """Leave out pydantic's titles, which repeat the names, and what docstrings say to us only."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: part for key, part in schema.items() if key != "title" or isinstance(part, dict)}
    if isinstance(kept.get("description"), str):
        kept["description"] = _for_readers(kept["description"])
    return {key: _untitled(part) for key, part in kept.items()}


def _document_shapes(module: ModuleType) -> None:
    """Give the shapes of a module that have no class body the text below them as docstring."""
    body = ast.parse(inspect.getsource(module)).body
    for shape, text in pairwise(body):
        if isinstance(shape, ast.Assign) and isinstance(text, ast.Expr):
            name = ast.unparse(shape.targets[0])
            if name != "Time":
                getattr(module, name).__doc__ = ast.literal_eval(text.value)


def _webhook(kind: str, event: str, schemas: _Schemas) -> Schema:
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
                "ticket": {"$ref": _REF.format(model="WebhookTicket")},
            }
        ),
    }
    body = {"schema": _object(properties), "example": json.loads(EXAMPLES.read_text("utf-8"))[kind]}
    return {
        "post": {
            "operationId": kind,
            "summary": event_meaning(event),
            "parameters": _SIGNED_HEADERS,
            "requestBody": {"content": {"application/json": body}},
            "responses": {"2XX": {"description": "Taken; after any other answer it comes again."}},
        }
    }


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _part(schema: Schema, names: Iterable[str]) -> Schema:
    """The schema of some of an object's fields."""
    return _object(
        {name: schema["properties"][name] for name in schema["properties"] if name in names}
    )


def _public(event: Schema, schemas: _Schemas) -> Schema:
    """The schema of an event without the fields that no message contains."""
    properties = dict(event["properties"])
    for name, inside in INTERNAL_FIELDS.items():
        if inside is True:
            properties.pop(name, None)
        elif name in properties:
            hidden = inside.get("__all__", ()) if isinstance(inside, dict) else inside
            (model,) = re.findall(_REF.format(model='([^"]+)'), json.dumps(properties[name]))
            shown = schemas.components[model]["properties"].keys() - hidden
            schemas.components[f"Public{model}"] = _part(schemas.components[model], shown)
            text = json.dumps(properties[name]).replace(f'/{model}"', f'/Public{model}"')
            properties[name] = json.loads(text)
    return _object(properties)


def event_meaning(event: str) -> str:
    """Return what an event means."""
    return _for_readers((EVENTS[event].__doc__ or "").strip().split("\n\n")[0])


def _for_readers(docstring: str) -> str:
    """Leave out line breaks and the requirement ids of our catalogue."""
    text = re.sub(r"\s+", " ", docstring)
    return re.sub(r" \((?:[A-H]\d+(?:[–, ]+)?)+\)", "", text)
