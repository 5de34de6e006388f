"""The adapter of a chat channel: reads a provider's webhook requests, writes calls to its API.

An adapter only translates; it makes no calls and stores nothing, so `intake` (in) and `notify`
(out) share it. It is found by its module's name: `adapter("wechat")` imports
`functions.core.channels.wechat` and no other provider. docs/adapters.md explains how to add one.
"""

import importlib
import json
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar, Literal
from urllib.parse import quote, unquote, urlsplit

from functions.core import channels
from functions.core.domain.errors import DeskbellError
from functions.core.domain.rules import Locale
from functions.core.text.words import MESSAGE_LABELS

Secret = Mapping[str, Any]
"""The secret that a desk and a channel's provider share: a JSON object in one SSM parameter."""

Kind = Literal[
    "text", "image", "voice", "video", "file", "sticker", "location", "link", "other",
    "subscribed", "unsubscribed", "menu", "colleague", "recalled", "session",
]  # fmt: skip

EVENTS = frozenset({"subscribed", "unsubscribed", "menu", "colleague", "recalled", "session"})
"""Kinds that are no messages: they open no ticket, and appear on an open one as a note."""


class Unreadable(DeskbellError):
    """A signed request that does not follow the provider's documentation; it is quarantined."""


@dataclass(frozen=True)
class ProviderRequest:
    """An HTTP request of a provider. Header names are in lower case."""

    method: str
    now: datetime
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class ProviderResponse:
    """The HTTP response (200) to a provider: text, or JSON of a mapping."""

    body: str | Mapping[str, Any] = ""
    content_type: str = "text/plain"


@dataclass(frozen=True)
class IncomingMessage:
    """One message of one person.

    Args:
        user: the provider's id of the person to answer; empty if the request has none.
        message_id: the provider's own id, which recognises a repetition (G1); empty if there is
            none.
        text: the person's words; empty for a message without words.
        media: the provider's ids or URLs of the attached media.
        media_names: the names of those files, in the same order, where the provider tells them.
        thread: what the provider needs to place an answer in the same thread.
        account: the desk's account that the message was written to.
        choice: the id of the `Choice` that the person tapped; `text` is then its label.
        session: the provider's handle by which this person can be answered until `session_until`,
            such as a session's URL; without that time it answers this message only: a welcome code.
        opens: False for a message that joins an open ticket and opens none, such as a correction.
        encrypted: the request was encrypted, so the response has to be.
        raw: the message as it came.
    """

    user: str
    message_id: str
    kind: Kind = "text"
    text: str = ""
    name: str = ""
    language: str = ""
    media: tuple[str, ...] = ()
    media_names: tuple[str, ...] = ()
    thread: str = ""
    account: str = ""
    at: datetime | None = None
    choice: str = ""
    session: str = ""
    session_until: datetime | None = None
    opens: bool = True
    encrypted: bool = False
    raw: bytes = b""

    def display_text(self, locale: Locale) -> str:
        """Return the message as a ticket shows it: `[图片] 登录页面`."""
        if self.kind == "text":
            return self.text.strip()
        return f"[{MESSAGE_LABELS[self.kind][locale]}] {self.text}".rstrip()


@dataclass(frozen=True)
class Choice:
    """One of the choices under a message: a button, or a line of a menu."""

    id: str
    label: str


@dataclass(frozen=True)
class OutgoingMessage:
    """A text for one person. `key` (a UUID) is the same for every attempt of one delivery.

    `choices` are at most the adapter's `max_choices`; `session` is the handle of the person's last
    message while it is valid.
    """

    user: str
    text: str
    thread: str = ""
    key: str = ""
    choices: tuple[Choice, ...] = ()
    session: str = ""


@dataclass(frozen=True)
class Window:
    """The messages that a provider accepts after a person wrote: for how long, and how many.

    A `count` of None is any number.
    """

    duration: timedelta
    count: int | None = None


Encoding = Literal["utf-8", "utf-16-le"]

