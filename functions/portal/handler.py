"""The routes of the customers' API and pages. There is no login; `access` checks the secret link.

A route imports its code on its first request, as in the workbench (cold start).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from functions.core.platform import aws, web
from functions.core.platform.container import storage

if TYPE_CHECKING:
    from functions.core.domain.errors import Refused
    from functions.core.domain.rules import Locale
    from functions.portal.context import PortalContext

bp = Blueprint(__name__)

TYPES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
TICKET = "/desks/{desk}/tickets/{number}"


@bp.route(TICKET, methods=["GET"], content_types=TYPES)
def ticket_status(desk: str, number: str) -> Response:
    from functions.portal import calls

    return web.respond(
        bp, lambda request: calls.show(request, _context(request), desk, number), error_page
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


@bp.route("/desks/{desk}", methods=["GET", "POST"], content_types=TYPES)
def desk_page(desk: str) -> Response:
    return _page(desk)


@bp.route("/desks/{desk}/{path+}", methods=["GET", "POST"], content_types=TYPES)
def page_of_desk(desk: str) -> Response:
    return _page(desk)


def _write(desk: str, number: str, call: str) -> Response:
    from functions.portal import calls

    return web.respond(
        bp, lambda request: calls.write(request, _context(request), desk, number, call), error_page
    )


def _page(desk: str) -> Response:
    from functions.portal import routing

    return web.respond(
        bp, lambda request: routing.answer(request, _context(request), desk), error_page
    )


def _context(request: web.Request) -> PortalContext:
    from functions.portal.context import PortalContext

    return PortalContext.of(request.deployment)


def error_page(refused: Refused, locale: Locale, request: web.Request) -> web.HttpResponse:
    from functions.portal import page

    return page.error_page(refused, locale, request)
