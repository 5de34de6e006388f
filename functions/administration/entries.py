"""An entry of the quarantine, and its text for whoever reads it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from functions.core.domain.errors import DeadLetter
from functions.core.storage.quarantined import as_metadata

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)
"""Control characters except tab and newline, characters that reorder or hide text, and unpaired
surrogates, which no encoding can write."""


NO_DESK = "-"
"""The desk of an entry that belongs to none, or to several."""

CANNOT_BE_READ = "It cannot be read. Discard it."


@dataclass(frozen=True)
class QuarantineEntry:
    """A dead letter, a quarantined mail or chat call, or a failed closing workflow."""

    id: str
    """The SQS message's id, the key in the mail bucket, or the execution's name."""

    function: str
    """The source: `mail`, `router`, `notify`, `sla_timer`, `chat`, `form` or `closing`."""

    at: datetime
    cause: str
    keys: Mapping[str, str]
    """The table keys `pk` and `sk` of the item concerned, or `mail`, its key in the mail bucket."""

    desk: str
    body: Any
    """The whole record; None for an object in the mail bucket."""

    receipt: str = ""
    """The SQS receipt handle of a dead letter."""

    verdicts: Mapping[str, Any] = field(default_factory=dict)
    """SES's checks of a mail."""

    call: Mapping[str, Any] = field(default_factory=dict)
    """For a chat channel's call or a form: the desk, channel, query and time to read it with."""

    unreadable: bool = False
    """True if it does not have the form of its kind; `body` is then its text as it was found."""

    discarded: str = ""
    """The person who discarded the entry, and the reason; empty before."""

    sender: str = ""
    title: str = ""
    """The sender and the subject of a mail, masked, where its beginning was read."""

    @property
    def subject(self) -> str:
        pk = self.keys.get("pk", "")
        if pk:
            return f"{pk.rpartition('#')[2]} {self.keys.get('sk', '')}".strip()
        return self.keys.get("mail", "")

    @property
    def number(self) -> str:
        """The number of the ticket concerned, "" if there is none."""
        kind, _, rest = self.keys.get("pk", "").partition("#")
        return rest.rpartition("#")[2] if kind == "TICKET" else ""

    @property
    def infected(self) -> bool:
        """Return whether the scanner found a virus in the mail."""
        verdict = self.verdicts.get("virusVerdict")
        return isinstance(verdict, Mapping) and verdict.get("status") == "FAIL"

    @property
    def is_mail(self) -> bool:
        """Return whether this is a mail, not a chat's request, a form or another's entry."""
        return self.function == "mail" and not self.call and not self.id.endswith(".json")

    @property
    def is_batch(self) -> bool:
        """Return whether this is a stream batch that Lambda discarded: positions, no records."""
        return isinstance(self.body, dict) and "DDBStreamBatchInfo" in self.body

    @property
    def is_delivery(self) -> bool:
        return self.keys.get("sk", "").startswith("DELIVERY#")

    def metadata(self, mail: str) -> dict[str, str]:
        return {
            "function": self.function,
            "cause": as_metadata(self.cause, 400),
            "mail": as_metadata(mail, 200),
            "verdicts": json.dumps(dict(self.verdicts)),
            "call": as_metadata(json.dumps(dict(self.call)), 1000),
        }


UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError, DeadLetter)
"""The errors of reading an entry that does not have the form of its kind."""


def unreadable_cause(error: Exception) -> str:
    return f"unreadable: not in the form of such an entry ({type(error).__name__})"


def printable(text: str) -> str:
    """Escape the characters of untrusted text that could control a terminal or mislead a reader."""
    text = text.replace("\r\n", "\n")
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
