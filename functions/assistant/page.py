"""The chat's page, and the script that puts it on other sites (H2).

Only the sites of a playbook's `assistant.embed_on` may show the page in a frame. The script has one
address for ever; a page of another site contains it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from functions.core.assistant.dialogue import welcome
from functions.core.domain.chat import MAX_TEXT
from functions.core.domain.errors import Refused
from functions.core.domain.rules import LOCALES, Locale
from functions.core.pages.assets import asset
from functions.core.pages.rendering import Pages
from functions.core.pages.security import page_headers
from functions.core.platform import container
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.core.text.error_texts import translated
from functions.core.text.tables import read_table

_HERE = Path(__file__).parent
TEXTS = read_table("chat_page")
IN_SCRIPT = {
    "customer": "chat_page.from.customer",
    "assistant": "chat_page.from.assistant",
    "agent": "chat_page.from.agent",
    "system": "chat_page.from.system",
    "too_long": "chat_page.too_long",
    "score": "chat_page.score",
    "offline": "chat_page.offline",
}
"""The texts that the page's script puts in, by its names for them."""
PAGES = Pages(_HERE / "templates", TEXTS)

EMBED_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def show(request: Request, desk: str) -> HttpResponse:
    """Show a desk's chat; without an assistant, the way to the desk's form.

    Raises:
        NotFound: there is no such desk.
    """
    playbook = container.storage(request.deployment).playbooks.get(desk, request.now)
    assistant, locale = playbook.assistant, locale_of(request, playbook.locale)
    embedded = request.query.get("embed") == "1"
    texts = {name: TEXTS[key][locale] for name, key in IN_SCRIPT.items()}
    html = PAGES.render(
        "chat.html" if assistant else "no_chat.html",
        locale,
        request.root,
        title=f"{PAGES.say('chat_page.title', locale=locale)} · {playbook.name[locale]}",
        name=playbook.name[locale],
        desk=desk,
        embedded=embedded,
        welcome=welcome(assistant, locale, known=False) if assistant else "",
        texts=json.dumps(texts, ensure_ascii=False),
        limit=MAX_TEXT,
        privacy=playbook.privacy,
        module=_module,
    )
    allowed = assistant.embed_on if assistant and embedded else ()
    headers = page_headers(ancestors=" ".join(allowed) or "'none'")
    return HttpResponse(html, headers=headers, content_type="text/html")


def _module(name: str) -> str:
    """Return the address of a script as another script imports it: they are in one folder."""
    return f"./{asset(name).rpartition('/')[2]}"


def refusal(refused: Refused, locale: Locale, request: Request) -> HttpResponse:
    """Answer with a refusal as a page."""
    html = PAGES.render(
        "chat_refusal.html",
        locale,
        request.root,
        title=translated(refused.title, locale),
        detail=translated(refused.detail, locale),
    )
    return HttpResponse(html, refused.status, page_headers(), content_type="text/html")


def embed_script() -> HttpResponse:
    """Return the script for other sites, with its texts."""
    return HttpResponse(_script(), headers=EMBED_HEADERS, content_type="text/javascript")


@lru_cache(maxsize=1)
def _script() -> str:
    said, unread = TEXTS["chat_page.button"], TEXTS["chat_page.button.new"]
    button = {locale: (said[locale], unread[locale]) for locale in LOCALES}
    source = (_HERE / "embed.js").read_text("utf-8")
    return source.replace('"TEXTS"', json.dumps(button, ensure_ascii=False))
