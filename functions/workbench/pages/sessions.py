"""The session of a browser: an opaque cookie; the tokens stay on the server.

`__Host-` binds the cookie to this host and HTTPS (RFC 6265bis); browsers take 127.0.0.1 for secure.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from functions.core.domain.errors import Unauthorised
from functions.core.platform.web import Request
from functions.core.storage.database import Storage
from functions.core.storage.page_sessions import PageSession
from functions.workbench.session import Sessions, claims_of

COOKIE = "__Host-deskbell"
LASTS = timedelta(hours=12)
"""The time after which a person signs in again: as long as the refresh token is valid."""
READ_EVERY = timedelta(seconds=30)
"""The age after which a container reads a session again."""

MOST_READ = 1000
"""Sessions that a container remembers."""

_ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=Lax"


@dataclass(frozen=True)
class SignedIn:
    """The session of a request, and the cookie that proves it."""

    cookie: str
    session: PageSession

    @property
    def secret(self) -> bytes:
        return self.cookie.encode()


def begin(storage: Storage, token: str, refresh_token: str, now: datetime) -> tuple[str, str]:
    """Store a new session; return its cookie, and the header that sets it."""
    cookie = secrets.token_urlsafe(32)
    claims = claims_of(token)
    renew_at = datetime.fromtimestamp(int(str(claims["exp"])), now.tzinfo)
    session = PageSession(_kept(claims), refresh_token, renew_at, now + LASTS)
    storage.page_sessions.put(cookie, session)
    return cookie, f"{COOKIE}={cookie}; Max-Age={int(LASTS.total_seconds())}; {_ATTRIBUTES}"


def end(storage: Storage, request: Request) -> str:
    """End the session of a request; return the header that removes its cookie."""
    cookie = cookie_of(request)
    if cookie:
        storage.page_sessions.end(cookie, request.now)
        _read_at.pop(cookie, None)
    return f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}"


def session_of(request: Request, storage: Storage, sessions: Sessions) -> SignedIn:
    """Return the session of a request, renewed if its token has ended.

    Raises:
        Unauthorised: there is none, it has ended, or Cognito does not renew it.
    """
    cookie = cookie_of(request)
    if not cookie:
        raise signed_out()
    session = _read(storage, cookie, request.now)
    if session is None or session.ends_at <= request.now:
        raise signed_out()
    if session.renew_at <= request.now:
        token = sessions.refresh(session.refresh_token, request.now)["token"]
        claims = claims_of(token)
        renew_at = datetime.fromtimestamp(int(str(claims["exp"])), request.now.tzinfo)
        session = replace(session, claims=_kept(claims), renew_at=renew_at)
        storage.page_sessions.put(cookie, session)
        _read_at[cookie] = (request.now, session)
    return SignedIn(cookie, session)


def signed_out() -> Unauthorised:
    return Unauthorised("The session has ended. Sign in again.")


def cookie_of(request: Request) -> str:
    """Return the session's cookie, "" if the request has none."""
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


_read_at: dict[str, tuple[datetime, PageSession | None]] = {}
"""The sessions that this container has read, and when."""


def _read(storage: Storage, cookie: str, now: datetime) -> PageSession | None:
    known = _read_at.get(cookie)
    if known and timedelta(0) <= now - known[0] < READ_EVERY:
        return known[1]
    if len(_read_at) >= MOST_READ:
        _read_at.clear()
    session = storage.page_sessions.get(cookie, now)
    _read_at[cookie] = (now, session)
    return session


def _kept(claims: Mapping[str, object]) -> dict[str, object]:
    """Return the claims that rights derive from."""
    return {name: claims[name] for name in ("cognito:username", "cognito:groups") if name in claims}
