"""The routes of the agents' API; each imports its code on its first request (cold start).

API Gateway checks the token before them (`authorizer`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from functions.core.platform import aws, web
from functions.core.platform.container import contact_corrector, storage, ticket_creator
from functions.workbench.authorizer import agents_authorizer

if TYPE_CHECKING:
    from functions.workbench.session import Sessions

bp = Blueprint(__name__)
agents, DESK = agents_authorizer(), "/agent/desks/{desk}"


@bp.route("/session", methods=["POST"])
def open_session() -> Response:
    return web.respond(bp, _sign_in)


@bp.route("/session/refresh", methods=["POST"])
def refresh_session() -> Response:
    return web.respond(bp, _refresh)


@bp.route("/session/mfa", methods=["POST"])
def enrol_authenticator() -> Response:
    return web.respond(bp, _enrol)


@bp.route(f"{DESK}/tickets", methods=["GET"], authorizer=agents)
def list_tickets(desk: str) -> Response:
    from functions.workbench import calls

    return web.respond(bp, lambda r: calls.list_tickets(r, storage(r.deployment), desk))


@bp.route(f"{DESK}/tickets", methods=["POST"], authorizer=agents)
def enter_ticket(desk: str) -> Response:
    from functions.workbench import calls

    return web.respond(
        bp,
        lambda r: calls.enter_ticket(r, storage(r.deployment), desk, ticket_creator(r.deployment)),
    )


@bp.route(f"{DESK}/tickets/{{number}}", methods=["GET"], authorizer=agents)
def show_ticket(desk: str, number: str) -> Response:
    from functions.workbench import calls

    return web.respond(
        bp, lambda r: calls.show_ticket(r, storage(r.deployment), desk, number, calls.files(r))
    )


@bp.route(f"{DESK}/tickets/{{number}}/{{action}}", methods=["POST"], authorizer=agents)
def act(desk: str, number: str, action: str) -> Response:
    from functions.workbench import calls
    from functions.workbench.unseal_client import unseal

    return web.respond(
        bp,
        lambda r: calls.act(
            r,
            storage(r.deployment),
            desk,
            number,
            action,
            calls.files(r),
            lambda: contact_corrector(r.deployment),
            lambda *given: unseal(aws.client("lambda"), r.deployment, *given),
            partial(aws.seal_original, r.deployment, what="outgoing"),
        ),
    )


@bp.route(f"{DESK}/me/presence", methods=["PUT"], authorizer=agents)
def set_presence(desk: str) -> Response:
    from functions.workbench import calls

    return web.respond(bp, lambda r: calls.set_presence(r, storage(r.deployment), desk))


@bp.route(f"{DESK}/customers/{{customer}}/separate", methods=["POST"], authorizer=agents)
def separate_customer(desk: str, customer: str) -> Response:
    from functions.workbench import customers

    return web.respond(bp, lambda r: customers.separate(r, storage(r.deployment), desk, customer))


@bp.route(f"{DESK}/articles", methods=["GET"], authorizer=agents)
def list_articles(desk: str) -> Response:
    from functions.workbench import articles

    return web.respond(bp, lambda r: articles.list_articles(r, storage(r.deployment), desk))


@bp.route(f"{DESK}/articles/{{article}}", methods=["GET", "PUT"], authorizer=agents)
def article(desk: str, article: str) -> Response:
    from functions.workbench import articles

    return web.respond(bp, lambda r: articles.article(r, storage(r.deployment), desk, article))


@bp.route(f"{DESK}/articles/{{article}}/phrasings", methods=["POST"], authorizer=agents)
def write_phrasings(desk: str, article: str) -> Response:
    from functions.workbench.model_calls import write_phrasings as write

    return web.respond(bp, lambda r: write(r, storage(r.deployment), desk, article))


def _sign_in(request: web.Request) -> web.HttpResponse:
    from functions.workbench import session

    sessions, now = _sessions(request), request.now
    if session.is_answer(request.body):
        return web.HttpResponse(sessions.answer(request.read(session.ChallengeAnswer), now))
    return web.HttpResponse(sessions.sign_in(request.read(session.Credentials), now))


def _refresh(request: web.Request) -> web.HttpResponse:
    from functions.workbench.session import RefreshToken

    token = request.read(RefreshToken).refresh_token
    return web.HttpResponse(_sessions(request).refresh(token, request.now))


def _enrol(request: web.Request) -> web.HttpResponse:
    from functions.workbench.session import Enrolment

    return web.HttpResponse(_sessions(request).enrol(request.read(Enrolment)))


def _sessions(request: web.Request) -> Sessions:
    from functions.workbench.session import Sessions

    client_id = aws.settings(request.deployment)["user_pool_client_id"]
    return Sessions(aws.client("cognito-idp"), client_id, storage(request.deployment))