Windows = Mapping[Literal["message", "subscribed"], Window]
"""The windows that a message opens, and that a person opens who enters or follows."""


@dataclass(frozen=True)
class DeliveryReport:
    """A provider's later report about a message that it had accepted, by its id."""

    id: str
    state: Literal["delivered", "failed"]
    cause: str = ""


@dataclass(frozen=True)
class MediaFile:
    """A file that a provider holds: an attachment of a message."""

    content: bytes
    content_type: str = ""
    name: str = ""


@dataclass(frozen=True)
class HttpCall:
    """An HTTP call to a provider's API.

    `repeatable`: the provider discards repetitions, so the call may be repeated after a timeout.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    repeatable: bool = False


@dataclass(frozen=True)
class ProviderResult:
    """The meaning of a provider's response.

    `sent` (with its id), `passing` (a later attempt may succeed), `permanent` (none will; if
    `closed`, until the person writes again), `renew` (the access token has expired). `cause`
    explains it to a person, without personal data.
    """

    state: Literal["sent", "passing", "permanent", "renew"]
    id: str = ""
    cause: str = ""
    closed: bool = False


@dataclass(frozen=True)
class ErrorCodes:
    """A provider's error codes: code → cause, and those that are not simply permanent."""

    provider: str
    causes: Mapping[str, str]
    passing: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    renew: frozenset[str] = frozenset()

    def result(self, code: str, words: str, *, passing: bool = False) -> ProviderResult:
        """Return the meaning of an error.

        Args:
            words: the provider's own, for an unknown code.
            passing: whether an error with an unknown code passes.
        """
        cause = f"{self.provider} {code or 'unknown'}: {self.causes.get(code) or words[:100]}"
        if code in self.renew:
            return ProviderResult("renew", cause=cause)
        if code in self.passing or (passing and code not in self.causes):
            return ProviderResult("passing", cause=cause)
        return ProviderResult("permanent", cause=cause, closed=code in self.closed)


@dataclass(frozen=True)
class Token:
    """An access token and its lifetime in seconds."""

    value: str
    seconds: int


