"""A client of the HTTP API, typed by the shapes that its description derives from (docs/api.md).

    desk = Deskbell("https://help.example.com").sign_in("agent-1", password).desk("standard")
    for ticket in desk.tickets("team"):
        desk.act(ticket["number"], "take", version=ticket["version"])

It needs the standard library only. If the API is busy, it waits and calls again; if an answer is
lost, only where that is harmless: for what reads, and what carries an idempotency key.
"""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

if TYPE_CHECKING:
    from functions.assistant.shapes import ChatBegun, ChatMessages, ChatMessageView
    from functions.core.text.shapes import Filed, Held, Problem
    from functions.portal.shapes import Changed, StatusView
    from functions.workbench.shapes import (
        Entered,
        ListedTicket,
        Session,
        SummaryView,
        TicketList,
        TicketView,
    )

TRIES = 5
"""The most times that a call is made."""

EARLY = timedelta(minutes=2)
"""The time before its end at which a token is replaced."""

_BUSY = frozenset({429, 503})
"""After these answers nothing was changed."""

_BY_MODEL = ("/draft", "/summary", "/phrasings")
_WITHOUT_KEY = (
    *("/session", "/session/refresh", "/confirmation", "/survey"),
    "/chats",
    *("/open-contact", "/open-original", "/attachments", "/set-customer-class"),
    *_BY_MODEL,
)
"""The ends of calls that take no idempotency key."""

_LOST = frozenset({502, 504})
"""After these answers, the call may have been carried out or not."""


@dataclass(frozen=True)
class ApiResponse:
    """An HTTP response as the caller of the API sees it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class ApiError(Exception):
    """The API refused a call; `problem` says why (RFC 9457)."""

    def __init__(self, response: ApiResponse) -> None:
        try:
            self.problem: Problem = response.json
        except ValueError:
            self.problem = {"title": "", "status": response.status, "detail": response.text}
        self.status = response.status
        super().__init__(f"{self.status} {self.problem.get('detail', '')}")


class NoAnswer(OSError):
    """The API cannot be reached."""


@dataclass(frozen=True)
class Deskbell:
    """The API of a stage: as its customers call it, or with a session as its agents do.

    `language` is that of labels and errors, such as `en`; `timeout` is in seconds.
    """

    url: str
    language: str | None = None
    timeout: float = 60
    sleep: Callable[[float], None] = time.sleep
    session: Session | None = None
    renewing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def file(self, desk: str, *, key: str | None = None, **request: Any) -> Filed | Held:
        """File a request, such as `contact="+8613812345678", description="…"`, once.

        Args:
            key: the idempotency key, if the caller may repeat the call itself.
        """
        found: Filed | Held = self.call("POST", f"/desks/{quote(desk)}/tickets", request, key=key)
        return found

    def chat(self, desk: str, **customer: str) -> Chat:
        """Begin a chat with a desk's assistant; the customer's `contact` or `name` may be given."""
        path = f"/desks/{quote(desk)}/chats"
        begun: ChatBegun = self.call("POST", path, customer)
        return Chat(self, f"{path}/{begun['chat']}", begun["token"], begun["messages"])

    def ticket(self, link: str) -> CustomerTicket:
        """Return the ticket of a link, for its customer."""
        return CustomerTicket(self, link)

    def sign_in(
        self, username: str, password: str, code: Callable[[], str] | None = None
    ) -> Deskbell:
        """Return the API with a session, which renews its token by itself.

        Args:
            code: returns the code of the authenticator, if the account has one.

        Raises:
            ApiError: name, password or code is wrong.
        """
        opened = self.call("POST", "/session", {"username": username, "password": password})
        if "challenge" in opened and code is not None:
            answer = {"session": opened["session"], "code": code()}
            opened = self.call("POST", "/session", answer)
        if "challenge" in opened:
            raise ValueError("the account has an authenticator: its code is needed too")
        return replace(self, session=opened, renewing=threading.Lock())

    def desk(self, desk: str) -> Desk:
        """Return a desk as its agents see it."""
        return Desk(self, f"/agent/desks/{quote(desk)}")

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        token: str | None = None,
    ) -> Any:
        """Make a call until it is answered, and return the JSON of the answer.

        Args:
            token: a chat's, or in place of the session's.

        Raises:
            ApiError: it was refused.
            NoAnswer: the API cannot be reached.
        """
        keyed = method == "POST" and not path.partition("?")[0].endswith(_WITHOUT_KEY)
        headers = {"Idempotency-Key": key or uuid4().hex} if keyed else {}
        harmless = keyed or method in {"GET", "PUT"}
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            response = None
            try:
                response = self.request(method, path, body, token=token, headers=headers)
            except NoAnswer:
                if last or not harmless:
                    raise
            if response and response.status < 400:
                return response.json
            repeatable = _BUSY | _LOST if harmless else _BUSY
            if path.endswith(_BY_MODEL):
                repeatable = repeatable - {429}  # a day's budget, not a moment's rate
            if response and (last or response.status not in repeatable):
                raise ApiError(response)
            self.sleep(_wait(attempt, response))
        raise AssertionError("unreachable")

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """Make a call once, by path or URL, and return the answer, also that of an error.

        Args:
            body: JSON, or bytes.
            token: in place of the session's.

        Raises:
            NoAnswer: the API cannot be reached.
        """
        token = token or self._token(path)
        sent = {
            "Content-Type": "application/json",
            **({"Accept-Language": self.language} if self.language else {}),
            **({"Authorization": f"Bearer {token}"} if token else {}),
            **(headers or {}),
        }
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, method=method, data=raw, headers=sent)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as found:  # noqa: S310
                return ApiResponse(found.status, dict(found.headers), found.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return ApiResponse(error.code, dict(error.headers), error.read().decode())
        except OSError as error:
            raise NoAnswer(f"{method} {path}: {error}") from error

    def _token(self, path: str) -> str | None:
        """The session's token; a new one if it ends soon."""
        if self.session is None or not path.startswith("/agent/"):
            return None
        with self.renewing:
            ends = datetime.fromisoformat(self.session["expires_at"])
            if ends - datetime.now(UTC) < EARLY and self.session["refresh_token"]:
                body = {"refresh_token": self.session["refresh_token"]}
                self.session.update(self.call("POST", "/session/refresh", body))
            return self.session["token"]


