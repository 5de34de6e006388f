"""The routes of chats. The token that begins a chat opens it; there is no login.

A route imports its code on its first request, as in the workbench (cold start).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from functions.core.platform import web

if TYPE_CHECKING:
    from functions.assistant.calls import ChatCalls

bp = Blueprint(__name__)
CHATS, JSON = "/desks/{desk}/chats", ["application/json"]
CHAT = f"{CHATS}/{{chat}}"


@bp.route(CHATS, methods=["POST"], content_types=JSON)
def begin_chat(desk: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).begin())


@bp.route(f"{CHAT}/messages", methods=["POST"], content_types=JSON)
def write_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).write(chat))


@bp.route(f"{CHAT}/messages", methods=["GET"])
def read_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).read(chat))


@bp.route(f"{CHAT}/choice", methods=["POST"], content_types=JSON)
def choose_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).choose(chat))


@bp.route(f"{CHAT}/rating", methods=["POST"], content_types=JSON)
def rate_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).rate(chat))


@bp.route(f"{CHAT}/verification", methods=["POST"], content_types=JSON)
def verify_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).verify(chat))


@bp.route(f"{CHAT}/handover", methods=["POST"], content_types=JSON)
def hand_over_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _calls(request, desk).ask_for_person(chat))


@bp.route("/desks/{desk}/chat", methods=["GET"])
def chat_page(desk: str) -> Response:
    from functions.assistant import page

    return web.respond(bp, lambda request: page.show(request, desk), page.refusal)


@bp.route("/embed.js", methods=["GET"])
def embed_script() -> Response:
    from functions.assistant import page

    return web.respond(bp, lambda _: page.embed_script())


def _calls(request: web.Request, desk: str) -> ChatCalls:
    from functions.assistant.calls import chat_calls

    return chat_calls(request, desk)
