"""HTTP as the rooms see it: a request with its moment and deployment, an answer, a clear refusal.

Rooms write plain functions from `Request` to `HttpResponse`; their `handler.py` hands them to
`answer` together with Chalice's blueprint. Whatever is `Refused` becomes `application/problem+json`
(RFC 9457); whatever fails unexpectedly is logged and answered without any detail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    InvalidInput,
    Refused,
    TooLarge,
    TryAgain,
)
from functions.core.platform import clock
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from chalice.app import Blueprint, Response

MAX_BODY = 256 * 1024
"""Bytes of a body at most; the contract's limit."""

MAX_KEY = 200
"""Characters of an idempotency record key at most."""

Body = TypeVar("Body", bound=BaseModel)
log = logger("api")


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are in lower case."""

    method: str
    deployment: Deployment
    now: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    claims: Mapping[str, str] = field(default_factory=dict)

    def key(self, header: str) -> str:
        """An idempotency record key, as a header carries it; empty where there is none (G1).

        Raises:
            InvalidInput: it is longer than `MAX_KEY`.
        """
        found = self.headers.get(header.lower(), "").strip()
        if len(found) > MAX_KEY:
            raise InvalidInput(
                "The idempotency key is too long.",
                (FieldError(header, f"{MAX_KEY} characters at most, not {len(found)}"),),
            )
        return found

    def read(self, model: type[Body]) -> Body:
        """The body as a model.

        Raises:
            InvalidInput: it is not JSON, or does not fit; every wrong field is named.
        """
        try:
            # Unlike `json`, it refuses half characters ("\\ud800"), which nothing could store.
            content = from_json(self.body or b"{}", allow_inf_nan=False)
        except ValueError as error:
            raise InvalidInput(
                "The body is not JSON in UTF-8.", (FieldError("", "send a JSON object"),)
            ) from error
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise InvalidInput(
                "Some fields do not fit; see errors.", tuple(map(_field_error, error.errors()))
            ) from error


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP answer: a JSON body, or text of another type."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def respond(blueprint: Blueprint, function: Callable[[Request], HttpResponse]) -> Response:
    """Let `function` answer the blueprint's current request, as Chalice wants it."""
    from chalice.app import Response

    found = _safely(function, _request(blueprint))
    text = found.body if isinstance(found.body, str) else _json(found.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": f"{found.content_type}; charset=utf-8"
        if found.content_type.startswith("text/")
        else found.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **found.headers,
    }
    return Response(body=text, status_code=found.status, headers=headers)


def problem(refused: Refused) -> HttpResponse:
    """A refusal as RFC 9457 wants it."""
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


def explained(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """HTTP middleware: what Chalice answers by itself (a type of body that the route does not take)
    is a problem too.

    A route's own answers are text by now; Chalice's are `{"Code": …, "Message": …}`.
    """
    response = get_response(event)
    if isinstance(response.body, dict):
        status = HTTPStatus(response.status_code)
        own = {"title": status.phrase, "status": status, "detail": response.body["Message"]}
        response.body = _json(own)
        response.headers["Content-Type"] = "application/problem+json"
    return response


def _safely(function: Callable[[Request], HttpResponse], request: Request) -> HttpResponse:
    try:
        if len(request.body) > MAX_BODY:
            raise TooLarge(f"A body may have {MAX_BODY // 1024} KiB at most.")
        return function(request)
    except Refused as refused:
        return problem(refused)
    except TryAgain as error:
        log.warning("api.busy", extra={"cause": str(error)})
        busy = _Busy(
            "Too much is happening to this ticket at once. Nothing was changed; try again."
        )
        return problem(busy)
    except Exception:
        # The one deployment where everything is caught: no caller may ever see a stack trace.
        log.exception("api.failed")
        return problem(_Failed("Something failed on our side. It has been recorded."))


class _Busy(Refused):
    status = 503
    title = "Busy"


class _Failed(Refused):
    status = 500
    title = "Failed"


def _request(blueprint: Blueprint) -> Request:
    found = blueprint.current_request
    context = found.context or {}
    return Request(
        method=found.method,
        deployment=Deployment.of(blueprint.lambda_context),
        now=clock.now(),
        params=dict(found.uri_params or {}),
        query=dict(found.query_params or {}),
        headers={name.lower(): value for name, value in (found.headers or {}).items()},
        body=_bytes(found.raw_body),
        claims=(context.get("authorizer") or {}).get("claims") or {},
    )


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"not JSON: {type(value).__name__}")


def _field_error(error: Any) -> FieldError:
    name = ".".join(str(part) for part in error["loc"])
    message = {
        "missing": "this field is required",
        "extra_forbidden": "there is no such field",
        "model_type": "send a JSON object",
    }.get(error["type"], error["msg"].removeprefix("Value error, "))
    return FieldError(name, message)
