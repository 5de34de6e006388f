"""The routes of chats. The token that begins a chat opens it; there is no login.

A route imports its code on its first request, as in the workbench (cold start).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from functions.core.domain.errors import NotFound
from functions.core.platform import aws, container, web

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from functions.assistant.calls import ChatDesk
    from functions.core.domain.rules import Locale, Playbook

bp = Blueprint(__name__)
CHATS, JSON = "/desks/{desk}/chats", ["application/json"]
CHAT = f"{CHATS}/{{chat}}"


@bp.route(CHATS, methods=["POST"], content_types=JSON)
def begin_chat(desk: str) -> Response:
    return web.respond(bp, lambda request: _desk(request, desk).begin())


@bp.route(f"{CHAT}/messages", methods=["POST"], content_types=JSON)
def write_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _desk(request, desk).write(chat))


@bp.route(f"{CHAT}/messages", methods=["GET"])
def read_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _desk(request, desk).read(chat))


@bp.route(f"{CHAT}/choice", methods=["POST"], content_types=JSON)
def choose_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _desk(request, desk).choose(chat))


@bp.route(f"{CHAT}/rating", methods=["POST"], content_types=JSON)
def rate_in_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _desk(request, desk).rate(chat))


@bp.route(f"{CHAT}/handover", methods=["POST"], content_types=JSON)
def hand_over_chat(desk: str, chat: str) -> Response:
    return web.respond(bp, lambda request: _desk(request, desk).ask_for_person(chat))


def _desk(request: web.Request, desk: str) -> ChatDesk:
    """Return the desk's chats.

    Raises:
        NotFound: there is no such desk, or it has no assistant.
    """
    from functions.assistant.calls import ChatDesk
    from functions.core.assistant.engine import ask, warm

    deployment, storage = request.deployment, container.storage(request.deployment)
    playbook = storage.playbooks.get(desk, request.now)
    if playbook.assistant is None:
        raise NotFound("This desk has no chat.")
    base = storage.knowledge.get(desk, request.now)
    return ChatDesk(
        storage=storage,
        playbook=playbook,
        assistant=playbook.assistant,
        articles={
            name: version.article
            for name, version in base.articles.items()
            if version.article.may_be_read("customer", request.now, playbook.zone)
        },
        engine=partial(ask, aws.client("lambda"), deployment, desk, playbook.assistant),
        look_up=partial(_look_up, request, playbook),
        warm=partial(warm, aws.client("lambda"), deployment, desk),
        creator=partial(container.ticket_creator, deployment),
        root_key=aws.root_key(deployment),
        public_url=partial(aws.public_url, deployment),
        request=request,
    )


def _look_up(
    request: web.Request,
    playbook: Playbook,
    variables: Collection[str],
    known: Mapping[str, str],
    locale: Locale,
) -> Mapping[str, str]:
    """Ask the desk's sources. Most answers need none, so their code is imported with the first."""
    from functions.core.assistant.look_ups import LookUps, fetch

    deployment = request.deployment

    def get(url: str, headers: Mapping[str, str]) -> bytes:
        local = aws.settings(deployment).get("local_webhooks") == "on"
        return fetch(url, headers, local=local)

    secret = partial(aws.source_secret, deployment, playbook.desk, now=request.now)
    return LookUps(playbook, secret, get, request.now).values(variables, known, locale)
