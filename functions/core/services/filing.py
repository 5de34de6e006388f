"""File requests from the open form, by HTTP or from its page, once and within limits (A1, G1, G9).

A request that is over a limit of `flooding` waits in quarantine: its sender is told so, and
`deskbell quarantine replay` files it with the time at which it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from functions.core.domain.errors import Quarantined
from functions.core.domain.events import Attachment
from functions.core.domain.rules import Playbook
from functions.core.services.create_ticket import (
    CreatedTicket,
    NewTicket,
    Source,
    TicketCreator,
    TicketRequest,
)
from functions.core.services.flooding import Flooding
from functions.core.storage.idempotency import IdempotencyRecord

FORM = "form"
"""The channel of idempotency records and quarantined requests of the open form."""

_KEY_LIMIT = 600
"""The maximum characters of an idempotency key in an object's metadata, percent-encoded. A request
with a longer one is filed once as well, but its sender's own repetition is not recognised."""

StoreQuarantined = Callable[[bytes, str, str, str, Mapping[str, Any]], None]
"""Stores a request's body under a key, with its desk, the cause, and the call to repeat."""


@dataclass(frozen=True)
class SentForm:
    """A request as the open form sent it.

    Attributes:
        content: the JSON that `body` was read from, kept if the request has to wait.
        key: the idempotency key, "" for none.
        source: the internet address that it came from.
        keep: stores its files, if it has some (`TicketRequest.keep`).
        suspect: the reason to keep it for a person to look at, if any.
    """

    content: bytes
    body: NewTicket
    now: datetime
    key: str = ""
    source: str = ""
    privacy_version: str | None = None
    keep: Callable[[str], tuple[Attachment, ...]] | None = None
    suspect: str | None = None


@dataclass(frozen=True)
class FormFiling:
    """Files requests from the open form."""

    creator: TicketCreator
    quarantine: StoreQuarantined

    def file(self, playbook: Playbook, sent: SentForm) -> CreatedTicket:
        """Create the ticket of a form, once.

        Raises:
            InvalidInput, KeyReused, TryAgain: as `TicketCreator.create` says.
            Quarantined: it waits for a person; it is stored.
        """
        root = self.creator.root_key
        flooding = Flooding(self.creator.storage.counters, root, playbook, sent.now)

        def admit() -> None:
            if sent.suspect:
                raise Quarantined(sent.suspect)
            flooding.require_admitted(sent.source)

        asked = TicketRequest(
            sent.body,
            sent.now,
            source=Source(privacy_version=sent.privacy_version),
            idempotency=form_record(playbook.desk, sent.key, sent.body),
            admit=admit,
            keep=sent.keep,
        )
        try:
            return self.creator.create(playbook, asked)
        except Quarantined as error:
            self._quarantine(playbook.desk, sent, str(error))
            raise

    def _quarantine(self, desk: str, sent: SentForm, cause: str) -> None:
        """Keep a request whole; a repetition under the same key replaces it."""
        # Without a key two equal requests are two requests.
        key = sent.key
        name = sha256(f"{desk}\0{key}".encode()).hexdigest() if key else uuid4().hex
        call = {"desk": desk, "channel": FORM, "query": {}, "at": sent.now.isoformat()}
        if sent.privacy_version:
            call["privacy"] = sent.privacy_version
        if key and len(quote(key)) <= _KEY_LIMIT:
            call["id"] = key
        self.quarantine(sent.content, f"form-{name}", desk, cause, call)


def form_record(desk: str, key: str, body: NewTicket) -> IdempotencyRecord | None:
    """Return the idempotency record of a form, None without a key."""
    return IdempotencyRecord(desk, FORM, key, body=body.digest) if key else None
