"""The allowance of one person on a chat channel: until when, and how many messages (B8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

BELIEVED = timedelta(days=7)
"""The age up to which a message's own time counts. No provider delivers later than that, so an
older time is a wrong clock."""


@dataclass(frozen=True)
class Allowance:
    """The known part of a person's window; without `until` nothing is, and the provider decides.

    `left` is the number of messages that may still be sent, None for any number. `session` is the
    provider's handle, sealed, by which the person can be answered until `session_until`.
    """

    until: datetime | None = None
    left: int | None = None
    session: str = ""
    session_until: datetime | None = None

    def permits(self, now: datetime, messages: int) -> bool:
        """Return whether the channel accepts messages now."""
        if self.until is None:
            return True
        return now < self.until and (self.left is None or self.left >= messages)

    def opened(self, until: datetime, count: int | None) -> Allowance:
        """Return the allowance after an event that opens a window.

        A window that ends no later than the known one changes nothing: it is that of a message that
        came late, or of somebody who enters again.
        """
        if self.until is not None and until <= self.until:
            return self
        return replace(self, until=until, left=count)

    def closed(self, at: datetime) -> Allowance:
        """Return the allowance of a person who left the channel."""
        return Allowance(until=at, left=0)

    def with_session(self, session: str, until: datetime) -> Allowance:
        return replace(self, session=session, session_until=until)

    def session_at(self, now: datetime) -> str:
        """Return the sealed handle while it is valid, "" afterwards."""
        return self.session if self.session_until and now < self.session_until else ""


UNKNOWN = Allowance()


def moment_of(at: datetime | None, now: datetime) -> datetime:
    """Return when a message was written, as its provider says, or when it came."""
    return at if at is not None and now - BELIEVED <= at <= now else now
