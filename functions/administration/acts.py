"""Acts of administration: how one is declared, what it is given, and how it is found.

An act is a function `(administration, **given) -> JSON` of a module of this package, declared with
`@act`; its name is `<module>.<function>`, such as `roster.invite`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar

from functions.core.domain.acts import ActRequest, ActResult, Refusal
from functions.core.domain.errors import NotFound, Phrase, Refused
from functions.core.domain.roster import Role
from functions.core.domain.rules import Locale, Playbook
from functions.core.platform.settings import Deployment
from functions.core.services.rights import ANY_DESK, Caller, Principal, principal_of, require
from functions.core.services.trail import Trail
from functions.core.storage.database import Storage
from functions.core.text.error_texts import translated

MODULES = frozenset({"channels", "erasure", "playbooks", "quarantine", "roster", "webhooks"})
"""The modules with acts."""

ActFunction = Callable[..., Any]
Declared = TypeVar("Declared", bound=ActFunction)


@dataclass(frozen=True)
class Administration:
    """The person who carries out an act, the desk, and the time."""

    deployment: Deployment
    storage: Storage
    principal: Principal
    locale: Locale
    now: datetime

    @property
    def desk(self) -> str:
        return self.principal.desk

    @cached_property
    def playbook(self) -> Playbook:
        return self.storage.playbooks.get(self.desk, self.now)

    @cached_property
    def trail(self) -> Trail:
        """The trail under the person's name."""
        return Trail(lambda: self.storage.audit, self.principal.username, lambda: self.now)


def act(*roles: Role) -> Callable[[Declared], Declared]:
    """Declare that a function is an act, and which roles may carry it out."""

    def declare(function: Declared) -> Declared:
        function.__dict__["roles"] = frozenset(roles)
        return function

    return declare


def answer(
    request: ActRequest, deployment: Deployment, storage: Storage, now: datetime
) -> ActResult:
    """Carry out an act, and return its result or why it was refused.

    The person's roles are read again: whoever may invoke the function has no right by that alone.
    """
    caller = Caller(request.username, frozenset({request.desk, ANY_DESK}))
    try:
        principal = principal_of(storage, caller, request.desk, now)
        administration = Administration(deployment, storage, principal, request.locale, now)
        return ActResult(result=_carry_out(administration, request))
    except Refused as refused:
        errors = [
            (each.field, translated(each.message, request.locale))
            for each in getattr(refused, "errors", ())
        ]
        detail = translated(refused.detail, request.locale)
        return ActResult(refusal=Refusal(kind=type(refused).__name__, detail=detail, errors=errors))


def _carry_out(administration: Administration, request: ActRequest) -> Any:
    module, _, name = request.act.partition(".")
    found: ActFunction | None = None
    if module in MODULES:
        found = getattr(import_module(f"functions.administration.{module}"), name, None)
    roles: frozenset[Role] | None = getattr(found, "roles", None)
    if found is None or roles is None:
        raise NotFound("There is no such act.")
    require(administration.principal, roles, Phrase("do this"))
    return found(administration, **request.given)
