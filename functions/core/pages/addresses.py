"""Addresses of pages: a module of a package is the page, or the pages, of its name.

So a page is added by its module alone, and a request imports no other.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from functions.core.domain.errors import NotFound


@lru_cache(maxsize=8)
def page_modules(folders: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the modules in a package's folders (`tuple(package.__path__)`)."""
    return frozenset(path.stem for folder in folders for path in Path(folder).glob("[a-z]*.py"))


def module_name(part: str) -> str:
    """Return the module that a part of an address names: `lost-link` is `lost_link`."""
    return part.replace("-", "_")


def match(pattern: str, path: str) -> dict[str, str] | None:
    """Return the values of a pattern's names, such as `{number}/draft`, in a path.

    None if it does not match; a name matches one part that is not empty.
    """
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


def nothing_here() -> NotFound:
    """Return the refusal of an address without a page."""
    return NotFound("There is nothing at this address. Please check the link.")
