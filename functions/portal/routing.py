"""Find the page that answers an address below `/desks/{desk}`.

A page is a module of `functions.portal.pages`: its `PATH` is its address below the desk's, and its
functions `get` and `post` answer with a `CustomerPage` and the values of the path. The path's last
part names the module, so a page is added by its module alone, and a request imports no other.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path

from functions.core.domain.errors import NotFound
from functions.core.platform.web import HttpResponse, Request, locale_of
from functions.portal import pages
from functions.portal.context import PortalContext
from functions.portal.page import CustomerPage

HOME = "file"
"""The module of the desk's own address."""


def answer(request: Request, context: PortalContext, desk: str) -> HttpResponse:
    """Answer with the page at an address.

    Raises:
        NotFound: there is none, or no such desk.
    """
    path = request.params.get("path", "").strip("/")
    name = path.rpartition("/")[2].replace("-", "_") or HOME
    if name in _modules(tuple(pages.__path__)):
        module = import_module(f"{pages.__name__}.{name}")
        values = _match(module.PATH, path)
        function = getattr(module, request.method.lower(), None)
        if function is not None and values is not None:
            playbook = context.playbook(desk, request)
            locale = locale_of(request, playbook.locale)
            found: HttpResponse = function(
                CustomerPage(request, context, playbook, locale), **values
            )
            return found
    raise NotFound("There is nothing at this address. Please check the link.")


@lru_cache(maxsize=4)
def _modules(folders: tuple[str, ...]) -> frozenset[str]:
    return frozenset(path.stem for folder in folders for path in Path(folder).glob("[a-z]*.py"))


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """Return the values of a pattern's names in a path, None if it does not match."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    values = {}
    for part, text in zip(wanted, given, strict=True):
        if part.startswith("{") and text:
            values[part[1:-1]] = text
        elif part != text:
            return None
    return values
