"""Secrets that a fuzzer has to know beside the description of the API.

schemathesis loads this module (`test_description.py`). It signs calls as their sender does, and
opens tickets with the keys of the links that earlier answers returned.
"""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

from tests.signed_requests import signed

_LOCAL = json.loads(Path(os.environ["DESKBELL_LOCAL"]).read_text("utf-8"))
_SECRET = _LOCAL["webhook_secrets"]["standard"]
_AGENT = next(a for a in _LOCAL["agents"] if a["role"] == "supervisor")
_EACH = 15
"""Calls for which one ticket serves: some of them end it."""

_keys: dict[str, str] = {}
"""Ticket number → the key of its link."""
_current: dict[bool, tuple[str, int]] = {}
"""By agent, by customer → the ticket in use, and for how many calls."""

_calls = count()


@schemathesis.serializer("message/rfc822")
def _mail(context: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
    headers: Any = request.headers
    if all(headers.get(f"webhook-{part}") for part in ("id", "timestamp", "signature")):
        body: Any = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        headers.update(signed(_SECRET, raw, headers["webhook-id"]))
    return request


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Sign the call, and put what a caller knows in place of what is only well-formed."""
    path, meta = case.operation.path, case.meta
    if path.endswith(("/webhook", "/mime")):
        kwargs["auth"] = _sign
    well_formed = not meta.is_negative_at(ParameterLocation.BODY)
    if well_formed and isinstance(case.body, dict) and {"contact", "description"} <= set(case.body):
        case.body["contact"] = f"138{next(_calls):08}"
    if path == "/session" and well_formed and "password" in case.body and next(_calls) % 2:
        case.body |= {name: _AGENT[name] for name in ("username", "password")}
    if "{number}" in path and not meta.is_negative_at(ParameterLocation.PATH):
        by_agent = path.startswith("/agent/")
        # A customer's link may have been ended by what an agent did to the ticket.
        if case.path_parameters["number"] not in _keys or (not by_agent and next(_calls) % 2):
            case.path_parameters["number"] = _ticket_for(by_agent)
        if not by_agent and not meta.is_negative_at(ParameterLocation.QUERY) and next(_calls) % 5:
            case.query = {**(case.query or {}), "key": _keys[case.path_parameters["number"]]}


def _ticket_for(by_agent: bool) -> str:
    """Return the number of a ticket, a new one now and then: what agents do can end its links."""
    number, used = _current.get(by_agent, ("", _EACH))
    if used >= _EACH:
        raw = json.dumps({"contact": f"139{next(_calls):08}", "description": "无法登录"}).encode()
        headers = {"Content-Type": "application/json", **signed(_SECRET, raw, f"f{next(_calls)}")}
        url = f"{_LOCAL['api']}/desks/standard/channels/webhook"
        number, used = _remember(requests.post(url, data=raw, headers=headers, timeout=60)), 0
    _current[by_agent] = (number, used + 1)
    return number


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Keep the key of a link that an answer returns."""
    if response.status_code == 201 and "status_url" in response.text:
        _remember(response)


def _remember(response: Any) -> str:
    number = str(response.json()["number"])
    _keys[number] = response.json()["status_url"].partition("?key=")[2]
    return number
