"""Keep what chat channels accept for a person, and ask it before each message (B8).

A window opens with a message, a tapped choice, or when a person enters or follows; the adapter says
for how long and for how many messages. A conversation without a record is of an earlier version, or
of a channel without windows: the provider decides.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from functions.core.domain.allowance import Allowance, moment_of
from functions.core.domain.errors import TryAgain
from functions.core.storage.contacts import Contacts, Conversation
from functions.core.text.tokens import derive, lock, unlock

if TYPE_CHECKING:
    from functions.core.channels.base import Adapter, IncomingMessage


@dataclass(frozen=True)
class Allowances:
    """The allowances of all desks; `root_key` is the deployment's, which seals session handles."""

    contacts: Contacts
    root_key: bytes

    def after(
        self,
        conversation: Conversation,
        adapter: Adapter,
        message: IncomingMessage,
        now: datetime,
        *,
        answers: int = 0,
    ) -> Conversation:
        """Return a conversation with what a message allows; the same one if nothing changes.

        Args:
            answers: the messages that are being sent as answer to it, uncounted.
        """
        allowance, at = conversation.allowance, moment_of(message.at, now)
        opened = _opened_by(message)
        window = adapter.windows.get(opened) if opened else None
        if message.kind == "unsubscribed" and adapter.windows:
            allowance = allowance.closed(at)
        elif window is not None:
            count = None if window.count is None else max(window.count - answers, 0)
            allowance = allowance.opened(at + window.duration, count)
        until = message.session_until
        if message.session and until is not None and until > now:
            allowance = allowance.with_session(lock(message.session, self._key), until)
        return replace(conversation, allowance=allowance)

    def take(
        self, desk: str, contact_hash: str, adapter: Adapter, now: datetime, messages: int = 1
    ) -> Allowance | None:
        """Return what a channel accepts for a person, and count messages; None if it does not take
        them.

        Costs one call to the table: an update if the channel counts, else a read.
        """
        counts = any(window.count is not None for window in adapter.windows.values())
        counted = self.contacts.count(desk, contact_hash, now, messages) if counts else None
        allowance = counted or self.contacts.allowance(desk, contact_hash)
        return allowance if counted or allowance.permits(now, messages) else None

    def uncount(self, desk: str, contact_hash: str, allowance: Allowance, messages: int) -> None:
        """Take back the count of messages that did not go out."""
        with suppress(TryAgain):  # some messages fewer until the person writes again
            self.contacts.uncount(desk, contact_hash, allowance, messages)

    def session(self, allowance: Allowance, now: datetime) -> str:
        """Return the provider's handle for a person, "" if none is valid."""
        sealed = allowance.session_at(now)
        return unlock(sealed, self._key) if sealed else ""

    @property
    def _key(self) -> str:
        return urlsafe_b64encode(derive(self.root_key, "session")).decode()


def _opened_by(message: IncomingMessage) -> Literal["message", "subscribed"] | None:
    """Return which window a message opens, None for a correction and for events that open none.

    A menu is entering, but a tapped choice is a message.
    """
    from functions.core.channels.base import EVENTS

    if message.kind == "subscribed" or (message.kind == "menu" and not message.choice):
        return "subscribed"
    if message.kind == "menu" or (message.kind not in EVENTS and message.opens):
        return "message"
    return None
