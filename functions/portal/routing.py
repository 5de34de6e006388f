"""Find the page that answers an address below `/desks/{desk}`.

A page is a module of `functions.portal.pages`: its `PATH` is its address below the desk's, and its
functions `get` and `post` answer with a `CustomerPage` and the values of the path. The path's last
part names the module, so a page is added by its module alone, and a request imports no other.
"""

from __future__ import annotations

from importlib import import_module

from functions.core.pages.addresses import match, module_name, nothing_here, page_modules
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
    name = module_name(path.rpartition("/")[2]) or HOME
    if name in page_modules(tuple(pages.__path__)):
        module = import_module(f"{pages.__name__}.{name}")
        values = match(module.PATH, path)
        function = getattr(module, request.method.lower(), None)
        if function is not None and values is not None:
            playbook = context.playbook(desk, request)
            locale = locale_of(request, playbook.locale)
            found: HttpResponse = function(
                CustomerPage(request, context, playbook, locale), **values
            )
            return found
    raise nothing_here()
