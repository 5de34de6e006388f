"""HTTP: responses, refusals with their reason, failures without details."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from pydantic import BaseModel, ConfigDict, Field

from functions.core.domain import errors
from functions.core.platform.settings import Deployment
from functions.core.platform.web import (
    MAX_BODY,
    MAX_IDEMPOTENCY_KEY,
    HttpResponse,
    Request,
    respond,
)
from tests.core.sample_desk import NOON

ARN = "arn:aws-cn:lambda:cn-north-1:123456789012:function:deskbell-test"


class Body(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid")

    contact: str
    score: int = Field(default=5, ge=1, le=5)


def blueprint(body: bytes | str | None = b"", **changes: Any) -> Any:
    """Return a blueprint with a current request."""
    request = {
        "method": "POST", "path": "/desks/{desk}", "context": {}, "query_params": None,
        "uri_params": {"desk": "testdesk"}, "headers": {"Idempotency-Key": "k"}, "raw_body": body,
        **changes,
    }  # fmt: skip
    return SimpleNamespace(
        current_request=SimpleNamespace(**request),
        lambda_context=SimpleNamespace(invoked_function_arn=ARN, memory_limit_in_mb=256),
    )


def answered(function: Any, *arguments: Any, **changes: Any) -> tuple[int, Any, Any]:
    """Return the status, body and headers of a response."""
    found = respond(blueprint(*arguments, **changes), function)
    text = found.body
    fits = "json" in str(found.headers["Content-Type"])
    return found.status_code, json.loads(text) if fits else text, found.headers


def reading(request: Request) -> HttpResponse:
    return HttpResponse(request.read(Body).model_dump())


class TestAnswers:
    def test_a_body_may_hold_times_and_models(self) -> None:
        """Times are ISO 8601 with offset; Chinese is not escaped."""
        made = HttpResponse({"at": NOON, "body": Body(contact="您好")}, status=201)
        status, body, headers = answered(lambda request: made)
        assert status == 201
        assert body == {"at": "2026-03-10T04:00:00+00:00", "body": {"contact": "您好", "score": 5}}
        assert headers["Content-Type"] == "application/json"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_a_page_is_sent_as_html(self) -> None:
        page = HttpResponse("<p>您好</p>", content_type="text/html", headers={"X-A": "b"})
        status, body, headers = answered(lambda request: page)
        assert (status, body) == (200, "<p>您好</p>")
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["X-A"] == "b"

    def test_a_function_gets_the_whole_request(self) -> None:
        seen: list[Request] = []

        def look(request: Request) -> HttpResponse:
            seen.append(request)
            return HttpResponse({})

        claims = {"cognito:username": "agent-1"}
        answered(
            look, "text", query_params={"key": "x"}, context={"authorizer": {"claims": claims}}
        )
        (request,) = seen
        assert request.body == b"text"
        assert request.headers == {"idempotency-key": "k"}
        assert (request.params, request.query) == ({"desk": "testdesk"}, {"key": "x"})
        assert request.claims == claims
        assert request.deployment == Deployment("aws-cn", "cn-north-1", "123456789012", "test")
        assert abs((datetime.now(UTC) - request.now).total_seconds()) < 60

    def test_a_request_may_lack_body_headers_and_claims(self) -> None:
        status, body, _ = answered(
            lambda request: HttpResponse({"body": request.body.decode(), "claims": request.claims}),
            None,
            headers=None,
            uri_params=None,
            context={"authorizer": None},
        )
        assert (status, body) == (200, {"body": "", "claims": {}})


class TestKeys:
    @pytest.mark.requirement("G1")
    def test_a_key_is_read_from_its_header(self) -> None:
        _, body, _ = answered(
            lambda request: HttpResponse(
                [request.key("Idempotency-Key"), request.key("webhook-id")]
            ),
            headers={"IDEMPOTENCY-KEY": " k-1 "},
        )
        assert body == ["k-1", ""]

    @pytest.mark.requirement("G1")
    def test_a_key_that_is_too_long_is_refused_by_its_header_s_name(self) -> None:
        headers = {"webhook-id": "k" * (MAX_IDEMPOTENCY_KEY + 1)}
        status, body, _ = answered(lambda r: HttpResponse(r.key("webhook-id")), headers=headers)
        assert status == 400
        assert body["errors"] == [
            {"field": "webhook-id", "message": "200 characters at most, not 201"}
        ]


class TestBodies:
    def test_a_body_that_fits_is_parsed(self) -> None:
        assert answered(reading, '{"contact": "x"}')[1] == {"contact": "x", "score": 5}

    def test_every_wrong_field_is_named(self) -> None:
        status, body, headers = answered(reading, '{"score": 9, "colour": "red"}')
        assert status == 400
        assert headers["Content-Type"] == "application/problem+json"
        assert (body["title"], body["status"]) == ("Invalid request", 400)
        assert body["errors"] == [
            {"field": "contact", "message": "this field is required"},
            {"field": "score", "message": "Input should be less than or equal to 5"},
            {"field": "colour", "message": "there is no such field"},
        ]

    @pytest.mark.parametrize(
        "body",
        [
            b"{", b"\xff\xfe", b"[]", b"3", b"null", b'"x"', b"[" * 100_000, b"{}",
            b'{"contact": "\\ud800"}', b'{"contact": NaN}', b'{"contact": null}',
        ],
        ids=[
            "cut", "not UTF-8", "list", "number", "null", "string", "deep", "empty object",
            "half a character", "not a number", "no value",
        ],
    )  # fmt: skip
    def test_a_malformed_body_is_refused_with_errors(self, body: bytes) -> None:
        status, found, _ = answered(reading, body)
        assert status == 400
        assert found["errors"]

    def test_a_body_that_is_not_an_object_is_refused(self) -> None:
        _, found, _ = answered(reading, b"[]")
        assert found["errors"] == [{"field": "", "message": "send a JSON object"}]

    def test_a_body_over_the_limit_is_413(self) -> None:
        assert answered(lambda request: HttpResponse({}), b"x" * MAX_BODY)[0] == 200
        status, body, _ = answered(lambda request: HttpResponse({}), b"x" * (MAX_BODY + 1))
        assert (status, body["detail"]) == (413, "A body may have 256 KiB at most.")


class TestRefusals:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (errors.InvalidInput("x"), 400),
            (errors.Unauthorised("x"), 401),
            (errors.Forbidden("x"), 403),
            (errors.NotFound("x"), 404),
            (errors.StaleVersion("x"), 409),
            (errors.AlreadyAnswered("x"), 409),
            (errors.TooLarge("x"), 413),
            (errors.KeyReused("x"), 422),
        ],
    )
    def test_a_refusal_is_a_problem(self, error: errors.Refused, status: int) -> None:
        """RFC 9457."""

        def refuse(request: Request) -> HttpResponse:
            raise error

        found, body, headers = answered(refuse)
        assert (found, body["status"], body["detail"]) == (status, status, "x")
        assert body["title"]
        assert headers["Content-Type"] == "application/problem+json"

    def test_a_refused_action_names_the_allowed_ones(self) -> None:
        def refuse(request: Request) -> HttpResponse:
            raise errors.ActionNotAllowed("x", ("note", "reopen"))

        status, body, _ = answered(refuse)
        assert (status, body["allowed"]) == (409, ["note", "reopen"])

    @pytest.mark.parametrize(
        "error",
        [
            errors.TryAgain("a secret"),
            ReadTimeoutError(endpoint_url="a secret"),
            EndpointConnectionError(endpoint_url="a secret"),
            ClientError({"Error": {"Code": "ThrottlingException"}}, "Encrypt"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_an_outage_is_503_with_a_time_to_wait(self, error: Exception) -> None:
        """Throttled, slow and unreachable services: the caller may try again."""

        def busy(request: Request) -> HttpResponse:
            raise error

        status, body, headers = answered(busy)
        assert (status, body["title"], headers["Retry-After"]) == (503, "Busy", "5")
        assert "secret" not in str(body)

    def test_a_conflict_is_503_without_details(self) -> None:
        def busy(request: Request) -> HttpResponse:
            raise errors.Conflict("CS1 has changed since")

        status, body, _ = answered(busy)
        assert (status, body["title"]) == (503, "Busy")
        assert "CS1" not in json.dumps(body)

    def test_an_unexpected_error_is_500_without_details(self) -> None:

        def fail(request: Request) -> HttpResponse:
            raise KeyError("13800138000")

        status, body, _ = answered(fail)
        assert status == 500
        assert set(body) == {"title", "status", "detail"}
        assert "138" not in json.dumps(body)
