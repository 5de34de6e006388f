"""Chat channels: what a provider's calls mean, and how words go back. One file, one class each.

An adapter translates; it neither calls anybody nor stores anything, so that `intake` (in) and
`notify` (out) share it. It is found by its file's name: `adapter("wechat")` imports
`functions.core.channels.base.wechat` and nothing else. docs/adapters.md says how to add one.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from functions.core import channels
from functions.core.domain.errors import DeskbellError
from functions.core.domain.rules import Locale
from functions.core.text.words import MESSAGE_LABELS

if TYPE_CHECKING:
    from functions.core.platform.web import HttpResponse, Request

Secret = Mapping[str, Any]
"""What a desk and a channel's provider know of each other: a JSON object in one SSM parameter."""

Kind = Literal[
    "text", "image", "voice", "video", "file", "sticker", "location", "link", "other",
    "subscribed", "unsubscribed", "menu",
]  # fmt: skip

EVENTS = frozenset({"subscribed", "unsubscribed", "menu"})
"""Kinds that are no message: they open no ticket, and stand on an open one as a remark."""


class Unreadable(DeskbellError):
    """A call that is signed and is not what the provider's documentation says: to be kept whole."""


@dataclass(frozen=True)
class Incoming:
    """One message of one person.

    `user` is whom an answer goes to, empty where the call does not say; `message_id` the provider's
    own id, by which a repetition is known (G1), empty where there is none; `text` the person's
    words, empty where there are none; `media` the provider's ids or addresses of what came along;
    `thread` what an answer needs to stand in its place; `account` whom it was written to; `raw` the
    message as it came. A message with `opens` False (a corrected one) joins a ticket that is there
    and opens none.
    """

    user: str
    message_id: str
    kind: Kind = "text"
    text: str = ""
    name: str = ""
    language: str = ""
    media: tuple[str, ...] = ()
    thread: str = ""
    account: str = ""
    at: datetime | None = None
    opens: bool = True
    sealed: bool = False
    raw: bytes = b""

    def words(self, locale: Locale) -> str:
        """The message as a ticket shows it: `[图片] 登录页面`."""
        if self.kind == "text":
            return self.text.strip()
        return f"[{MESSAGE_LABELS[self.kind][locale]}] {self.text}".rstrip()


@dataclass(frozen=True)
class Outgoing:
    """Words for one person. `key` is the same for every attempt of one delivery (a UUID)."""

    user: str
    text: str
    thread: str = ""
    key: str = ""


@dataclass(frozen=True)
class HttpCall:
    """A call of a provider. `repeatable`: the provider sees to it that a repetition sends nothing
    twice, so it may be repeated where no answer came."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    repeatable: bool = False


@dataclass(frozen=True)
class ProviderResult:
    """What a provider's answer means.

    `sent` (with its id), `passing` (later it may work), `permanent` (it never will), `renew` (the
    access token is no longer good). `cause` is for a person, without personal data.
    """

    state: Literal["sent", "passing", "permanent", "renew"]
    id: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Token:
    """An access token and for how many seconds it is good."""

    value: str
    seconds: int


class Adapter(ABC):
    """One provider's messages. Pure: calls in, values out; `now` comes with the request.

    `api` is the provider's address, which a desk's secret may replace; `needs` the keys that its
    secret must have, `options` those that it may have; `answers`: the HTTP answer to a message may
    carry words to its writer.
    """

    name: ClassVar[str]
    api: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]] = ()
    answers: ClassVar[bool] = False

    @abstractmethod
    def signed(self, request: Request, secret: Secret) -> tuple[str, dict[str, Any]]:
        """The scheme and the parts by which `intake.signatures.verify` checks a call."""

    def challenge(self, request: Request, secret: Secret) -> HttpResponse | None:
        """The answer to a provider that only asks whether we are there; None for any other call."""
        return None

    @abstractmethod
    def read(self, request: Request, secret: Secret) -> tuple[Incoming, ...]:
        """The messages in a call whose signature holds; none where it brings no message.

        Raises:
            Unreadable: it is not what the provider's documentation says.
        """

    def answer(
        self, request: Request, secret: Secret, to: Incoming | None = None, text: str = ""
    ) -> HttpResponse:
        """The HTTP answer that tells the provider all is well, with `text` where it `answers`."""
        from functions.core.platform.web import HttpResponse

        return HttpResponse("", content_type="text/plain")

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        """The call that fetches an access token, None where the secret itself is enough.

        `renew`: the last one was refused before its time. KeyError where the secret lacks a key.
        """
        return None

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        """The token in the provider's answer to `token_call`, or why there is none."""
        return ProviderResult("permanent", cause=f"{self.name} has no access tokens")

    @abstractmethod
    def send(self, message: Outgoing, secret: Secret, token: str = "") -> HttpCall:
        """The call that sends a message. KeyError where the secret lacks a key."""

    @abstractmethod
    def outcome(self, status: int, body: bytes) -> ProviderResult:
        """What the provider's answer to `send` means."""

    def base(self, secret: Secret) -> str:
        """The address of the provider's API, without a slash at its end."""
        return str(secret.get("api") or self.api).rstrip("/")


def names() -> tuple[str, ...]:
    """Every channel that has an adapter."""
    found = (module.name for module in pkgutil.iter_modules(channels.__path__))
    return tuple(sorted(name for name in found if name != "base"))


_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


@lru_cache(maxsize=16)
def adapter(name: str) -> Adapter | None:
    """The adapter of a channel, None where there is none; its module is imported here."""
    if not _NAME.fullmatch(name) or name not in names():
        return None
    module = importlib.import_module(f"{channels.__name__}.{name}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Adapter) and value is not Adapter
    )
    made: Adapter = found()
    return made


# What adapters share

PASSING_STATUS = frozenset({408, 425, 429})


def by_status(status: int, cause: str) -> ProviderResult:
    """The meaning of an HTTP status where the body says nothing better (RFC 9110, RFC 6585)."""
    passing = status in PASSING_STATUS or status >= 500
    return ProviderResult(
        "passing" if passing else "permanent", cause=f"HTTP {status} {cause}".strip()
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        Unreadable: it holds none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unreadable(f"not a JSON object: {type(found).__name__}")
    return found


def json_call(url: str, content: Any, headers: Mapping[str, str], **more: Any) -> HttpCall:
    """A call that posts JSON in UTF-8."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpCall(
        url, body, {"Content-Type": "application/json; charset=utf-8", **headers}, **more
    )


def inner(found: Any, *path: str) -> dict[str, Any]:
    """The object at a path of names, empty where there is none."""
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def said(found: Mapping[str, Any], *names: str) -> str:
    """The first of some names under which a text (or a number) stands; without half characters."""
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and value:
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
            return str(value)
    return ""


def as_raw(found: Any) -> bytes:
    """A part of a JSON body as bytes again, to be kept as it came.

    Raises:
        Unreadable: it is nested too deeply.
    """
    try:
        return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"JSON of another shape: {type(error).__name__}") from error


def moment(written: Any, per_second: int = 1) -> datetime | None:
    """The moment that a provider wrote in Unix time, None where that is none."""
    try:
        return datetime.fromtimestamp(float(written) / per_second, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def fitted(text: str, limit: int, unit: Literal["utf-8", "utf-16-le"]) -> str:
    """The text, cut where the provider would refuse it. `limit` in bytes of the encoding."""
    whole = text.encode(unit, "replace")
    if len(whole) <= limit:
        return text
    room = limit - len("…".encode(unit))
    return whole[:room].decode(unit, "ignore") + "…"
