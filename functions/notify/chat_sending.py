"""Send on a chat channel: within the provider's window and count, and findable by its reports."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep
from typing import Protocol

from functions.core.channels.base import OutgoingMessage, adapter
from functions.core.deliver.failures import Permanent, SendFailure, Unclear, Withheld
from functions.core.domain.delivery import Delivery
from functions.core.domain.errors import TryAgain
from functions.core.services.allowances import Allowances
from functions.core.storage.database import Storage

KEEPING_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between the attempts to keep a message's id."""


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
        provider = adapter(channel)
        if provider is None:
            return self.send(delivery.desk, channel, message)  # which says so
        allowance = self.allowances.take(delivery.desk, contact_hash, provider, now)
        if allowance is None:
            raise OutsideWindow(channel)
        message = replace(message, session=self.allowances.session(allowance, now))
        healths = self.storage.channel_healths
        try:
            provider_id = self.send(delivery.desk, channel, message)
        except SendFailure as failure:
            if not isinstance(failure, Unclear):
                self.allowances.give_back(delivery.desk, contact_hash, allowance)
            healths.note_failure(delivery.desk, channel, str(failure))
            raise
        healths.note(delivery.desk, channel, "out", now)
        if provider.reports_later and provider_id:
            self._keep(delivery, channel, provider_id, now)
        return provider_id

    def _keep(self, delivery: Delivery, channel: str, provider_id: str, now: datetime) -> None:
        """Keep the id of a message that was sent.

        Raises:
            Permanent: the provider has reported its failure already.
            Unclear: the table stays busy, so no report would find the delivery.
        """
        for pause in (*KEEPING_PAUSES, 0.0):
            with suppress(TryAgain):
                failed = self.storage.sent_messages.keep(channel, provider_id, delivery, now)
                if failed is not None:
                    raise Permanent(failed)
                return
            sleep(pause)
        raise Unclear("the provider accepted it, but its id could not be kept")
