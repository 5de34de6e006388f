"""The shapes of JSON answers to customers (`core/text/shapes.py` explains them)."""

# ruff: noqa: UP013 - fields side by side: a class would take a line for each

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from functions.core.domain.ticket import Status
from functions.core.text.shapes import FieldView, FileView, Time

StatusEntry = TypedDict("StatusEntry", {
    "at": Time, "event": str, "label": str, "number": NotRequired[str], "step": NotRequired[str],
    "fields": NotRequired[list[FieldView]],
})  # fmt: skip
"""A step of the ticket's life that customers see. `number` is that of a ticket that was merged into
this one; `fields` are those that customers see."""

StatusMessage = TypedDict("StatusMessage", {
    "direction": Literal["in", "out"], "text": str, "at": Time, "by": str,
    "attachments": list[FileView],
})  # fmt: skip
"""A message of the customer or the desk."""


class SentFile(FileView):
    """A file with the time at which it came."""

    at: Time


RejectedFile = TypedDict("RejectedFile", {"name": str, "size": int, "reason": str, "at": Time})
"""A file that was not accepted."""

Submitted = TypedDict("Submitted", {"at": Time, "text": str})
"""A request submitted through the form, and its link."""

StatusView = TypedDict("StatusView", {
    "number": str, "status": Status, "status_label": str, "type": str | None,
    "type_label": str | None, "team_label": str | None,
    "tags": list[str] | None, "priority": str | None, "team": str | None, "handler": str | None,
    "received_at": Time, "expected_response_by": Time | None,
    "expected_resolution_by": Time | None, "first_response_at": Time | None,
    "resolved_at": Time | None, "summary": str | None, "timeline": list[StatusEntry],
    "goes_on_as": NotRequired[str], "question": str | None, "messages": list[StatusMessage],
    "attachments": list[SentFile], "refused": list[RejectedFile],
    "submitted": NotRequired[list[Submitted]], "before": NotRequired[int | None],
})  # fmt: skip
"""A ticket as its customer sees it, the last 100 versions of it: `before` is that of the page with
earlier ones, null on the first page. `tags` and `priority` are in the customer's words, `handler`
is the display name, else the team's. `question` is what the desk asked and the customer has not
answered; `goes_on_as` is the ticket that this one was merged into. Only a customer link shows
`messages`; a submitter link shows what was `submitted` instead."""

Changed = TypedDict("Changed", {"number": str, "status": Status})
"""The ticket after a customer's call."""
