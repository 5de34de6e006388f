"""Meta's Graph API: what WhatsApp and Messenger share (Webhooks, "Validating payloads"; "Handle
errors").
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

from functions.core.channels.base import (
    PASSING_STATUS,
    Adapter,
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


class MetaAdapter(Adapter):
    """Translates the messages of one of Meta's channels; `codes` are its error codes."""

    api: ClassVar[str] = "https://graph.facebook.com/v23.0"
    media_hosts: ClassVar[tuple[str, ...]] = ("fbsbx.com", "fbcdn.net")
    codes: ClassVar[ErrorCodes]

    def signed(self, request: ProviderRequest, secret: Secret) -> tuple[str, dict[str, Any]]:
        # The older X-Hub-Signature (SHA-1) is not accepted.
        if request.method == "GET":
            # Telegram's scheme compares a token that both sides know.
            token = request.query.get("hub.verify_token")
            return "telegram", {"secret": secret.get("verify_token"), "signature": token}
        return "meta", {
            "secret": secret.get("app_secret"),
            "body": request.body,
            "signature": request.headers.get("x-hub-signature-256"),
        }

    def challenge(self, request: ProviderRequest, secret: Secret) -> ProviderResponse | None:
        if request.method != "GET" or request.query.get("hub.mode") != "subscribe":
            return None
        return ProviderResponse(request.query.get("hub.challenge", ""))

    def node(self, secret: Secret) -> str:
        """Return the node that the access token is for, such as a page."""
        return "me"

    def check_call(self, secret: Secret, token: str = "") -> HttpCall | None:
        url = f"{self.base(secret)}/{self.node(secret)}?fields=id"
        return media_request(url, secret["access_token"])

    def checked(self, status: int, body: bytes) -> ProviderResult:
        return self.result(status, body, get_text(response_object(body), "id"))

    def result(self, status: int, body: bytes, sent: str = "") -> ProviderResult:
        """Return the meaning of a response: `sent`, the id in it, or Meta's error."""
        if status == 200 and sent:
            return ProviderResult("sent", id=sent)
        error = get_object(response_object(body), "error")
        code, subcode = get_text(error, "code"), get_text(error, "error_subcode")
        if not code:
            return result_of_status(status, f"from {self.codes.provider}")
        passing = error.get("is_transient") is True or status in PASSING_STATUS or status >= 500
        code = subcode if subcode in self.codes.causes else code
        return self.codes.result(code, get_text(error, "message"), passing=passing)


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