@dataclass(frozen=True)
class CustomerTicket:
    """A ticket as the holder of a link sees it."""

    api: Deskbell
    link: str

    def status(self) -> StatusView:
        found: StatusView = self.api.call("GET", self.link)
        return found

    def write(self, text: str, *, key: str | None = None, **more: Any) -> Changed:
        """Add a message, with `attachments` if any."""
        return self._post("messages", {"text": text, **more}, key)

    def confirm(self, *, solved: bool, reason: str = "") -> Changed:
        return self._post("confirmation", {"solved": solved, "reason": reason})

    def rate(self, score: int | str, comment: str = "") -> Changed:
        return self._post("survey", {"score": score, "comment": comment})

    def _post(self, call: str, body: Any, key: str | None = None) -> Changed:
        link = urlsplit(self.link)
        url = link._replace(path=f"{link.path}/{call}").geturl()
        found: Changed = self.api.call("POST", url, body, key=key)
        return found


@dataclass(frozen=True)
class Chat:
    """A chat as its customer sees it; each call returns the messages that are new."""

    api: Deskbell
    path: str
    token: str
    welcome: list[ChatMessageView]

    def write(self, text: str, *, key: str | None = None) -> list[ChatMessageView]:
        return self._post("messages", {"text": text}, key)

    def choose(self, option: str = "none") -> list[ChatMessageView]:
        return self._post("choice", {"option": option})

    def rate(self, score: int) -> list[ChatMessageView]:
        return self._post("rating", {"score": score})

    def send_code(self, contact: str) -> list[ChatMessageView]:
        """Have a code sent to a contact."""
        return self._post("verification", {"contact": contact})

    def verify(self, code: str) -> list[ChatMessageView]:
        """Verify the contact by the code that it got."""
        return self._post("verification", {"code": code})

    def hand_over(self) -> list[ChatMessageView]:
        return self._post("handover", {})

    def messages(self, after: str = "") -> list[ChatMessageView]:
        """Return what came after a message, from agents too."""
        path = f"{self.path}/messages?{urlencode({'after': after})}"
        found: ChatMessages = self.api.call("GET", path, token=self.token)
        return found["messages"]

    def _post(self, call: str, body: Any, key: str | None = None) -> list[ChatMessageView]:
        path = f"{self.path}/{call}"
        found: ChatMessages = self.api.call("POST", path, body, key=key, token=self.token)
        return found["messages"]


@dataclass(frozen=True)
class Desk:
    """A desk as its agents see it."""

    api: Deskbell
    path: str

    def tickets(self, queue: str = "mine", status: str | None = None) -> Iterator[ListedTicket]:
        """Yield the tickets of a queue, page after page."""
        return self._pages({"queue": queue, **({"status": status} if status else {})})

    def _pages(self, query: dict[str, str]) -> Iterator[ListedTicket]:
        while True:
            page: TicketList = self.api.call("GET", f"{self.path}/tickets?{urlencode(query)}")
            yield from page["tickets"]
            if page["cursor"] is None:
                return
            query["cursor"] = page["cursor"]

    def search(self, query: str = "", **filters: str) -> Iterator[ListedTicket]:
        """Yield the tickets that a search finds; filters are `status`, `tag`, `from`, `to`."""
        return self._pages({"q": query, **filters})

    def ticket(self, number: str) -> TicketView:
        """Return a ticket with its newest versions."""
        found: TicketView = self.api.call("GET", self._ticket(number))
        return found

    def enter(self, *, key: str | None = None, **request: Any) -> Entered:
        """Enter a request that came by phone, at the counter, or that the desk itself makes."""
        found: Entered = self.api.call("POST", f"{self.path}/tickets", request, key=key)
        return found

    def act(self, number: str, action: str, **body: Any) -> SummaryView:
        """Take an action or one of the desk's steps; `version` refuses it on a changed ticket."""
        found: SummaryView = self.api.call("POST", f"{self._ticket(number)}/{quote(action)}", body)
        return found

    def set_online(self, online: bool) -> None:
        self.api.call("PUT", f"{self.path}/me/presence", {"online": online})

    def _ticket(self, number: str) -> str:
        return f"{self.path}/tickets/{quote(number)}"


def _wait(attempt: int, response: ApiResponse | None) -> float:
    """Seconds to wait: as the API says, else longer each time, and not all callers as long."""
    headers = response.headers if response else {}
    said = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    if said.isdecimal():
        return float(said)
    return min(2.0**attempt, 20) * random.uniform(0.5, 1)  # noqa: S311 - no secret
