"""The routes of the workbench's pages and of static files; `pages.routing` finds a page."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from functions.core.platform import web

bp = Blueprint(__name__)

FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"]


@bp.route("/workbench", methods=["GET", "POST"], content_types=FORMS)
def sign_in_page() -> Response:
    from functions.workbench.pages import calls

    return web.respond(bp, calls.answer_sign_in, calls.failed)


@bp.route("/workbench/{path+}", methods=["GET", "POST"], content_types=FORMS)
def workbench_page() -> Response:
    from functions.workbench.pages import calls

    return web.respond(
        bp, lambda request: calls.answer(request, request.params["path"]), calls.failed
    )


@bp.route("/static/{name}", methods=["GET"])
def static_file(name: str) -> Response:
    from functions.core.pages import assets

    return web.respond(bp, lambda _: assets.serve(name))
