"""The routes of the agents' API about customers' phone calls."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from functions.core.platform import web
from functions.core.platform.container import storage
from functions.workbench.authorizer import agents_authorizer

bp = Blueprint(__name__)
agents, CALLS = agents_authorizer(), "/agent/desks/{desk}/calls"


@bp.route(CALLS, methods=["GET"], authorizer=agents)
def list_calls(desk: str) -> Response:
    from functions.workbench import phone_calls

    return web.respond(bp, lambda r: phone_calls.list_calls(r, storage(r.deployment), desk))


@bp.route(f"{CALLS}/{{call}}", methods=["GET"], authorizer=agents)
def show_call(desk: str, call: str) -> Response:
    from functions.workbench import phone_calls

    return web.respond(bp, lambda r: phone_calls.show_call(r, storage(r.deployment), desk, call))


@bp.route(f"{CALLS}/{{call}}/ticket", methods=["POST"], authorizer=agents)
def open_call_ticket(desk: str, call: str) -> Response:
    from functions.workbench import phone_calls

    return web.respond(bp, lambda r: phone_calls.open_ticket(r, storage(r.deployment), desk, call))


@bp.route(f"{CALLS}/{{call}}/recording", methods=["POST"], authorizer=agents)
def open_call_recording(desk: str, call: str) -> Response:
    from functions.workbench import phone_calls

    return web.respond(
        bp, lambda r: phone_calls.open_recording(r, storage(r.deployment), desk, call)
    )
