"""A draft: what an agent writes on a ticket, before and for ten seconds after it is sent (H3).

Answer and note have a text each, so that nothing written for colleagues becomes an answer by a
change of frame. What was sent waits as `outgoing` until it can no longer be taken back; meanwhile
the agent may write on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from functions.core.domain.playbook_types import Locale
from functions.core.domain.privacy import FreeText, TermName
from functions.core.domain.ticket import Value

Frame = Literal["reply", "note"]
"""For whom a text is: the customer, or colleagues."""

TAKE_BACK_WITHIN = timedelta(seconds=10)
"""The time in which what was sent can be taken back."""

RETRIED_AFTER = timedelta(minutes=1)
"""The time after which the sweep carries on with what somebody else began to send."""

MAX_DRAFT = 20_000
"""Characters of a text; a message has fewer, but what is pasted must not be lost."""


def frame_of(action: str) -> Frame:
    return "note" if action == "note" else "reply"


class Outgoing(Value):
    """A text that was sent and can be taken back until it is `begun`.

    Attributes:
        id: the idempotency key under which it is carried out once.
        files: of each, the id of its upload, a space and its name.
        seen: the ticket's version that the agent had seen.
        send_at: when it is carried out.
        begun: somebody carries it out; the sweep looks again at `send_at`.
    """

    id: TermName
    action: TermName
    text: FreeText
    files: tuple[FreeText, ...] = ()
    seen: int
    send_at: datetime
    begun: bool = False


class Draft(Value):
    """The texts of one agent on one ticket.

    Attributes:
        version: counts the writes; 0 is not stored yet.
        edition: counts the changes of the texts, by which windows notice one another.
        text: in `frame`; `other` is the text in the other one.
        seen: the version of the ticket when the agent began to write.
        reason: why the last text was not sent, in each language; it is in `text` again.
    """

    desk: TermName
    number: TermName
    agent: TermName
    version: int = 0
    edition: int = 0
    frame: Frame = "reply"
    text: FreeText = ""
    other: FreeText = ""
    files: tuple[FreeText, ...] = ()
    seen: int = 0
    saved_at: datetime
    outgoing: Outgoing | None = None
    reason: Mapping[Locale, TermName] = {}

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.other.strip() or self.files or self.outgoing)

    def changed(self, **values: Any) -> Self:
        return self.model_copy(update=values)

    def sent(self, outgoing: Outgoing) -> Self:
        """Return the draft whose text waits to be sent."""
        edition = self.edition + 1
        return self.changed(text="", files=(), reason={}, outgoing=outgoing, edition=edition)

    def taken_back(self, reason: Mapping[Locale, str] | None = None) -> Self:
        """Return the draft with the text that was not sent, before what was written since."""
        outgoing = self.outgoing
        if outgoing is None:
            return self
        frame = frame_of(outgoing.action)
        since, other = (self.text, self.other) if frame == self.frame else (self.other, self.text)
        return self.changed(
            frame=frame,
            text="\n\n".join(filter(None, (outgoing.text, since))),
            other=other,
            files=tuple(dict.fromkeys((*outgoing.files, *self.files))),
            seen=outgoing.seen,
            outgoing=None,
            reason=reason or {},
            edition=self.edition + 1,
        )
