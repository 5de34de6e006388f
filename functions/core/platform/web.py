"""HTTP requests and responses, independent of Chalice except for `respond`.

A call is a plain function from `Request` to `HttpResponse`; its package's `handler` passes it to
`respond` with Chalice's blueprint. A `Refused` becomes `application/problem+json` (RFC 9457). Any
other exception is logged, and the response reveals no details.
"""

from __future__ import annotations

import json
import re
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
    Phrase,
    Refused,
    TooLarge,
    TryAgain,
    too_long,
)
from functions.core.domain.events import Commit
from functions.core.domain.rules import Locale
from functions.core.platform import clock, metering
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment
from functions.core.storage.outages import is_outage
from functions.core.text.error_texts import translated
from functions.core.text.json_body import Model, parse_model
from functions.core.text.words import accepted_locale, nearest_locale, weight

if TYPE_CHECKING:
    from chalice.app import Blueprint, Response

    from functions.core.text.shapes import Problem

MAX_BODY = 256 * 1024
"""The maximum bytes of a body (docs/http.md)."""

MAX_FILES_MB = 4
"""The maximum megabytes of the files in one form. Lambda takes 6 MB, in base64."""

HSTS = "max-age=31536000; includeSubDomains"
"""Browsers use HTTPS only, for a year (RFC 6797); they ignore it on plain HTTP."""

PRECAUTIONS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": HSTS,
}
"""Headers of every answer; a page has a policy of its own (OWASP, "REST Security Cheat Sheet")."""

RETRY_AFTER_SECONDS = "5"
"""`Retry-After` of a 503 (RFC 9110, section 10.2.3)."""

VERSION = "[1-9][0-9]{0,5}"
"""A version in a query, as a regular expression."""

MAX_IDEMPOTENCY_KEY = 200
"""The maximum characters of an idempotency key."""

log = logger("api")


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case.

    `source` is the address that API Gateway got the request from; nothing that a header claims.
    `path` is the address below the API's own.
    """

    method: str
    deployment: Deployment
    now: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    claims: Mapping[str, object] = field(default_factory=dict)
    source: str = ""
    path: str = ""

    @property
    def root(self) -> str:
        """The way from the request's address to the API's own, without a slash at its end.

        Pages lead on by relative addresses: a desk's own domain has another path than the stage.
        """
        return "/".join([".."] * (self.path.count("/") - 1)) or "."

    @property
    def has_files(self) -> bool:
        """Return whether the body is a form that may have files (RFC 7578)."""
        return self.headers.get("content-type", "").lower().startswith("multipart/form-data")

    def key(self, header: str) -> str:
        """Return the idempotency key in a header, empty if there is none (G1).

        Raises:
            InvalidInput: it is longer than `MAX_IDEMPOTENCY_KEY`.
        """
        key = self.headers.get(header.lower(), "").strip()
        if len(key) > MAX_IDEMPOTENCY_KEY:
            raise InvalidInput(
                "The idempotency key is too long.",
                (FieldError(header, too_long(MAX_IDEMPOTENCY_KEY, len(key))),),
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
    """An HTTP response: a JSON body, or text or bytes of another type.

    The types of bytes are registered in `app.py`, or API Gateway passes them on as Base64.
    `cookies` are the values of `Set-Cookie`.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cookies: Sequence[str] = ()


def page_before(request: Request) -> int | None:
    """Return the version before which the page of a ticket's entries ends; None for the newest.

    Raises:
        InvalidInput: `before` is not a version.
    """
    text = request.query.get("before")
    if text is None:
        return None
    if not re.fullmatch(VERSION, text):
        wrong = FieldError("before", "a version, as the last answer's `before`")
        raise InvalidInput("The page is invalid.", (wrong,))
    return int(text)


def earlier_page(history: Sequence[Commit]) -> int | None:
    """Return the `before` of the page that precedes one; None if that is the first."""
    return history[0].version if history and history[0].version > 1 else None


ErrorPage = Callable[[Refused, Locale, Request], HttpResponse]
"""Renders a refusal of a request as a page, for browsers."""


def respond(
    blueprint: Blueprint,
    function: Callable[[Request], HttpResponse],
    error_page: ErrorPage | None = None,
) -> Response:
    """Answer the blueprint's current request with `function`.

    Args:
        error_page: renders whatever `function` refuses, if the caller is a browser.
    """
    from chalice.app import Response

    request = _request(blueprint.current_request, blueprint.lambda_context)
    with metering.invocation(blueprint.lambda_context):
        metering.count("apigateway.request")
        metering.about(*map(request.params.get, ("desk", "number", "channel")))
        response = _call(function, request, error_page)
    body = response.body if isinstance(response.body, str | bytes) else _dump(response.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": _content_type(response),
        **PRECAUTIONS,
        **response.headers,
    }
    if response.cookies:
        headers["Set-Cookie"] = list(response.cookies)
    return Response(body=body, status_code=response.status, headers=headers)


def _content_type(response: HttpResponse) -> str:
    media = response.content_type
    return f"{media}; charset=utf-8" if media.startswith("text/") else media


def locale_of(request: Request, desk: Locale | None = None) -> Locale:
    """Return the language of a response: the caller's, else the desk's, else English.

    Args:
        desk: the desk's language, if the caller knows it; otherwise that of a playbook at hand.
    """
    asked = nearest_locale(request.query.get("lang"))
    asked = asked or accepted_locale(request.headers.get("accept-language")) or desk
    return asked or _desk_locale(request) or "en"


