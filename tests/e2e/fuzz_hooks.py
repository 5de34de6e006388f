"""Secrets that a fuzzer has to know beside the description of the API.

schemathesis loads this module (`test_description.py`). It signs calls as their sender does, those
of chat providers too, and opens tickets with the keys of the links that earlier answers returned.
"""

import json
import os
from base64 import b64encode
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData

from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import WeChat
from tests.signed_requests import signed

JUDGED = frozenset(
    {"agent", "attachments", "contact", "cursor", "customer_class", "description", "message"}
    | {"priority", "product", "score", "tags", "team", "type", "urgency"}
    | {"article", "from", "period", "q", "queue", "tickets", "to"}
    | {"needs", "solution", "title", "valid"}
)
"""Fields whose well-formed values the desk's playbook, or what is stored, may still refuse."""

_LOCAL = json.loads(Path(os.environ["DESKBELL_LOCAL"]).read_text("utf-8"))
_SECRET = _LOCAL["webhook_secrets"]["standard"]
_AGENT = next(a for a in _LOCAL["agents"] if a["role"] == "supervisor")
_CREDENTIALS = {name: _AGENT[name] for name in ("username", "password")}
_EACH = 15
"""Calls for which one ticket serves: some of them end it."""

_keys: dict[str, str] = {}
"""Ticket number → the key of its link."""
_current: dict[bool, tuple[str, int]] = {}
"""By agent, by customer → the ticket in use, and for how many calls."""

_calls = count()

_FILE = strategies.binary(min_size=1).map(b64encode).map(bytes.decode)
schemathesis.openapi.format("base64", _FILE)


@schemathesis.serializer("message/rfc822")
def _mail(context: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _post(path: str, raw: bytes, headers: dict[str, str]) -> requests.Response:
    headers = {"Content-Type": "application/json", **headers}
    return requests.post(f"{_LOCAL['api']}{path}", data=raw, headers=headers, timeout=60)


_SIGNED_IN = _post("/session", json.dumps(_CREDENTIALS).encode(), {}).json()
_BEARER = {"Authorization": f"Bearer {_SIGNED_IN['token']}"}


def _sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
    headers: Any = request.headers
    if all(headers.get(f"webhook-{part}") for part in ("id", "timestamp", "signature")):
        headers.update(signed(_SECRET, _raw(request), headers["webhook-id"]))
    return request


def _sign_as_provider(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Sign as the chat provider of the path does, every other time a message of its own."""
    channel, now = urlsplit(str(request.url)).path.rpartition("/")[2], datetime.now(UTC)
    if (provider := FAKE_PROVIDERS.get(channel)) is None:
        return request
    provider.secret = _LOCAL["channel_secrets"]["standard"][channel]
    if request.body and next(_calls) % 2:
        request.prepare_body(provider.text("无法登录", now, user=f"U{next(_calls) % 50}"), None)
    call = provider.call(_raw(request), now)
    if isinstance(provider, WeChat) and request.method == "GET":
        call = provider.check(now)
    request.prepare_url(str(request.url), dict(call.query))
    given: Any = request.headers
    given.update({**call.headers, **given})
    return request


def _raw(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body or b""
    return body.encode() if isinstance(body, str) else body


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Sign the call, and put what a caller knows in place of what is only well-formed."""
    path, meta = case.operation.path, case.meta
    if path.endswith(("/webhook", "/mime")):
        kwargs["auth"] = _sign
    elif path.endswith("/{channel}"):
        kwargs["auth"] = _sign_as_provider
    well_formed = not meta.is_negative_at(ParameterLocation.BODY)
    if well_formed and isinstance(case.body, dict) and {"contact", "description"} <= set(case.body):
        case.body["contact"] = f"138{next(_calls):08}"
    # The stateful phase ends when a source of links answers a repeated call in another way.
    follows = meta.phase.name == TestPhase.STATEFUL
    keyed = not meta.is_negative_at(ParameterLocation.HEADER) and (follows or next(_calls) % 5)
    if keyed and case.headers:  # a key that was used with another body is refused
        case.headers.pop("Idempotency-Key", None)
    signs_in = path == "/session" and well_formed and "password" in case.body
    if signs_in and (follows or next(_calls) % 2):
        case.body |= _CREDENTIALS
    well_asked = not meta.is_negative_at(ParameterLocation.QUERY)
    if follows and case.operation.definition.raw["operationId"] == "list_tickets" and well_asked:
        case.query = {"queue": "all"}  # an empty queue leads nowhere
    if "{number}" in path and not meta.is_negative_at(ParameterLocation.PATH):
        by_agent, number = path.startswith("/agent/"), case.path_parameters["number"]
        if well_formed and isinstance(case.body, dict) and next(_calls) % 5:
            case.body.pop("version", None)  # any other than the ticket's is refused
        # A customer's link may have been ended by what an agent did to the ticket.
        if not follows and (number not in _keys or (not by_agent and next(_calls) % 2)):
            number = case.path_parameters["number"] = _ticket_for(by_agent)
        if by_agent and next(_calls) % 3:  # most actions are a handler's
            _post(f"/agent/desks/standard/tickets/{number}/take", b"{}", _BEARER)
        if not by_agent and number in _keys and well_asked and next(_calls) % 5:
            case.query = {**(case.query or {}), "key": _keys[number]}


def _ticket_for(by_agent: bool) -> str:
    """Return the number of a ticket, a new one now and then: what agents do can end its links."""
    number, used = _current.get(by_agent, ("", _EACH))
    if used >= _EACH:
        raw = json.dumps({"contact": f"139{next(_calls):08}", "description": "无法登录"}).encode()
        headers = signed(_SECRET, raw, f"f{next(_calls)}")
        number, used = _remember(_post("/desks/standard/channels/webhook", raw, headers)), 0
    _current[by_agent] = (number, used + 1)
    return number


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Keep the key of a link that an answer returns."""
    if response.status_code == 201 and "status_url" in response.text:
        _remember(response)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Let a well-formed call be refused for `JUDGED` fields, and for those of a desk's own step."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    wrong = {error["field"].partition(".")[0] for error in response.json().get("errors", ())}
    return not (wrong and (wrong <= JUDGED or case.operation.path.endswith("/{action}")))


def _remember(response: Any) -> str:
    number = str(response.json()["number"])
    _keys[number] = response.json()["status_url"].partition("?key=")[2]
    return number
