"""Fetch the files that chat providers hold, from their own hosts alone.

The adapter (`functions.core.channels.base`) writes the calls. The address of a file often comes
with the message, so it is not trusted: a call goes to the host of the provider's API, or by HTTPS
to one of the adapter's `media_hosts`, and to public addresses only. Redirects are not followed.
"""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from functions.core.channels.base import Adapter, HttpCall, MediaFile, ProviderResult, Secret
from functions.core.deliver.failures import Passing, Permanent
from functions.core.deliver.message import access_token
from functions.core.platform.outgoing import (
    AddressRefused,
    OutgoingFailure,
    OutgoingResponse,
    Resolve,
    request,
    resolve,
)
from functions.core.text.masking import mask

TIMEOUT = timedelta(seconds=20)
"""The limit of one call, with the whole file."""

MAX_CALLS = 3
"""The most calls for one file: its address, the file, and one further address."""


class NotTheProvider(Permanent):
    """The file is kept at an address that is not the provider's."""


class TooLong(Permanent):
    """The file is longer than the limit; `size` are its bytes as far as they are known."""

    def __init__(self, size: int) -> None:
        super().__init__(f"longer than the limit: {size} bytes")
        self.size = size


def fetch(
    provider: Adapter, secret: Secret, media: str, *, limit: int, resolver: Resolve = resolve
) -> MediaFile:
    """Return the file of a provider's id or URL, of at most `limit` bytes.

    Raises:
        Passing: a later attempt may succeed.
        Permanent: none will; the text says why, without personal data.
    """

    def get(call: HttpCall) -> OutgoingResponse:
        return _get(provider, secret, call, limit, resolver)

    result = _attempt(provider, secret, media, get, renew=False)
    if isinstance(result, ProviderResult) and result.state == "renew":
        result = _attempt(provider, secret, media, get, renew=True)
    if isinstance(result, MediaFile):
        return result
    cause = mask(result.cause) or f"{provider.name} gave no file"
    raise (Passing if result.state in {"passing", "renew"} else Permanent)(cause)


def _attempt(
    provider: Adapter,
    secret: Secret,
    media: str,
    get: Callable[[HttpCall], OutgoingResponse],
    *,
    renew: bool,
) -> MediaFile | ProviderResult:
    try:
        token = access_token(provider, secret, renew=renew)
        if isinstance(token, ProviderResult):
            return token
        call = provider.media_call(media, secret, token)
        for _ in range(MAX_CALLS):
            if call is None:
                return ProviderResult("permanent", cause=f"{provider.name} gives no such file")
            response = get(call)
            found = provider.media(
                response.status, response.headers, response.body or b"", secret, token
            )
            if not isinstance(found, HttpCall):
                return found
            call = found
    except KeyError as error:
        cause = f"the desk's {provider.name} secret has no {error} to fetch files with"
        return ProviderResult("permanent", cause=cause)
    return ProviderResult("permanent", cause=f"{provider.name} leads from address to address")


def _get(
    provider: Adapter, secret: Secret, call: HttpCall, limit: int, resolver: Resolve
) -> OutgoingResponse:
    if not (_is_api(provider, secret, call.url) or _is_media_host(provider, call.url)):
        host = urlsplit(call.url).hostname
        raise NotTheProvider(f"{host} is not one of {provider.name}'s hosts")
    try:
        response = request(
            "POST" if call.method == "POST" else "GET",
            call.url,
            # Meta's hosts for files refuse a call without it.
            {"User-Agent": "Deskbell/1", **call.headers},
            timeout=TIMEOUT,
            limit=limit,
            body=call.body or None,
            # Only the desk's own `api` may be on this machine, without TLS.
            local=call.url.startswith("http://"),
            resolver=resolver,
        )
    except AddressRefused as error:
        raise NotTheProvider(str(error)) from None
    except OutgoingFailure as error:
        raise Passing(str(error)) from None
    if response.too_long:
        length = response.headers.get("content-length", "")
        raise TooLong(int(length) if length.isdecimal() else limit + 1)
    if response.body is None:
        raise Passing(f"{provider.name} did not give the whole file in time")
    return response


def _is_api(provider: Adapter, secret: Secret, url: str) -> bool:
    api, called = urlsplit(provider.base(secret)), urlsplit(url)
    return (api.scheme, api.netloc) == (called.scheme, called.netloc)


def _is_media_host(provider: Adapter, url: str) -> bool:
    called = urlsplit(url)
    host = called.hostname or ""
    hosts = provider.media_hosts
    return called.scheme == "https" and any(
        host == known or host.endswith(f".{known}") for known in hosts
    )
