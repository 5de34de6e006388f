"""Meta's Graph API: what WhatsApp and Messenger share (Webhooks, "Validating payloads"; "Handle
errors").
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from functions.core.channels.base import (
    PASSING_STATUS,
    ErrorCodes,
    HttpCall,
    IncomingMessage,
    ProviderRequest,
    ProviderResponse,
    ProviderResult,
    Secret,
    Unreadable,
    dump_raw,
    get_object,
    get_text,
    media_request,
    parse_object,
    response_object,
    result_of_status,
)

API = "https://graph.facebook.com/v23.0"

MEDIA_HOSTS = ("fbsbx.com", "fbcdn.net")
"""The domains of Meta's hosts for files."""

_PASSING = frozenset(
    {"1", "2", "4", "17", "32", "613", "1200", "80006", "80007", "130429", "131000", "131016",
     "131048", "131056", "131057", "133004"}
)  # fmt: skip
"""Error codes of limits and of faults that pass (WhatsApp, "Error codes"; Messenger likewise)."""

_CAUSES = {
    "0": "the access token is not valid",
    "3": "the app lacks the permission to send messages",
    "10": "the app lacks the permission to send messages",
    "190": "the access token has expired or was withdrawn; an operator has to set a new one",
    "200": "the app lacks the permission to send messages",
    "368": "Meta has restricted the account for violations of its policies",
}


def error_codes(provider: str, causes: Mapping[str, str], closed: Iterable[str]) -> ErrorCodes:
    """Return a channel's error codes and subcodes with those of all of Meta's."""
    return ErrorCodes(provider, {**_CAUSES, **causes}, _PASSING, frozenset(closed))


def signed(request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
    """Return the scheme and parts of a request's signature: of the URL-verification request the
    verify token, of any other request X-Hub-Signature-256. The older X-Hub-Signature (SHA-1) is
    not accepted.
    """
    if request.method == "GET":
        # Telegram's scheme compares a token that both sides know.
        token = request.query.get("hub.verify_token")
        return "telegram", {"secret": secret.get("verify_token"), "signature": token}
    return "meta", {
        "secret": secret.get("app_secret"),
        "body": request.body,
        "signature": request.headers.get("x-hub-signature-256"),
    }


def challenge(request: ProviderRequest) -> ProviderResponse | None:
    if request.method != "GET" or request.query.get("hub.mode") != "subscribe":
        return None
    return ProviderResponse(request.query.get("hub.challenge", ""))


def elements(request: ProviderRequest, key: str) -> Iterator[Any]:
    """Yield the elements of the list `key` of each entry of a request.

    Raises:
        Unreadable: the request has no list of entries.
    """
    entries = parse_object(request.body).get("entry")
    if not isinstance(entries, list):
        raise Unreadable("no list of entries")
    for entry in entries:
        yield from as_list(get_object(entry).get(key))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def read_each(
    batch: Iterable[Any], read: Callable[[dict[str, Any]], IncomingMessage | None]
) -> Iterator[IncomingMessage]:
    """Yield the messages of a batch; None from `read` is no message.

    An element of another shape becomes a message of nobody, which is quarantined alone.
    """
    for element in batch:
        raw = dump_raw(element)
        try:
            message = read(element) if isinstance(element, dict) else _nobody(raw)
        except Unreadable:
            message = _nobody(raw)
        if message is not None:
            yield message


def _nobody(raw: bytes) -> IncomingMessage:
    return IncomingMessage(user="", message_id="", kind="other", raw=raw)


def check_call(base: str, node: str, token: str) -> HttpCall:
    """Return the call that reads the node that a token is for."""
    return media_request(f"{base}/{node}?fields=id", token)


def checked(status: int, body: bytes, codes: ErrorCodes) -> ProviderResult:
    return outcome(status, body, get_text(response_object(body), "id"), codes)


def outcome(status: int, body: bytes, message_id: str, codes: ErrorCodes) -> ProviderResult:
    """Return the meaning of a response: sent with `message_id`, or Meta's error."""
    if status == 200 and message_id:
        return ProviderResult("sent", id=message_id)
    error = get_object(response_object(body), "error")
    code, subcode = get_text(error, "code"), get_text(error, "error_subcode")
    if not code:
        return result_of_status(status, f"from {codes.provider}")
    passing = error.get("is_transient") is True or status in PASSING_STATUS or status >= 500
    code = subcode if subcode in codes.causes else code
    return codes.result(code, get_text(error, "message"), passing=passing)
