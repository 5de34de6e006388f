"""HTTP requests and responses, independent of Chalice.

Packages write plain functions from `Request` to `HttpResponse`; their `handler.py` passes them to
`respond` with Chalice's blueprint. A `Refused` error becomes `application/problem+json` (RFC 9457).
An unexpected error is logged, and the response contains no detail of it.
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
"""Bytes of a body at most."""

MAX_IDEMPOTENCY_KEY = 200
"""Characters of an idempotency key at most."""

Body = TypeVar("Body", bound=BaseModel)
log = logger("api")


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lowercase."""

    method: str
    deployment: Deployment
    now: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    claims: Mapping[str, str] = field(default_factory=dict)

    def key(self, header: str) -> str:
        """Return the idempotency key of a header, empty if there is none (G1).

        Raises:
            InvalidInput: the key is longer than `MAX_IDEMPOTENCY_KEY`.
        """
        key = self.headers.get(header.lower(), "").strip()
        if len(key) > MAX_IDEMPOTENCY_KEY:
            raise InvalidInput(
                "The idempotency key is too long.",
                (FieldError(header, f"{MAX_IDEMPOTENCY_KEY} characters at most, not {len(key)}"),),
            )
        return key

    def read(self, model: type[Body]) -> Body:
        """Parse the body as a model.

        Raises:
            InvalidInput: the body is not JSON or does not fit the model; lists every wrong field.
        """
        try:
            # Unlike `json`, it refuses lone surrogates ("\\ud800"), which cannot be stored.
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
    """An HTTP response: a JSON body, or text of another content type."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def respond(blueprint: Blueprint, function: Callable[[Request], HttpResponse]) -> Response:
    """Call a function with the blueprint's current request and return Chalice's response."""
    from chalice.app import Response

    answer = _call_safely(function, _request(blueprint))
    text = answer.body if isinstance(answer.body, str) else _json(answer.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": f"{answer.content_type}; charset=utf-8"
        if answer.content_type.startswith("text/")
        else answer.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **answer.headers,
    }
    return Response(body=text, status_code=answer.status, headers=headers)


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


def explained(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """HTTP middleware: turn Chalice's own errors (an unsupported content type) into problems.

    A route's own responses are text by now; Chalice's are `{"Code": …, "Message": …}`.
    """
    response = get_response(event)
    if isinstance(response.body, dict):
        status = HTTPStatus(response.status_code)
        document = {"title": status.phrase, "status": status, "detail": response.body["Message"]}
        response.body = _json(document)
        response.headers["Content-Type"] = "application/problem+json"
    return response


def _call_safely(function: Callable[[Request], HttpResponse], request: Request) -> HttpResponse:
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
        # No caller may see a stack trace.
        log.exception("api.failed")
        return problem(_Failed("Something failed on our side. It has been recorded."))


class _Busy(Refused):
    status = 503
    title = "Busy"


class _Failed(Refused):
    status = 500
    title = "Failed"


def _request(blueprint: Blueprint) -> Request:
    request = blueprint.current_request
    context = request.context or {}
    return Request(
        method=request.method,
        deployment=Deployment.of(blueprint.lambda_context),
        now=clock.now(),
        params=dict(request.uri_params or {}),
        query=dict(request.query_params or {}),
        headers={name.lower(): value for name, value in (request.headers or {}).items()},
        body=_bytes(request.raw_body),
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
