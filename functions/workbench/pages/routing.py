"""Find the function that answers an address below `/workbench/{desk}`.

The first part of the rest of the address names a module of this package, which declares its routes:
`/workbench/standard/tickets/CS1` is the route `{number}` of `tickets`. So a page is added by its
module alone, and a request imports no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import unquote

from functions.core.domain.errors import Phrase
from functions.core.pages.addresses import match, module_name, nothing_here, page_modules
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import require
from functions.workbench.pages.navigation import roles_of

if TYPE_CHECKING:
    from functions.workbench.pages.page import WorkbenchPage

PageFunction = Callable[..., HttpResponse]
"""Answers a request: takes a `WorkbenchPage` and the values of the pattern, by name."""

Declared = TypeVar("Declared", bound=PageFunction)
HOME = "queues"
"""The module of the address of the desk itself."""


class Route(NamedTuple):
    """A method and a pattern, such as `{number}/draft`, below a module's address."""

    method: str
    pattern: str


@dataclass(frozen=True)
class Found:
    """The function that answers, and the values of its pattern."""

    module: str
    function: PageFunction
    values: dict[str, str]

    def answer(self, page: WorkbenchPage) -> HttpResponse:
        """Answer the request.

        Raises:
            Forbidden: the page is not for the person's roles (`navigation.roles_of`).
        """
        roles = roles_of(self.module)
        if roles is not None:
            require(page.principal, roles, Phrase("open this page"))
        return self.function(page, **self.values)


def route(method: str, pattern: str = "") -> Callable[[Declared], Declared]:
    """Declare that a function answers a method at a pattern below its module's address."""

    def declare(function: Declared) -> Declared:
        declared: list[Route] = function.__dict__.setdefault("routes", [])
        declared.append(Route(method, pattern))
        return function

    return declare


def find(method: str, path: str) -> Found:
    """Find the function for a path below the desk's address.

    Raises:
        NotFound: there is none.
    """
    name, _, rest = path.strip("/").partition("/")
    name = module_name(name) or HOME
    if name in _modules():
        for declared, function in _routes(name):
            values = match(declared.pattern, rest)
            if declared.method == method and values is not None:
                given = {key: unquote(text) for key, text in values.items()}
                return Found(name, function, given)
    raise nothing_here()


def exists(name: str) -> bool:
    """Return whether there is a page of a name."""
    return name in _modules()


def _modules() -> frozenset[str]:
    return page_modules((str(Path(__file__).parent),))


def _routes(name: str) -> list[tuple[Route, PageFunction]]:
    module = import_module(f"functions.workbench.pages.{name}")
    return [
        (declared, function)
        for function in vars(module).values()
        if getattr(function, "__module__", None) == module.__name__
        for declared in getattr(function, "routes", ())
    ]
