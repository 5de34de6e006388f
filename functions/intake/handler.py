"""The HTTP routes and the mail queue that bring requests in (F1, F5).

A route imports its code on its first request, as in the workbench (cold start).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from chalice.app import Blueprint, Response

from functions.core.domain.errors import DeadLetter
from functions.core.platform import aws, clock, metering, web
from functions.core.platform.container import storage, ticket_creator
from functions.core.platform.dead_letters import dead_letter
from functions.core.platform.logging import logger
from functions.core.platform.settings import Deployment, LambdaContext

if TYPE_CHECKING:
    from functions.intake.mail_pipeline import MailPipeline

bp = Blueprint(__name__)
log = logger("intake")

TIME_OF_A_MAIL = timedelta(seconds=20)
"""More than the largest mail takes (docs/channels.md)."""

JSON, MAIL = ["application/json"], ["message/rfc822"]
CHAT = [*JSON, "text/xml", "application/xml", "application/x-www-form-urlencoded"]


@bp.route("/desks/{desk}/tickets", methods=["POST"], content_types=JSON)
def create_ticket(desk: str) -> Response:
    return web.respond(bp, lambda request: _form(request, desk))


@bp.route("/desks/{desk}/channels/webhook", methods=["POST"], content_types=JSON)
def webhook(desk: str) -> Response:
    return web.respond(bp, lambda request: _webhook(request, desk))


@bp.route("/desks/{desk}/channels/mime", methods=["POST"], content_types=MAIL)
def mime(desk: str) -> Response:
    return web.respond(bp, lambda request: _mime(request, desk))


@bp.route("/desks/{desk}/channels/sms-reports", methods=["POST"], content_types=JSON)
def sms_reports(desk: str) -> Response:
    from functions.intake.sms_reports import receive

    return web.respond(bp, lambda request: receive(request, desk))


@bp.route("/desks/{desk}/channels/{channel}", methods=["GET", "POST"], content_types=CHAT)
def channel(desk: str, channel: str) -> Response:
    return web.respond(bp, lambda request: _chat(request, desk, channel))


class MailContext(LambdaContext, Protocol):
    """The part of Lambda's context that the mail function reads."""

    def get_remaining_time_in_millis(self) -> int: ...


@bp.lambda_function(name="intake_mail")
@metering.metered
def intake_mail(event: Any, context: MailContext) -> dict[str, list[dict[str, str]]]:
    """Process the mails of an SQS batch; report those that failed for now.

    Mails that failed before come last, and none is begun when little time remains, so a mail that
    takes too long delays no other.
    """
    deployment = Deployment.of(context)
    failures = []
    for index, record in enumerate(sorted(event["Records"], key=_was_tried)):
        message = {"message_id": record["messageId"]}
        remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
        if index and remaining < TIME_OF_A_MAIL:
            log.warning("mail.postponed", extra=message)
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        try:
            _process_message(record["body"], deployment)
        except DeadLetter as error:
            dead_letter(deployment, "mail", record["body"], error, message)
        except Exception:
            # SQS delivers it again, and dead-letters it in the end; the others are done.
            log.exception("mail.failed", extra=message)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _was_tried(record: Any) -> bool:
    return bool(record.get("attributes", {}).get("ApproximateReceiveCount", "1") != "1")


def _form(request: web.Request, desk: str) -> web.HttpResponse:
    from functions.intake import forms

    return forms.receive(request, desk)


def _webhook(request: web.Request, desk: str) -> web.HttpResponse:
    from functions.intake import forms

    # The desk first: a call for an invented one must not read a secret.
    playbook = storage(request.deployment).playbooks.get(desk, request.now)
    forms.require_signature(request, desk, partial(aws.webhook_secret, request.deployment))
    return forms.create_from_webhook(request, ticket_creator(request.deployment), playbook)


def _mime(request: web.Request, desk: str) -> web.HttpResponse:
    from functions.intake import forms

    storage(request.deployment).playbooks.get(desk, request.now)  # the desk first, as above
    forms.require_signature(request, desk, partial(aws.webhook_secret, request.deployment))
    routed = _mail_pipeline(request.deployment).process_raw(request.body, desk)
    body = vars(routed) if routed else {"quarantined": True}
    return web.HttpResponse(body, status=202)


def _chat(request: web.Request, desk: str, channel: str) -> web.HttpResponse:
    from functions.intake.channels import receive

    return receive(request, desk, channel)


def _process_message(body: str, deployment: Deployment) -> None:
    from functions.intake import released

    if not released.receive(body, deployment, clock.now()):
        _mail_pipeline(deployment).process_message(body)


def _mail_pipeline(deployment: Deployment) -> MailPipeline:
    from functions.intake.mail_pipeline import MailPipeline
    from functions.intake.mail_store import MailStore

    return MailPipeline(
        storage=storage(deployment),
        root_key=aws.root_key(deployment),
        seal_original=partial(aws.seal_original, deployment),
        creator=ticket_creator(deployment),
        mail_store=MailStore(aws.client("s3"), deployment.mail_bucket),
        now=clock.now(),
    )
