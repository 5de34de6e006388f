"""Limit the tickets of unproven customers: what is over a limit waits in quarantine (G9).

The playbook's `unproven_tickets` says how many a desk takes in an hour, and how many from one
source. The source's address is stored as a keyed hash for two hours, never in clear.
"""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from functions.core.domain.errors import Quarantined
from functions.core.domain.rules import Playbook
from functions.core.storage.counters import Counters
from functions.core.text.tokens import source_hash


@dataclass(frozen=True)
class Flooding:
    """The limits of one desk's unproven tickets. `root_key` is the deployment's root key."""

    counters: Counters
    root_key: bytes
    playbook: Playbook
    now: datetime

    def require_admitted(self, source: str = "") -> None:
        """Count a new ticket of an unproven customer.

        Args:
            source: the internet address that the request came from; empty if it is unknown.

        Raises:
            Quarantined: the source or the desk has used up its limit of this hour.
        """
        limits = self.playbook.unproven_tickets
        # All callers of the local system share one address, and its desks are for trying things
        # out: there a limit applies if the playbook names it.
        local = is_local(source)
        # The source first: what it has too many of must not use up the desk's limit.
        if source and (not local or "per_source" in limits.model_fields_set):
            self._require("source", source_hash(self.root_key, source), limits.per_source)
        if not local or "per_desk" in limits.model_fields_set:
            self._require("desk", "", limits.per_desk)

    def _require(self, whose: str, name: str, limit: int) -> None:
        counter = f"new#{name}" if name else "new"
        local = self.now.astimezone(self.playbook.zone)
        if not self.counters.admits(self.playbook.desk, counter, limit, "hour", local):
            raise Quarantined(f"flood: over {limit} unproven tickets an hour of this {whose}")


def is_local(source: str) -> bool:
    """Return whether a request came from the machine that serves it."""
    try:
        return ip_address(source).is_loopback
    except ValueError:
        return False
