"""Record the administrative acts of one person (`core/domain/audit.py` lists the acts)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from functions.core.domain.audit import AuditEntry
from functions.core.storage.audit import Audit


class Trail:
    """The acts of one person.

    Args:
        audit: returns where entries are written.
        actor: a username, or `console:…` for an operator.
        now: returns the time of an entry, aware.
    """

    def __init__(self, audit: Callable[[], Audit], actor: str, now: Callable[[], datetime]) -> None:
        self._audit, self.actor, self._now = audit, actor, now

    def entry(
        self,
        act: str,
        desk: str,
        target: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """Return an entry of this moment; see `AuditEntry` for what it must not hold."""
        return AuditEntry(
            at=self._now(),
            actor=self.actor,
            act=act,
            desk=desk,
            target=target,
            before=dict(before or {}),
            after=dict(after or {}),
        )

    def record(self, act: str, desk: str, target: str, **fields: Mapping[str, Any]) -> None:
        """Write an entry before an act that no transaction covers.

        An entry therefore says that the act was begun; it may have failed.
        """
        self._audit().record(self.entry(act, desk, target, **fields))