def _desk_locale(request: Request) -> Locale | None:
    from functions.core.platform import container

    desk = request.params.get("desk")
    return container.desk_locale(request.deployment, desk) if desk else None


def problem(refused: Refused, locale: Locale) -> HttpResponse:
    body: Problem = {
        "title": translated(refused.title, locale),
        "status": refused.status,
        "detail": translated(refused.detail, locale),
    }
    if isinstance(refused, InvalidInput):
        body["errors"] = [
            {"field": e.field, "message": translated(e.message, locale)} for e in refused.errors
        ]
    if isinstance(refused, ActionNotAllowed):
        body["allowed"] = list(refused.allowed)
    return HttpResponse(body, refused.status, content_type="application/problem+json")


def errors_as_problems(
    event: Any, get_response: Callable[[Any], Response], error_page: ErrorPage
) -> Response:
    """HTTP middleware: turn Chalice's own errors into problems or, at a customer's address, pages.

    Such an error is a media type that the route does not accept. Chalice's errors have a dict as
    body (`{"Code": …, "Message": …}`); the routes' own responses have text.
    """
    response = get_response(event)
    if isinstance(response.body, dict):
        refused = chalice_error(response.status_code)
        request = _request(event, event.lambda_context)
        locale = locale_of(request)
        page = wants_page(request.headers) and event.path.startswith("/desks/")
        found = error_page(refused, locale, request) if page else problem(refused, locale)
        response.body = found.body if isinstance(found.body, str) else _dump(found.body)
        response.headers |= PRECAUTIONS
        response.headers |= {**found.headers, "Content-Type": _content_type(found)}
    return response


def chalice_error(status: int) -> Refused:
    """Return Chalice's own error of a status as a refusal."""
    refused = Refused(_CHALICE_ERRORS.get(status, _FAILED))
    refused.status, refused.title = status, HTTPStatus(status).phrase
    return refused


_FAILED = "Something failed on our side. It has been recorded."

_CHALICE_ERRORS = {
    400: "The request cannot be read.",
    405: "This address has no such method.",
    415: "This address does not take a body of this type.",
}


def wants_page(headers: Mapping[str, str]) -> bool:
    return preferred(headers, "application/json", "text/html") == "text/html"


def preferred(headers: Mapping[str, str], *types: str) -> str:
    """Return which of these media types `Accept` prefers; the first if it names none of them."""
    weights = dict.fromkeys(types, 0.0)
    for part in headers.get("accept", "").lower().split(","):
        media, _, parameters = part.partition(";")
        if media.strip() in weights:
            weights[media.strip()] = max(weights[media.strip()], weight(parameters))
    return max(types, key=lambda media: weights[media])


def _call(
    function: Callable[[Request], HttpResponse],
    request: Request,
    error_page: ErrorPage | None = None,
) -> HttpResponse:
    """Call `function`; turn whatever it raises into a response."""
    try:
        return _checked(function, request)
    except Refused as refused:
        locale = locale_of(request)
        if error_page is not None and wants_page(request.headers):
            found = error_page(refused, locale, request)
        else:
            found = problem(refused, locale)
        if isinstance(refused, Busy):
            headers = {**found.headers, "Retry-After": RETRY_AFTER_SECONDS}
            return replace(found, headers=headers)
        return found


def _checked(function: Callable[[Request], HttpResponse], request: Request) -> HttpResponse:
    """Call `function`; whatever it raises becomes a refusal."""
    try:
        _require_within_limit(request)
        return function(request)
    except Refused:
        raise
    except Exception as error:
        # The only catch-all, so that no caller ever sees a stack trace.
        if isinstance(error, TryAgain) or is_outage(error):
            log.warning("api.busy", extra={"cause": str(error)})
            busy = Busy("This cannot be done right now. Please try again in a moment.")
            raise busy from error
        log.exception("api.failed")
        raise _Failed(_FAILED) from error


def _require_within_limit(request: Request) -> None:
    if request.has_files:
        if len(request.body) > MAX_FILES_MB * 1024 * 1024 + MAX_BODY:
            raise TooLarge(Phrase("The files may have {limit} MB in all.", limit=MAX_FILES_MB))
    elif len(request.body) > MAX_BODY:
        raise TooLarge(Phrase("A body may have {limit} KiB at most.", limit=MAX_BODY // 1024))


class Busy(Refused, status=503, title="Busy"):
    """Nothing was changed; the same request may succeed in a moment."""


class _Failed(Refused, status=500, title="Failed"):
    pass


def _request(current: Any, lambda_context: Any) -> Request:
    context = current.context or {}
    body = current.raw_body or b""
    params = dict(current.uri_params or {})
    return Request(
        method=current.method,
        deployment=Deployment.of(lambda_context),
        now=clock.now(),
        params=params,
        query=dict(current.query_params or {}),
        headers={name.lower(): value for name, value in (current.headers or {}).items()},
        body=body.encode() if isinstance(body, str) else body,
        claims=(context.get("authorizer") or {}).get("claims") or {},
        source=(context.get("identity") or {}).get("sourceIp") or "",
        path=re.sub(r"\{(\w+)\+?\}", lambda name: params.get(name[1], ""), current.path),
    )


def _dump(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_json_value)


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"not JSON: {type(value).__name__}")