class Adapter(ABC):
    """Translates the messages of one provider. Pure: the time comes with the request.

    `name` is the module's name and the last part of the webhook's path; `api` the address of the
    provider's API, which a desk's secret may replace; `needs` the required keys of the secret,
    `options` its optional keys. `answers`: the HTTP response may carry text to the writer.
    `windows`: what the provider accepts after a message, and after entering or following; without
    any it has no limit, and a kind that is left out opens none. `max_text`: the bytes of a text in
    `encoding`. `max_choices`: the choices that a message shows by the provider's own means; more,
    or 0, become numbered lines.
    """

    name: ClassVar[str]
    api: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]] = ()
    answers: ClassVar[bool] = False
    windows: ClassVar[Windows] = {}
    max_text: ClassVar[int]
    encoding: ClassVar[Encoding] = "utf-8"
    max_choices: ClassVar[int] = 0
    media_hosts: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        """Return the scheme and parts for `intake.signatures.verify` to check a request."""

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        """Answer the provider's URL-verification request; None for any other request."""
        return None

    @abstractmethod
    def read(self, request: ProviderRequest, secret: Secret) -> tuple[IncomingMessage, ...]:
        """Return the messages in a request whose signature is valid; it may have none.

        Raises:
            Unreadable: the request does not follow the provider's documentation.
        """

    def reports(self, request: ProviderRequest, secret: Secret) -> tuple[DeliveryReport, ...]:
        """Return what a request whose signature is valid reports about sent messages."""
        return ()

    @property
    def reports_later(self) -> bool:
        """True if the provider may report a failure after it has accepted a message."""
        return type(self).reports is not Adapter.reports

    def answer(
        self,
        request: ProviderRequest,
        secret: Secret,
        message: IncomingMessage | None = None,
        text: str = "",
    ) -> ProviderResponse:
        """Return the response that accepts a request, with `text` for the writer of `message` if
        the channel `answers`.
        """
        return ProviderResponse()

    def token_call(self, secret: Secret, *, renew: bool) -> HttpCall | None:
        """Return the call that fetches an access token, None if the secret is enough.

        `renew`: the provider refused the last token before it expired.

        Raises:
            KeyError: the secret lacks a key.
        """
        return None

    def token(self, status: int, body: bytes) -> Token | ProviderResult:
        """Read the response to `token_call`: the token, or the reason why there is none."""
        return ProviderResult("permanent", cause=f"{self.name} has no access tokens")

    @abstractmethod
    def send(self, message: OutgoingMessage, secret: Secret, token: str = "") -> HttpCall:
        """Return the call that sends a message.

        Raises:
            KeyError: the secret lacks a key.
        """

    @abstractmethod
    def outcome(self, status: int, body: bytes) -> ProviderResult:
        """Read the response to `send`."""

    def check_call(self, secret: Secret, token: str = "") -> HttpCall | None:
        """Return a call that shows whether a secret is valid and changes nothing; None if the
        provider has none, or `token_call` shows it.

        Raises:
            KeyError: the secret lacks a key.
        """
        return None

    def checked(self, status: int, body: bytes) -> ProviderResult:
        """Read the response to `check_call`; `sent` if the secret is valid."""
        return self.outcome(status, body)

    def unblock(
        self, message: OutgoingMessage, result: ProviderResult, secret: Secret, token: str = ""
    ) -> HttpCall | None:
        """Return a call after which a refused message may be accepted; None if none helps."""
        return None

    def unblocked(
        self, status: int, body: bytes, message: OutgoingMessage, secret: Secret, token: str = ""
    ) -> HttpCall | ProviderResult:
        """Read the response to `unblock`: a further call, `sent` if the message is to be sent
        again, or the reason why it cannot be.
        """
        return ProviderResult("permanent", cause=f"{self.name} unblocks nothing")

    def media_call(self, media: str, secret: Secret, token: str = "") -> HttpCall | None:
        """Return the call that fetches a medium of a message; None if the provider gives none.

        Raises:
            KeyError: the secret lacks a key.
        """
        return None

    def media(
        self, status: int, headers: Mapping[str, str], body: bytes, secret: Secret, token: str = ""
    ) -> MediaFile | HttpCall | ProviderResult:
        """Read the response to `media_call`: the file, a further call that fetches it, or the
        reason why there is none. Header names are in lower case.
        """
        return ProviderResult("permanent", cause=f"{self.name} gives no files")

    @property
    def gives_files(self) -> bool:
        return type(self).media_call is not Adapter.media_call

    def base(self, secret: Secret) -> str:
        return str(secret.get("api") or self.api).rstrip("/")

    def fitted(self, text: str) -> str:
        """Return a text as one message has it, truncated if it is too long."""
        return truncate(text, self.max_text, self.encoding)

    def parts(self, text: str) -> tuple[str, ...]:
        """Return a text as messages that each have a part of it, cut after words if possible."""
        if len(text.encode(self.encoding, "replace")) <= self.max_text:
            return (text,)
        parts, text = [], text.strip()  # so that no part is empty
        while len(text.encode(self.encoding, "replace")) > self.max_text:
            head = text.encode(self.encoding, "replace")[: self.max_text]
            cut = len(head.decode(self.encoding, "ignore"))
            ends = [end.end() for end in _END.finditer(text, 0, cut + 1) if end.end() <= cut]
            if ends and ends[-1] > cut // 2:
                cut = ends[-1]
            parts.append(text[:cut].rstrip())
            text = text[cut:].lstrip()
        return (*parts, text)


_SHARED = frozenset({"base", "meta_graph", "pulled", "wechat_api", "wechat_crypto"})
"""Modules that adapters share."""


def names() -> tuple[str, ...]:
    modules = (module.name for module in pkgutil.iter_modules(channels.__path__))
    return tuple(sorted(name for name in modules if name not in _SHARED))


_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


