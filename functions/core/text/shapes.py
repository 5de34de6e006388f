"""The shapes of JSON answers that several calls share, and how they write times.

Type checks hold the views to these declarations, and the API's description derives from them, the
text below each included (`infra/docs/openapi.py`).
"""

# ruff: noqa: UP013 - fields side by side: a class would take a line for each

from datetime import datetime, tzinfo
from typing import Annotated, Literal, NotRequired, overload

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from functions.core.domain.ticket import Status

Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time in ISO 8601 with offset, to the second."""


@overload
def local_time(at: datetime, zone: tzinfo) -> Time: ...
@overload
def local_time(at: datetime | None, zone: tzinfo) -> Time | None: ...
def local_time(at: datetime | None, zone: tzinfo) -> Time | None:
    """Write a time with the offset of a time zone, to the second."""
    return at.astimezone(zone).isoformat(timespec="seconds") if at else None


WrongField = TypedDict("WrongField", {"field": str, "message": str})
"""A field of the body, or a parameter, that is invalid, and why."""

Problem = TypedDict("Problem", {
    "title": str, "status": int, "detail": str, "errors": NotRequired[list[WrongField]],
    "allowed": NotRequired[list[str]],
})  # fmt: skip
"""An error (RFC 9457). `errors` names every invalid field. If the ticket's status does not allow an
action, `allowed` names the actions that it allows."""

Filed = TypedDict("Filed", {
    "number": str, "status": Status, "expected_response_by": Time | None,
    "status_url": NotRequired[str],
})  # fmt: skip
"""A ticket that was filed; a repetition of the request gets the same answer. What `status_url`
opens depends on what its holder has proven; agents get none."""

Held = TypedDict("Held", {"quarantined": Literal[True], "detail": NotRequired[str]})
"""A request that waits until somebody at the desk has looked at it; it has no number yet."""

FileView = TypedDict("FileView", {"name": str, "content_type": str, "size": int, "url": str | None})
"""A file. Its `url`, for those who may read it, ends after five minutes."""

FieldView = TypedDict("FieldView", {"name": str, "label": str, "value": str})
"""A field of one of the desk's own steps, as people read it."""

TextFrame = TypedDict("TextFrame", {
    "prefix": str, "suffix": str, "behind_link": NotRequired[Literal[True]],
})  # fmt: skip
"""The parts of a text message before and after an agent's text. If that stays `behind_link`,
`prefix` is the whole message, whose length does not depend on it."""

TextMessageView = TypedDict("TextMessageView", {
    "reply": NotRequired[TextFrame], "request-info": NotRequired[TextFrame], "max_parts": int,
    "price_per_part_usd": str,
})  # fmt: skip
"""The data with which a page counts parts while an agent writes a text message."""

UploadTarget = TypedDict("UploadTarget", {"url": str, "method": str, "headers": dict[str, str]})
"""The address that takes the bytes of a file; send the headers unchanged."""

OfferedUpload = TypedDict("OfferedUpload", {"id": str, "upload": UploadTarget, "expires_in": int})
"""An upload that has to start within `expires_in` seconds; actions name it by its `id` in
`attachments`."""
