"""A playbook's texts with their variables filled in: plain text, in a sandbox.

The texts come from people who run a desk, hence the sandbox. Nothing is escaped: what is filled in
is escaped where it becomes HTML (`functions.notify.mail`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def fill(source: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in; one that is not among `values` stays empty.

    Raises:
        jinja2.TemplateError, TypeError, ValueError, ArithmeticError: it cannot be filled in.
    """
    return _template(source).render(values)


@lru_cache(maxsize=256)
def _template(source: str) -> Template:
    """Compiled once a container."""
    template: Template = _environment().from_string(source)
    return template


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(autoescape=False)
