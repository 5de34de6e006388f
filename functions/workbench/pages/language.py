"""The language that a person chose, kept in a cookie of its own."""

from __future__ import annotations

from dataclasses import replace
from http.cookies import CookieError, SimpleCookie

from functions.core.domain.rules import Locale
from functions.core.platform.web import Request
from functions.core.text.words import nearest_locale

COOKIE = "__Host-deskbell-language"
_YEAR = 365 * 24 * 60 * 60


def cookie(locale: Locale) -> str:
    """Return the header that sets the cookie."""
    return f"{COOKIE}={locale}; Max-Age={_YEAR}; Path=/; HttpOnly; Secure; SameSite=Lax"


def in_chosen(request: Request) -> Request:
    """Return the request as one for the chosen language, unless it names one itself."""
    if "lang" in request.query:
        return request
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        found = None
    chosen = nearest_locale(found.value) if found else None
    if chosen is None:
        return request
    return replace(request, headers={**request.headers, "accept-language": chosen})
