"""The HTTP calls and the mail queue that bring requests in (F1, F5).

The rules are imported by the first call that needs them, as in the workbench (cold start).
"""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint, Response

from functions.core.domain.errors import DeadLetter
from functions.core.platform import aws, clock, web
from functions.core.platform.container import filing, store
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment, LambdaContext

bp = Blueprint(__name__)
log = logger("intake")

JSON = ["application/json"]
MAIL = ["message/rfc822"]
CHAT = [*JSON, "text/xml", "application/xml", "application/x-www-form-urlencoded"]


@bp.route("/desks/{desk}/tickets", methods=["POST"], content_types=JSON)
def file_ticket(desk: str) -> Response:
    return web.respond(bp, lambda request: _form(request, desk))


@bp.route("/desks/{desk}/channels/webhook", methods=["POST"], content_types=JSON)
def webhook(desk: str) -> Response:
    return web.respond(bp, lambda request: _webhook(request, desk))


@bp.route("/desks/{desk}/channels/mime", methods=["POST"], content_types=MAIL)
def mime(desk: str) -> Response:
    return web.respond(bp, lambda request: _mime(request, desk))


@bp.route("/desks/{desk}/channels/{channel}", methods=["GET", "POST"], content_types=CHAT)
def channel(desk: str, channel: str) -> Response:
    return web.respond(bp, lambda request: _chat(request, desk, channel))


@bp.lambda_function(name="intake_mail")
def intake_mail(event: Any, context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Mails that SES has stored, announced in SQS; each is answered for on its own."""
    deployment = Deployment.of(context)
    failures = []
    for record in event["Records"]:
        message = {"message_id": record["messageId"]}
        try:
            _announced_mail(record["body"], deployment)
        except DeadLetter as error:
            dead_letter(deployment, "mail", record["body"], error, message)
        except Exception:
            # SQS brings the message again and moves it to the dead-letter queue in the end; the
            # others of the batch are done.
            log.exception("mail.failed", extra=message)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _form(request: web.Request, desk: str) -> web.HttpResponse:
    from functions.intake import forms

    playbook = store(request.deployment).playbook(desk, request.now)
    return forms.file_from_form(request, filing(request.deployment, request.now), playbook)


def _webhook(request: web.Request, desk: str) -> web.HttpResponse:
    from functions.intake import forms

    forms.require_signature(
        request, desk, lambda name: aws.webhook_secret(request.deployment, name)
    )
    playbook = store(request.deployment).playbook(desk, request.now)
    return forms.file_from_webhook(request, filing(request.deployment, request.now), playbook)


def _mime(request: web.Request, desk: str) -> web.HttpResponse:
    from functions.intake import forms
    from functions.intake.mail_pipeline import take_in_raw

    forms.require_signature(
        request, desk, lambda name: aws.webhook_secret(request.deployment, name)
    )
    outcome = take_in_raw(
        request.body, desk, request.deployment, filing(request.deployment, request.now)
    )
    body = {"number": outcome.number, "new": outcome.new} if outcome else {"set_aside": True}
    return web.HttpResponse(body, status=202)


def _chat(request: web.Request, desk: str, channel: str) -> web.HttpResponse:
    from functions.intake.chat import take_call

    return take_call(request, desk, channel, filing(request.deployment, request.now))


def _announced_mail(body: str, deployment: Deployment) -> None:
    from functions.intake.mail_pipeline import take_in_announced

    take_in_announced(body, deployment, filing(deployment, clock.now()))
