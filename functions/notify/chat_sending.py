"""Send on a chat channel, within the provider's window and count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from functions.core.deliver.failures import Closed, SendFailure, Unclear, Withheld
from functions.core.domain.delivery import Delivery
from functions.core.storage.database import Storage

if TYPE_CHECKING:
    from functions.core.channels.base import OutgoingMessage
    from functions.core.services.allowances import Allowances


class OutsideWindow(Withheld):
    """The provider would refuse the message: the person has to write again first."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"outside the window of {channel}, not sent")
        self.channel = channel


class SendMessage(Protocol):
    def __call__(self, desk: str, channel: str, message: OutgoingMessage) -> str: ...


@dataclass(frozen=True)
class ChatSender:
    """Sends the chat messages of deliveries; `send` calls the provider and returns its id."""

    storage: Storage
    allowances: Allowances
    send: SendMessage

    def __call__(
        self,
        delivery: Delivery,
        contact_hash: str,
        channel: str,
        message: OutgoingMessage,
        now: datetime,
    ) -> str:
        """Send a message to the person with a contact, and return the provider's id of it.

        Raises:
            OutsideWindow: the provider would refuse it now.
            SendFailure: it is not known to have gone out.
            TryAgain: the table is busy; nothing was sent.
        """
        from functions.core.channels.base import adapter

        provider = adapter(channel)
        if provider is None:
            return self.send(delivery.desk, channel, message)  # which says so
        messages = len(provider.parts(message.text))
        allowance = self.allowances.take(delivery.desk, contact_hash, provider, now, messages)
        if allowance is None:
            raise OutsideWindow(channel)
        message = replace(message, session=self.allowances.session(allowance, now))
        healths = self.storage.channel_healths
        try:
            provider_id = self.send(delivery.desk, channel, message)
        except SendFailure as failure:
            if not isinstance(failure, Unclear):
                self.allowances.uncount(delivery.desk, contact_hash, allowance, messages)
            if isinstance(failure, Closed):
                raise OutsideWindow(channel) from failure
            healths.note_failure(delivery.desk, channel, str(failure))
            raise
        healths.note(delivery.desk, channel, "out", now)
        return provider_id