@lru_cache(maxsize=16)
def adapter(name: str) -> Adapter | None:
    if not _NAME.fullmatch(name) or name not in names():
        return None
    module = importlib.import_module(f"{channels.__name__}.{name}")
    (adapter_class,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Adapter)
        and value.__module__ == module.__name__
    )
    instance: Adapter = adapter_class()
    return instance


# Helpers that adapters share

PASSING_STATUS = frozenset({408, 425, 429})


def result_of_status(status: int, cause: str) -> ProviderResult:
    """Return the meaning of an HTTP status whose body gives no details (RFC 9110, RFC 6585)."""
    passing = status in PASSING_STATUS or status >= 500
    return ProviderResult(
        "passing" if passing else "permanent", cause=f"HTTP {status} {cause}".strip()
    )


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that holds a JSON object.

    Raises:
        Unreadable: it holds something else.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise Unreadable(f"not a JSON object: {type(content).__name__}")
    return content


def response_object(body: bytes) -> dict[str, Any]:
    """Parse a provider's response; an empty object if it is not a JSON object."""
    try:
        return parse_object(body)
    except Unreadable:
        return {}


def form_field(body: bytes, name: str) -> str:
    """Return a field of a URL-encoded form, "" if it has none."""
    from urllib.parse import parse_qs

    try:
        fields = parse_qs(body.decode("utf-8", "replace"), errors="replace", max_num_fields=20)
    except ValueError:
        return ""
    return fields.get(name, [""])[0]


def json_call(
    url: str, content: Any, headers: Mapping[str, str], *, repeatable: bool = False
) -> HttpCall:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    return HttpCall(url, body, headers, repeatable=repeatable)


def get_object(content: Any, *path: str) -> dict[str, Any]:
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def get_text(content: Mapping[str, Any], *keys: str) -> str:
    """Return the text (or number) under the first key that has one, without lone surrogates."""
    for key in keys:
        value = content.get(key)
        if isinstance(value, str) and value:
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 64:
            return str(value)
    return ""


def dump_raw(content: Any) -> bytes:
    """Dump a part of a JSON body again, to keep it as it came.

    Raises:
        Unreadable: it is nested too deeply.
    """
    try:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"JSON of another shape: {type(error).__name__}") from error


def attached_name(headers: Mapping[str, str]) -> str:
    """Return the file's name in a response's Content-Disposition (RFC 6266), "" if it has none."""
    from email.message import Message

    header = Message()
    header["Content-Disposition"] = headers.get("content-disposition", "").replace("\n", " ")
    return header.get_filename("")


def media_request(url: str, token: str = "") -> HttpCall:
    """Return the call that fetches a medium, with a bearer token if there is one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return HttpCall(url, b"", headers, "GET", repeatable=True)


def url_part(text: str) -> str:
    """Return a text as one part of a URL's path or query."""
    return quote(text, safe="")


def name_in_url(url: str) -> str:
    """Return the last part of a URL's path, which often is a file's name; "" if it is no URL."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2], errors="replace")
    except ValueError:
        return ""


def unix_time(value: Any, per_second: int = 1) -> datetime | None:
    """Return the time that a provider wrote as Unix time, None if it is not one."""
    try:
        return datetime.fromtimestamp(float(value) / per_second, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def truncate(text: str, limit: int, encoding: Encoding) -> str:
    """Truncate a text to the provider's limit, in bytes of the encoding; "…" marks the cut.

    A link at the end stays, since it leads to the whole text.
    """
    if len(text.encode(encoding, "replace")) <= limit:
        return text
    link = _LINK_AT_END.search(text)
    words, end = (text[: link.start()], f"…{link[0]}") if link else (text, "…")
    cut = limit - len(end.encode(encoding))
    if cut <= 0:
        return truncate(words, limit, encoding)
    return words.encode(encoding, "replace")[:cut].decode(encoding, "ignore") + end


_END = re.compile(r"[。！？；\n]|\s(?=\S)|(?=https?://)")
"""Places at which a text may be cut."""

_LINK_AT_END = re.compile(r"https?://\S+\Z")
