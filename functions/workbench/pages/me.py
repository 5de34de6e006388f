"""The person's own settings: whether they take tickets, and the language of the pages."""

from __future__ import annotations

from dataclasses import replace

from functions.core.platform.web import HttpResponse
from functions.core.text.words import nearest_locale
from functions.workbench import calls
from functions.workbench.pages import language
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route


@route("POST", "presence")
def set_presence(page: WorkbenchPage) -> HttpResponse:
    """Begin or end to take tickets."""
    online = page.field("online") == "true"
    calls.set_presence(page.calling({"online": online}), page.storage, page.desk)
    if page.is_fragment:
        return page.render("presence.html")
    return page.redirect(page.url())


@route("POST", "language")
def set_language(page: WorkbenchPage) -> HttpResponse:
    """Remember the language that the person reads."""
    chosen = nearest_locale(page.field("language")) or page.locale
    return replace(page.redirect(page.url()), cookies=[language.cookie(chosen)])
