"""The shapes of JSON answers in a chat (`core/text/shapes.py` explains them)."""

# ruff: noqa: UP013 - fields side by side: a class would take a line for each

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from functions.core.domain.chat import MessageKind, Writer
from functions.core.domain.rules import Locale
from functions.core.text.shapes import Time

ChatOption = TypedDict("ChatOption", {"id": str, "label": str})
"""A choice of an offer."""

ChatTicket = TypedDict("ChatTicket", {"number": str, "status_url": str})
"""The ticket of a chat that was handed over."""

ChatMessageView = TypedDict("ChatMessageView", {
    "id": str, "from": Writer, "kind": MessageKind, "text": str, "at": Time,
    "lang": NotRequired[Locale],
    "article": NotRequired[str], "options": NotRequired[list[ChatOption]],
    "ticket": NotRequired[ChatTicket],
})  # fmt: skip
"""A message of a chat; `lang` is that of the text where it shows. An answer has its article, an
offer its options, a hand-over its ticket."""

ChatMessages = TypedDict("ChatMessages", {"messages": list[ChatMessageView]})
"""The messages that are new."""

ChatBegun = TypedDict("ChatBegun", {"chat": str, "token": str, "messages": list[ChatMessageView]})
"""A chat that began: `token` opens it, and nothing else does."""
