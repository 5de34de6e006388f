"""The sessions of agents' browsers: who signed in, sealed with the key that only the cookie has."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from functions.core.storage.table import Item, key
from functions.core.text.tokens import derive

if TYPE_CHECKING:
    from functions.core.storage.table import Table

SORT_KEY = "SESSION"


@dataclass(frozen=True)
class PageSession:
    """A session of a browser.

    Attributes:
        claims: those of the identity token, of which rights derive.
        refresh_token: renews it, once an hour.
        renew_at: when the token ends.
        ends_at: when the person has to sign in again.
    """

    claims: dict[str, object]
    refresh_token: str
    renew_at: datetime
    ends_at: datetime


@dataclass
class PageSessions:
    """The sessions of all browsers; the table has no cookie, and nothing that opens a session."""

    table: Table

    def get(self, cookie: str, now: datetime) -> PageSession | None:
        """Return the session of a cookie, None if there is none or it has ended."""
        from cryptography.fernet import Fernet

        item = self.table.get(_partition(cookie), SORT_KEY)
        if item is None or "body" not in item:
            return None
        stored = json.loads(Fernet(_key(cookie)).decrypt(item["body"]["S"]))
        session = PageSession(
            claims=stored["claims"],
            refresh_token=stored["refresh_token"],
            renew_at=datetime.fromisoformat(stored["renew_at"]),
            ends_at=datetime.fromisoformat(stored["ends_at"]),
        )
        return session if now < session.ends_at else None

    def put(self, cookie: str, session: PageSession) -> None:
        from cryptography.fernet import Fernet

        body = json.dumps(
            {
                "claims": session.claims,
                "refresh_token": session.refresh_token,
                "renew_at": session.renew_at.isoformat(),
                "ends_at": session.ends_at.isoformat(),
            }
        )
        item: Item = key(_partition(cookie), SORT_KEY) | {
            "body": {"S": Fernet(_key(cookie)).encrypt(body.encode()).decode()},
            "expires_at": {"N": str(int(session.ends_at.timestamp()))},
        }
        self.table.client.put_item(TableName=self.table.name, Item=item)

    def end(self, cookie: str, now: datetime) -> None:
        """End a session: what it had is overwritten, because no function may delete an item."""
        item: Item = key(_partition(cookie), SORT_KEY)
        item |= {"expires_at": {"N": str(int(now.timestamp()))}}
        self.table.client.put_item(TableName=self.table.name, Item=item)


def _partition(cookie: str) -> str:
    return f"SESSION#{sha256(cookie.encode()).hexdigest()[:32]}"


def _key(cookie: str) -> bytes:
    return urlsafe_b64encode(derive(cookie.encode(), "session"))
