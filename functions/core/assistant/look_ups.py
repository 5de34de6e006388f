"""Values that a system of the company knows, asked over HTTPS (`docs/webhooks.md`, C4).

What cannot be looked up is missing from the result, and the log says why: a person takes over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from functions.core.domain.errors import DeskbellError
from functions.core.domain.playbook_assistant import LookUpSource
from functions.core.domain.rules import Locale, Playbook
from functions.core.domain.webhooks import Endpoint, signed_headers
from functions.core.platform.logging import logger
from functions.core.platform.outgoing import request
from functions.core.text.masking import mask

log = logger("assistant")

TIMEOUT = timedelta(seconds=2)
"""The limit of a look-up, name resolution included: a customer waits for it."""

RESPONSE_LIMIT = 64 * 1024
"""Bytes of a response; a longer one is not read."""

MAX_VALUE = 300
"""Characters of a value; a longer one is no state or date."""

MAX_CACHED = 256
"""Responses that a container keeps, at most for the `cache` of their source."""

Fetch = Callable[[str, Mapping[str, str]], bytes]
"""Returns the body of a URL, asked with these headers. Raises `DeskbellError`."""


class LookUpFailed(DeskbellError):
    """A source did not give a document; the text says why, without the customer's values."""


@dataclass(frozen=True)
class _Cached:
    until: datetime
    document: Any


# A failure is kept for the second of its call, which may try to store its chat several times.
_cache: dict[tuple[str, str, str], _Cached] = {}


@dataclass(frozen=True)
class LookUps:
    """The sources of a desk during one call. `secret` returns the secret of a name."""

    playbook: Playbook
    secret: Callable[[str], str | None]
    fetch: Fetch
    now: datetime

    def values(
        self, variables: Collection[str], known: Mapping[str, str], locale: Locale
    ) -> dict[str, str]:
        """Return the variables that could be looked up, masked, as a customer reads them."""
        found = {}
        assistant = self.playbook.assistant
        for variable in variables:
            name = assistant.source_of(variable) if assistant else None
            if assistant is None or name is None:
                continue
            source = assistant.sources[name]
            value = source.value(self._document(name, source, known), variable, locale)
            if value is not None and len(value) <= MAX_VALUE:
                found[variable] = mask(value)
        return found

    def _document(self, name: str, source: LookUpSource, known: Mapping[str, str]) -> Any:
        """Return what a source answers, None if it cannot be asked or fails."""
        url = source.url_for(known)
        if url is None:
            return None
        key = (self.playbook.desk, name, url)
        cached = _cache.pop(key, None)
        if cached is None or cached.until < self.now:
            cached = self._asked(name, source, url)
        while len(_cache) >= MAX_CACHED:
            del _cache[next(iter(_cache))]
        _cache[key] = cached
        return cached.document

    def _asked(self, name: str, source: LookUpSource, url: str) -> _Cached:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            document = json.loads(self.fetch(url, self._headers(source, url)))
        except DeskbellError as error:
            cause = str(error)
        except (BotoCoreError, ClientError, ValueError, RecursionError) as error:
            cause = type(error).__name__  # its text may quote the response
        else:
            return _Cached(self.now + source.cache, document)
        about = {"desk": self.playbook.desk, "source": name, "cause": cause}
        log.warning("chat.look_up_failed", extra=about)
        return _Cached(self.now, None)

    def _headers(self, source: LookUpSource, url: str) -> dict[str, str]:
        """Return the headers of a request: its path and query are signed, since it has no body.

        Raises:
            LookUpFailed: there is no secret that can sign.
        """
        if source.secret is None:
            return {}
        target = Endpoint.of(url).target.encode()
        secret = self.secret(source.secret) or ""
        try:
            return signed_headers(f"msg_{uuid4().hex}", target, [secret], self.now)
        except ValueError as error:
            raise LookUpFailed(f"the secret '{source.secret}': {error}") from None


def fetch(url: str, headers: Mapping[str, str], *, local: bool) -> bytes:
    """Fetch a source's document. `local` permits 127.0.0.1.

    Raises:
        LookUpFailed: the response is no 200, or too long.
        OutgoingFailure: there is no response.
    """
    common = {"Accept": "application/json", "User-Agent": "Deskbell-Look-ups/1"}
    response = request(
        "GET",
        url,
        {**common, **headers},
        timeout=TIMEOUT,
        limit=RESPONSE_LIMIT,
        local=local,
    )
    if response.status != 200:
        raise LookUpFailed(f"the source answered {response.status}")
    if response.body is None:
        raise LookUpFailed("the response is too long, or was not there in time")
    return response.body
