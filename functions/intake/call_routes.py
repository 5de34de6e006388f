"""The route that call centres report phone calls to."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from functions.core.platform import web

bp = Blueprint(__name__)


@bp.route("/desks/{desk}/channels/voice", methods=["POST"], content_types=["application/json"])
def voice(desk: str) -> Response:
    from functions.intake import calls

    return web.respond(bp, lambda request: calls.receive(request, desk))
