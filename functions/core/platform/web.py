"""HTTP requests and responses, independent of Chalice except for `respond`.

A call is a plain function from `Request` to `HttpResponse`; its package's `handler` passes it to
`respond` with Chalice's blueprint. A `Refused` becomes `application/problem+json` (RFC 9457). Any
other exception is logged, and the response reveals no details.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    InvalidInput,
    Refused,
    TooLarge,
    TryAgain,
)
from functions.core.domain.events import Commit
from functions.core.platform import clock
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.storage.outages import is_outage
from functions.core.text.json_body import Model, parse_model

if TYPE_CHECKING:
    from chalice.app import Blueprint, Response

MAX_BODY = 256 * 1024
"""The maximum bytes of a body (docs/http.md)."""

HSTS = "max-age=31536000; includeSubDomains"
"""Browsers use HTTPS only, for a year (RFC 6797); they ignore it on plain HTTP."""

RETRY_AFTER_SECONDS = "5"
"""`Retry-After` of a 503 (RFC 9110, section 10.2.3)."""

_MAX_VERSION_DIGITS = 6

MAX_IDEMPOTENCY_KEY = 200
"""The maximum characters of an idempotency key."""

log = logger("api")


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case.

    `source` is the address that API Gateway got the request from; nothing that a header claims.
    """

    method: str
    deployment: Deployment
    now: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    claims: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    def key(self, header: str) -> str:
        """Return the idempotency key in a header, empty if there is none (G1).

        Raises:
            InvalidInput: it is longer than `MAX_IDEMPOTENCY_KEY`.
        """
        key = self.headers.get(header.lower(), "").strip()
        if len(key) > MAX_IDEMPOTENCY_KEY:
            raise InvalidInput(
                "The idempotency key is too long.",
                (FieldError(header, f"{MAX_IDEMPOTENCY_KEY} characters at most, not {len(key)}"),),
            )
        return key

    def read(self, model: type[Model]) -> Model:
        """Parse the body into a model.

        Raises:
            InvalidInput: it is not JSON, or some fields are invalid; the error names each of them.
        """
        return parse_model(model, self.body)


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response: a JSON body, or text of another type."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def page_before(request: Request) -> int | None:
    """Return the version before which the page of a ticket's entries ends; None for the newest.

    Raises:
        InvalidInput: `before` is not a version.
    """
    text = request.query.get("before")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_VERSION_DIGITS):
        wrong = FieldError("before", "a version, as the last answer's `before`")
        raise InvalidInput("The page is invalid.", (wrong,))
    return int(text)


def earlier_page(history: Sequence[Commit]) -> int | None:
    """Return the `before` of the page that precedes one; None if that is the first."""
    return history[0].version if history and history[0].version > 1 else None


def respond(blueprint: Blueprint, function: Callable[[Request], HttpResponse]) -> Response:
    """Answer the blueprint's current request with `function`."""
    from chalice.app import Response

    response = _call(function, _request(blueprint))
    text = response.body if isinstance(response.body, str) else _dump(response.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": f"{response.content_type}; charset=utf-8"
        if response.content_type.startswith("text/")
        else response.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": HSTS,
        **response.headers,
    }
    return Response(body=text, status_code=response.status, headers=headers)


def problem(refused: Refused) -> HttpResponse:
    """Return a refusal as a problem document (RFC 9457)."""
    body: dict[str, Any] = {
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
    }
    if isinstance(refused, InvalidInput):
        body["errors"] = [{"field": e.field, "message": e.message} for e in refused.errors]
    if isinstance(refused, ActionNotAllowed):
        body["allowed"] = list(refused.allowed)
    return HttpResponse(body, refused.status, content_type="application/problem+json")


def errors_as_problems(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """HTTP middleware: turn Chalice's own errors into problems, such as a media type that the route
    does not accept.

    Chalice's errors have a dict as body (`{"Code": …, "Message": …}`); the routes' own responses
    have text.
    """
    response = get_response(event)
    if isinstance(response.body, dict):
        status = HTTPStatus(response.status_code)
        body = {"title": status.phrase, "status": status, "detail": response.body["Message"]}
        response.body = _dump(body)
        response.headers["Content-Type"] = "application/problem+json"
    return response


def _call(function: Callable[[Request], HttpResponse], request: Request) -> HttpResponse:
    """Call `function`; turn whatever it raises into a response."""
    try:
        if len(request.body) > MAX_BODY:
            raise TooLarge(f"A body may have {MAX_BODY // 1024} KiB at most.")
        return function(request)
    except Refused as refused:
        return problem(refused)
    except Exception as error:
        # The only catch-all, so that no caller ever sees a stack trace.
        if isinstance(error, TryAgain) or is_outage(error):
            log.warning("api.busy", extra={"cause": str(error)})
            busy = problem(_Busy("This cannot be done right now. Please try again in a moment."))
            return replace(busy, headers={"Retry-After": RETRY_AFTER_SECONDS})
        log.exception("api.failed")
        return problem(_Failed("Something failed on our side. It has been recorded."))


class _Busy(Refused, status=503, title="Busy"):
    pass


class _Failed(Refused, status=500, title="Failed"):
    pass


def _request(blueprint: Blueprint) -> Request:
    current = blueprint.current_request
    context = current.context or {}
    body = current.raw_body or b""
    return Request(
        method=current.method,
        deployment=Deployment.of(blueprint.lambda_context),
        now=clock.now(),
        params=dict(current.uri_params or {}),
        query=dict(current.query_params or {}),
        headers={name.lower(): value for name, value in (current.headers or {}).items()},
        body=body.encode() if isinstance(body, str) else body,
        claims=(context.get("authorizer") or {}).get("claims") or {},
        source=(context.get("identity") or {}).get("sourceIp") or "",
    )


def _dump(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_json_value)


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"not JSON: {type(value).__name__}")
