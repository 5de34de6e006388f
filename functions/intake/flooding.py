"""Limit the tickets of unproven customers: what is over a limit waits in quarantine (G9).

The playbook's `unproven_tickets` says how many a desk takes in an hour, and how many from one
source. The source's address is stored as a keyed hash for two hours, never in clear.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network

from functions.core.domain.errors import Quarantined
from functions.core.domain.rules import Playbook
from functions.core.storage.counters import Counters
from functions.core.text.tokens import derive

_NETWORK_BITS = 64
"""The part of an IPv6 address that names a customer's network; the rest he chooses freely."""


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
        local = _is_local(source)
        # The source first: what it has too many of must not use up the desk's limit.
        if source and (not local or "per_source" in limits.model_fields_set):
            self._require("source", self._hash(source), limits.per_source)
        if not local or "per_desk" in limits.model_fields_set:
            self._require("desk", "", limits.per_desk)

    def _require(self, whose: str, name: str, limit: int) -> None:
        counter = f"new#{name}" if name else "new"
        local = self.now.astimezone(self.playbook.zone)
        if not self.counters.admits(self.playbook.desk, counter, limit, "hour", local):
            raise Quarantined(f"flood: over {limit} unproven tickets an hour of this {whose}")

    def _hash(self, source: str) -> str:
        digest = hmac.digest(derive(self.root_key, "source"), _network(source).encode(), "sha256")
        return urlsafe_b64encode(digest[:12]).decode()


def _is_local(source: str) -> bool:
    try:
        return ip_address(source).is_loopback
    except ValueError:
        return False


def _network(source: str) -> str:
    """Return the network that an address belongs to, or the text itself if it is none."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(ip_network((address, _NETWORK_BITS), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)
