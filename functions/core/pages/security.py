"""The security of pages: their headers, and the proof that a form is our own (H8).

Sources: OWASP, "Content Security Policy Cheat Sheet" and "Cross-Site Request Forgery Prevention
Cheat Sheet"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from functions.core.domain.errors import Forbidden
from functions.core.platform.web import Request
from functions.core.text.tokens import derive, same

OWN = "'self'"
"""The pages' own origin, in a policy."""

PRIVATE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""Headers of every response whose URL contains a proof."""


def page_headers(
    *, connect: Sequence[str] = (), ancestors: str = "'none'", frames: str = "'none'"
) -> dict[str, str]:
    """Return the headers of a page: only our own scripts, styles, images and forms.

    Args:
        connect: further origins that scripts may send to, such as that of uploads.
        ancestors: the origins that may show the page in a frame.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src {' '.join((OWN, *connect))}; frame-src {frames}; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )
    return {**PRIVATE, "Content-Security-Policy": policy}


def require_own_page(request: Request) -> None:
    """Require that a form was sent from one of our own pages.

    Browsers say where a request came from in `Sec-Fetch-Site`, older ones in `Origin`.

    Raises:
        Forbidden: another site sent it.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("origin")
        host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
        allowed = origin is None or (origin != "null" and urlsplit(origin).netloc == host)
    if not allowed:
        raise Forbidden("This form was sent from another site. Open the page and send it again.")


def form_token(secret: bytes, purpose: str) -> str:
    """Return the token that a page's forms carry, bound to a session or a link."""
    return derive(secret, f"form/{purpose}").hex()[:32]


def timed_token(secret: bytes, purpose: str, at: datetime) -> str:
    """Return a token that proves at what time a page with a form was made."""
    seconds = str(int(at.timestamp()))
    return f"{seconds}.{form_token(secret, f'{purpose}/{seconds}')}"


def age_of_token(secret: bytes, purpose: str, token: str, now: datetime) -> timedelta | None:
    """Return the time since a `timed_token` was made, None if it is not one of ours."""
    seconds, _, _ = token.partition(".")
    # Compared before it is read: other tokens may name years that no clock has.
    if not same(token, f"{seconds}.{form_token(secret, f'{purpose}/{seconds}')}"):
        return None
    return now - datetime.fromtimestamp(int(seconds), UTC)


def require_form_token(secret: bytes, purpose: str, token: str) -> None:
    """Require the token of a form.

    Raises:
        Forbidden: it is not that of this session.
    """
    if not same(token, form_token(secret, purpose)):
        raise Forbidden("This form has expired. Open the page again, then send it.")
