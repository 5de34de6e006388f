"""The routes of the agents' API; each imports its code on its first request (cold start).

API Gateway checks the token before them (`authorizer`).
"""

from __future__ import annotations

from functools import partial

from chalice.app import Blueprint, Response

from functions.core.platform import aws, web
from functions.core.platform.container import contact_corrector, storage, ticket_creator
from functions.workbench.authorizer import agents_authorizer

bp = Blueprint(__name__)
agents, DESK = agents_authorizer(), "/agent/desks/{desk}"


@bp.route("/session", methods=["POST"])
def open_session() -> Response:
    from functions.workbench import session

    return web.respond(bp, lambda r: session.sign_in(r, storage(r.deployment)))


@bp.route("/session/refresh", methods=["POST"])
def refresh_session() -> Response:
    from functions.workbench import session

    return web.respond(bp, lambda r: session.refresh(r, storage(r.deployment)))


@bp.route("/session/mfa", methods=["POST"])
def enrol_authenticator() -> Response:
    from functions.workbench import session

    return web.respond(bp, lambda r: session.enrol(r, storage(r.deployment)))


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
    from functions.workbench import calls, unseal_client

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
            partial(unseal_client.unseal, r.deployment),
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
    from functions.workbench import model_calls

    return web.respond(
        bp, lambda r: model_calls.write_phrasings(r, storage(r.deployment), desk, article)
    )


@bp.route(f"{DESK}/proposals", methods=["GET"], authorizer=agents)
def list_proposals(desk: str) -> Response:
    from functions.workbench import proposals

    return web.respond(bp, lambda r: proposals.list_proposals(r, storage(r.deployment), desk))


@bp.route(f"{DESK}/proposals/{{proposal}}", methods=["POST"], authorizer=agents)
def decide_proposal(desk: str, proposal: str) -> Response:
    from functions.workbench import proposals

    return web.respond(
        bp, lambda r: proposals.decide_proposal(r, storage(r.deployment), desk, proposal)
    )
