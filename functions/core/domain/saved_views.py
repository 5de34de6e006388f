"""The views of a desk's queues: a queue and what of it is shown. Pure."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from functions.core.domain.errors import ActionNotAllowed, NotFound, Phrase
from functions.core.domain.privacy import FreeText, TermName
from functions.core.domain.ticket import Value

MAX_VIEWS = 20
"""The most views that a person saves at a desk."""

MAX_NAME = 40

FILTERS = ("queue", "status", "type", "priority", "tag", "due", "words")
"""The parameters of a view, in the order of its address."""

MAX_VALUE = 100
"""The characters of a filter's value."""


class SavedView(Value):
    """A view that a person has saved: its name, masked, and its filters."""

    id: TermName
    name: FreeText
    filters: Annotated[dict[str, FreeText], Field(max_length=len(FILTERS))] = {}


SavedViews = tuple[SavedView, ...]


def filters_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return the filters among the parameters of an address or a form."""
    texts = {name: given.get(name, "").strip()[:MAX_VALUE] for name in FILTERS}
    return {name: text for name, text in texts.items() if text}


def added(views: SavedViews, view: SavedView) -> SavedViews:
    """Return the views with one more, or with another name for the same filters.

    Raises:
        ActionNotAllowed: there are `MAX_VIEWS` already.
    """
    others = tuple(each for each in views if each.filters != view.filters)
    if len(others) >= MAX_VIEWS:
        raise ActionNotAllowed(
            Phrase("You have {limit} views already. Delete one first.", limit=MAX_VIEWS)
        )
    return (*others, view)


def renamed(views: SavedViews, view: str, name: str) -> SavedViews:
    """Return the views, one of them under another name."""
    found = _found(views, view)
    new = found.model_copy(update={"name": name})
    return tuple(new if each is found else each for each in views)


def without(views: SavedViews, view: str) -> SavedViews:
    """Return the views without one; it may be gone already."""
    return tuple(each for each in views if each.id != view)


def moved(views: SavedViews, view: str, by: int) -> SavedViews:
    """Return the views, one of them so many places later."""
    found = _found(views, view)
    place = max(0, min(views.index(found) + by, len(views) - 1))
    others = list(_but(views, found))
    others.insert(place, found)
    return tuple(others)


def _but(views: Iterable[SavedView], view: SavedView) -> Iterable[SavedView]:
    return (each for each in views if each is not view)


def _found(views: SavedViews, view: str) -> SavedView:
    for each in views:
        if each.id == view:
            return each
    raise NotFound("There is no such view.")
