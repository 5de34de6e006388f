"""The routes of the customers' API. There is no login; `access` checks the ticket's secret link.

A route imports its code on its first request, as in the workbench (cold start).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from functions.core.domain.errors import NotFound, Refused
from functions.core.platform import aws, web
from functions.core.platform.container import storage

if TYPE_CHECKING:
    from functions.core.domain.rules import Locale
    from functions.portal import calls

bp = Blueprint(__name__)

TYPES = ["application/json", "application/x-www-form-urlencoded"]
TICKET = "/desks/{desk}/tickets/{number}"


@bp.route(TICKET, methods=["GET"], content_types=TYPES)
def ticket_status(desk: str, number: str) -> Response:
    from functions.portal import calls

    return web.respond(
        bp, lambda request: calls.show(request, _desk(request), desk, number), error_page
    )


@bp.route(f"{TICKET}/messages", methods=["POST"], content_types=TYPES)
def customer_message(desk: str, number: str) -> Response:
    return _write(desk, number, "messages")


@bp.route(f"{TICKET}/confirmation", methods=["POST"], content_types=TYPES)
def customer_confirmation(desk: str, number: str) -> Response:
    return _write(desk, number, "confirmation")


@bp.route(f"{TICKET}/survey", methods=["POST"], content_types=TYPES)
def customer_survey(desk: str, number: str) -> Response:
    return _write(desk, number, "survey")


@bp.route("/t/{code}", methods=["GET"])
def short_link(code: str) -> Response:
    from functions.portal import short_links

    return web.respond(
        bp,
        lambda request: short_links.redirect(
            request, storage(request.deployment), aws.root_key(request.deployment), code
        ),
        error_page,
    )


@bp.route("/openapi.json", methods=["GET"])
def api_description() -> Response:
    text = Path(__file__).with_name("openapi.json").read_text("utf-8")
    return web.respond(bp, lambda _: web.HttpResponse(text))


def _write(desk: str, number: str, call: str) -> Response:
    from functions.portal import calls

    return web.respond(
        bp, lambda request: calls.write(request, _desk(request), desk, number, call), error_page
    )


@bp.route("/desks/{desk}", methods=["GET"])
def unknown_page(desk: str) -> Response:
    return web.respond(bp, _nothing_here, error_page)


@bp.route("/desks/{desk}/{path+}", methods=["GET"])
def unknown_path(desk: str) -> Response:
    return web.respond(bp, _nothing_here, error_page)


def _nothing_here(request: web.Request) -> web.HttpResponse:
    raise NotFound("There is nothing at this address. Please check the link.")


def error_page(refused: Refused, locale: Locale) -> web.HttpResponse:
    from functions.portal import page

    return page.error_page(refused, locale)


def _desk(request: web.Request) -> calls.PortalContext:
    from functions.core.storage.files import Files
    from functions.portal import calls
    from functions.portal.files import keep

    bucket = request.deployment.mail_bucket
    return calls.PortalContext(
        storage(request.deployment),
        aws.root_key(request.deployment),
        lambda folder, files, rules: keep(aws.client("s3"), bucket, folder, files, rules),
        lambda file: Files(aws.client("s3"), bucket).link(file),
        lambda desk, number, words: aws.seal_original(request.deployment, desk, number, words),
    )
