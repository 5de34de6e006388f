"""A person's own views of the queues: save, rename, delete, order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from functions.core.domain import saved_views as rules
from functions.core.domain.errors import FieldError, InvalidInput, Phrase, too_long
from functions.core.platform.web import HttpResponse
from functions.core.text.masking import mask
from functions.workbench.pages.page import WorkbenchPage
from functions.workbench.pages.routing import route
from functions.workbench.queue_views import View

if TYPE_CHECKING:
    from collections.abc import Callable


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show the person's views, to rename, delete and order them."""
    username, now = page.principal.username, page.request.now
    views = page.storage.saved_views.get(page.desk, username, now, newest=True)
    return page.render("views.html", title=None, views=views)


@route("POST")
def save(page: WorkbenchPage) -> HttpResponse:
    """Save the filters of a queue under a name, and show it."""
    given = {name: values[0] for name, values in page.form.items()}
    view = View.of({**given, "words": mask(given.get("words", ""))}, page.principal.roles)
    new = rules.SavedView(id=uuid4().hex[:8], name=_name(page), filters=view.filters)
    _change(page, partial(rules.added, view=new))
    return page.redirect(page.url(**view.filters, views="1"))


@route("POST", "{view}")
def change(page: WorkbenchPage, view: str) -> HttpResponse:
    """Rename, delete or move a view."""
    action = page.field("action")
    if action == "rename":
        _change(page, partial(rules.renamed, view=view, name=_name(page)))
    elif action == "delete":
        _change(page, partial(rules.without, view=view))
    elif action in {"up", "down"}:
        _change(page, partial(rules.moved, view=view, by=1 if action == "down" else -1))
    else:
        raise InvalidInput("The form cannot be read.")
    return page.redirect(page.url("views"))


def _change(page: WorkbenchPage, changed: Callable[[rules.SavedViews], rules.SavedViews]) -> None:
    username, now = page.principal.username, page.request.now
    page.storage.saved_views.change(page.desk, username, now, changed)


def _name(page: WorkbenchPage) -> str:
    """Return the name in the form, masked.

    Raises:
        InvalidInput: there is none, or it is too long.
    """
    name = " ".join(page.field("name").split())
    problem: str | Phrase | None = None
    if not name:
        problem = "this field is required"
    elif len(name) > rules.MAX_NAME:
        problem = too_long(rules.MAX_NAME, len(name))
    if problem:
        raise InvalidInput("Some fields are invalid.", (FieldError("name", problem),))
    return mask(name)
