"""A request for a page of a desk's customers, and how pages are rendered.

The link's key must not leave the page: no referrer is sent, nothing is loaded from elsewhere, and
no cache keeps it (OWASP, "Content Security Policy Cheat Sheet"). Pages lead on by relative
addresses, since a desk may have a domain of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from functions.core.domain.errors import InvalidInput, NotFound, Refused
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.ticket import Ticket
from functions.core.pages.rendering import Pages
from functions.core.pages.security import page_headers
from functions.core.platform.web import HttpResponse, Request
from functions.core.text.error_texts import translated
from functions.core.text.tables import read_table

if TYPE_CHECKING:
    from functions.portal.access import Proof
    from functions.portal.context import PortalContext

TEXTS = read_table("portal")
PAGES = Pages(Path(__file__).parent / "templates", TEXTS)

HEADERS = page_headers()
"""Headers of every page."""


@dataclass(frozen=True)
class CustomerPage:
    """A request for a page of a desk.

    Attributes:
        kept: the parameters that a change of the language keeps, such as the key of a link.
    """

    request: Request
    context: PortalContext
    playbook: Playbook
    locale: Locale
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> str:
        return self.playbook.desk

    @property
    def now(self) -> datetime:
        return self.request.now

    def authorize(self, number: str) -> tuple[Ticket, Proof]:
        """Return a ticket that the caller may see, and the proof; as `access.authorize` says."""
        from functions.portal import access

        return access.authorize(
            self.context.storage, self.playbook, self.context.root, self.request, number
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every page."""
        return HEADERS

    def say(self, key: str, **values: object) -> str:
        """Return a text in the language of the page."""
        return PAGES.say(key, locale=self.locale, **values)

    def render(self, template: str, title: str, status: int = 200, **values: Any) -> HttpResponse:
        """Answer with a page; `page` in the template is this object."""
        root = self.request.root
        html = PAGES.render(
            template,
            self.locale,
            root,
            page=self,
            title=title,
            desk_name=self.playbook.name[self.locale],
            home=f"{root}/desks/{quote(self.desk)}",
            kept=self.kept if self.request.method == "GET" else None,
            **values,
        )
        return HttpResponse(html, status, HEADERS, content_type="text/html")


def error_page(refused: Refused, locale: Locale, request: Request) -> HttpResponse:
    """Render a refusal: what it says, what is wrong with each field, and where to go on."""
    from functions.core.platform import container

    errors = refused.errors if isinstance(refused, InvalidInput) else ()
    title, *texts = (
        translated(text, locale)
        for text in (refused.title, refused.detail, *(each.message for each in errors))
    )
    desk, number = request.params.get("desk", ""), request.params.get("number", "")
    if isinstance(refused, NotFound) and number:
        title = PAGES.say("error.link.title", locale=locale)
        texts.append(PAGES.say("error.link", locale=locale))
    known = bool(desk) and container.desk_locale(request.deployment, desk) is not None
    home = f"{request.root}/desks/{quote(desk)}" if known else ""
    html = PAGES.render(
        "error.html",
        locale,
        request.root,
        title=title,
        texts=texts,
        desk_name="",
        home=home,
        kept=None,
        back=_back(request, home, number, locale) if refused.status not in {401, 404} else "",
    )
    return HttpResponse(html, refused.status, HEADERS, content_type="text/html")


def _back(request: Request, home: str, number: str, locale: Locale) -> str:
    """The address of the ticket's page, "" if the request is not about one."""
    key = request.query.get("key")
    if not (home and number and key):
        return ""
    return f"{home}/tickets/{quote(number)}?{urlencode({'key': key, 'lang': locale})}"
