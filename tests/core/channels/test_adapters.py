"""The guarantees of every chat adapter (docs/adapters.md).

A new adapter needs a fake provider in `provider_requests.py` and a folder of the provider's calls
with `expected.json`; the tests below then run for it.
"""

import ast
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from functions.core.channels import base
from functions.core.channels.base import (
    Adapter,
    HttpCall,
    IncomingMessage,
    MediaFile,
    OutgoingMessage,
    ProviderResult,
    Token,
    Unreadable,
)
from functions.core.text.contacts import chat_contact
from functions.core.text.queue_texts import CHANNELS
from functions.core.text.words import MESSAGE_LABELS
from functions.intake.signatures import verify
from tests.core.channels.fake_providers import FAKE_PROVIDERS
from tests.core.channels.provider_requests import NOW, Call, expected, fixture_folder, sent_body

pytestmark = pytest.mark.requirement("F5", "G1", "G3")
ROOT = Path(__file__).parents[3]
NAMES = base.names()
CALLS = [(name, file) for name in NAMES for file in sorted(expected(name))]


def adapter_of(name: str) -> Adapter:
    found = base.adapter(name)
    assert found is not None
    return found


def read(name: str, body: bytes) -> tuple[IncomingMessage, ...]:
    """Return the messages in a signed request."""
    provider = FAKE_PROVIDERS[name]
    return adapter_of(name).read(provider.delivered(body, NOW).request(NOW), provider.secret)


def is_valid(name: str, call: Call, **secret: Any) -> bool:
    given = {**FAKE_PROVIDERS[name].secret, **secret}
    scheme, parts = adapter_of(name).signed(call.request(NOW), given)
    return verify(scheme, **parts)


def test_each_adapter_has_a_fake_provider_and_fixtures() -> None:
    assert set(NAMES) == set(FAKE_PROVIDERS)
    for name in NAMES:
        files = {path.name for path in fixture_folder(name).iterdir()} - {"expected.json"}
        assert files == set(expected(name)), name


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_is_one_class_with_its_name_and_secret_keys(name: str) -> None:
    found = adapter_of(name)
    assert type(found).__module__ == f"functions.core.channels.{name}"
    assert found.name == name
    assert found.needs
    assert set(found.needs) <= set(FAKE_PROVIDERS[name].secret)
    assert found.api.startswith("https://")
    assert found.base({"api": "http://127.0.0.1:1/x/"}) == "http://127.0.0.1:1/x"


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_imports_no_network_files_or_clock(name: str) -> None:
    source = ROOT / "functions" / "core" / "channels" / f"{name}.py"
    tree = ast.parse(source.read_text("utf-8"))
    known = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "urllib.parse"
    }
    assert not known & {"boto3", "botocore", "urllib", "urllib3", "http", "socket", "os", "time"}


def test_an_adapter_is_imported_with_its_first_message() -> None:
    """Unused channels do not slow the cold start of the API and notify."""
    code = (
        "import sys, functions.intake.handler, functions.notify.handler\n"
        "print([m for m in sys.modules if m.startswith('functions.core.channels.')"
        " and not m.endswith('.base')"
        " or m.startswith('cryptography')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["", "__init__", "Wechat", "../wechat", "wechat.x", "nothing"])
def test_an_unknown_name_has_no_adapter(name: str) -> None:
    assert base.adapter(name) is None


@pytest.mark.parametrize(("name", "file"), CALLS)
def test_a_request_is_read_as_expected(name: str, file: str) -> None:
    """Texts, pictures, voice, locations, links and events become messages; nothing else does."""
    found = read(name, (fixture_folder(name) / file).read_bytes())
    wanted = expected(name)[file]
    assert len(found) == len(wanted)
    for incoming, fields in zip(found, wanted, strict=True):
        fields_read = {field: getattr(incoming, field) for field in fields}
        assert fields_read == {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        assert chat_contact(name, incoming.user).kind == "message"
        assert incoming.display_text("zh-CN") or incoming.kind == "text"
        assert incoming.raw
        assert not incoming.media or incoming.raw


@pytest.mark.parametrize("name", NAMES)
def test_message_ids_are_stable_and_distinct(name: str) -> None:
    found = [
        m for file in expected(name) for m in read(name, (fixture_folder(name) / file).read_bytes())
    ]
    again = [
        m for file in expected(name) for m in read(name, (fixture_folder(name) / file).read_bytes())
    ]
    assert [m.message_id for m in found] == [m.message_id for m in again]
    assert len({m.message_id for m in found}) == len(found)
    assert all(m.message_id for m in found)


@pytest.mark.parametrize("name", NAMES)
def test_only_the_provider_s_signature_is_valid(name: str) -> None:
    provider = FAKE_PROVIDERS[name]
    call = provider.call(provider.text("你好", NOW), NOW)
    assert is_valid(name, call)
    for key in adapter_of(name).needs:
        if not is_valid(name, call, **{key: "another"}):
            break
    else:
        pytest.fail("no key of the secret matters")
    assert not is_valid(name, Call(call.body))
    assert not is_valid(name, Call(call.body), **dict.fromkeys(provider.secret, ""))
    if provider.signs_body:
        assert not is_valid(name, Call(call.body + b" ", call.query, call.headers))
    if provider.signs_time:
        long_ago = NOW - timedelta(minutes=6)
        assert not is_valid(name, provider.call(provider.text("你好", long_ago), long_ago))


BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
            st.sampled_from(
                ["event", "events", "message", "from", "chat", "source", "type", "text", "user",
                 "userId", "id", "update_id", "channel", "ts", "files", "callback_query"]
            ), inner, max_size=6,
        ),
        max_leaves=20,
    ).map(lambda found: json.dumps(found).encode()),
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(body=BODIES)
def test_any_body_is_read_or_refused_as_unreadable(name: str, body: bytes) -> None:
    _readable(name, body)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_damaged_request_is_read_or_refused_as_unreadable(
    name: str, data: st.DataObject
) -> None:
    """The damage cuts, doubles or overwrites a piece of a real request."""
    file = data.draw(st.sampled_from(sorted(expected(name))))
    body = (fixture_folder(name) / file).read_bytes()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    put = data.draw(st.binary(max_size=6) | st.just(body[start:end] * 2) | st.just(b"null"))
    _readable(name, body[:start] + put + body[end:])


@pytest.mark.parametrize("name", NAMES)
@given(status=st.integers(100, 599), body=st.binary(max_size=60) | st.just(b'{"errcode": 1}'))
def test_any_token_response_has_a_result(name: str, status: int, body: bytes) -> None:
    """A provider without access tokens has a permanent cause."""
    found = adapter_of(name).token(status, body)
    assert isinstance(found, Token | ProviderResult)
    if type(adapter_of(name)).token_call is Adapter.token_call:
        assert found == ProviderResult("permanent", cause=f"{name} has no access tokens")


def _readable(name: str, body: bytes) -> None:
    try:
        found = read(name, body)
    except Unreadable:
        return
    for incoming in found:
        assert incoming.kind == "text" or incoming.kind in MESSAGE_LABELS
        incoming.display_text("en").encode()
        incoming.message_id.encode()
        assert incoming.raw


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_sent_whole_or_truncated_to_the_limit(name: str) -> None:
    """The call has the person's id and text, and no token in a place that is logged."""
    provider = FAKE_PROVIDERS[name]
    secret = {**provider.secret, "api": "http://127.0.0.1:9"}
    key = str(UUID(int=1))
    call = adapter_of(name).send(
        OutgoingMessage(provider.user, "工单 <1> & 2 ✓", key=key), secret, "token"
    )
    assert call.url.startswith("http://127.0.0.1:9/")
    assert provider.sent_message(sent_body(call.body)) == (provider.user, "工单 <1> & 2 ✓")
    long = adapter_of(name).send(
        OutgoingMessage(provider.user, "长😀" * 9000, key=key), secret, "token"
    )
    _, words = provider.sent_message(sent_body(long.body))
    assert words.endswith("…")
    assert len(words) < 18000
    link = "https://desk.example.com/t?key=1"
    linked = adapter_of(name).send(
        OutgoingMessage(provider.user, f"{'长😀' * 9000}。{link}", key=key), secret, "token"
    )
    _, linked_words = provider.sent_message(sent_body(linked.body))
    assert linked_words.endswith(f"…{link}")
    assert len(linked_words.encode()) <= len(words.encode()) + 4


@pytest.mark.parametrize("name", NAMES)
@given(st.text(alphabet="长😀x。 \n", max_size=90))
def test_the_parts_of_a_text_are_the_text(name: str, text: str) -> None:
    """Each part fits into a message, and a link stays whole."""
    found = adapter_of(name)
    limit = found.max_text
    link = "https://desk.example.com/t?key=1"
    text = f"长{text}" * (1 + 2 * limit // (4 + len(text))) + link
    parts = found.parts(text)
    assert len(parts) > 1
    assert all(part == found.fitted(part) for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert link in parts[-1]
    assert all(found.parts(f"\n {'长' * limit} \n"))


@pytest.mark.parametrize("name", [name for name in NAMES if adapter_of(name).max_choices])
def test_choices_are_shown_with_their_ids_and_labels(name: str) -> None:
    provider, most = FAKE_PROVIDERS[name], adapter_of(name).max_choices
    choices = tuple(base.Choice(f"invoice-{n}", f"Invoice {n}") for n in range(most))
    message = OutgoingMessage(provider.user, "Which one?", key=str(UUID(int=1)), choices=choices)
    sent = json.dumps(json.loads(adapter_of(name).send(message, provider.secret, "t").body))
    for choice in choices:
        assert choice.id in sent
        assert choice.label in sent


@pytest.mark.parametrize("name", NAMES)
def test_windows_are_of_some_time_and_count(name: str) -> None:
    for window in adapter_of(name).windows.values():
        assert window.duration > timedelta()
        assert window.count is None or window.count > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 429, 500, 503])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"<html>", b"\xff", b'{"ok": 1, "errcode": {}}']
)
def test_any_response_to_a_message_has_a_result(name: str, status: int, body: bytes) -> None:
    found = adapter_of(name).outcome(status, body)
    assert found.state in {"sent", "passing", "permanent", "renew"}
    assert found.state == "sent" or found.cause
    if status in {429, 500, 503}:
        assert found.state == "passing"


@pytest.mark.parametrize("name", NAMES)
@given(
    status=st.sampled_from([200, 202, 302, 400, 401, 404, 429, 500, 503]),
    media_type=st.sampled_from(["", "image/png", "application/json", "text/html"]),
    body=st.binary(max_size=60) | st.sampled_from([b"", b"{}", b"[]", b'{"ok": 1, "errcode": {}}']),
)
def test_any_response_with_a_file_has_a_result(
    name: str, status: int, media_type: str, body: bytes
) -> None:
    """A file comes with 200 alone; a provider that is busy is asked again."""
    secret = FAKE_PROVIDERS[name].secret
    found = adapter_of(name).media(status, {"content-type": media_type}, body, secret, "token")
    assert isinstance(found, MediaFile | HttpCall | ProviderResult)
    assert status == 200 or isinstance(found, ProviderResult)
    if adapter_of(name).gives_files and status in {429, 500, 503}:
        assert isinstance(found, ProviderResult)
        assert found.state == "passing"
        assert found.cause


@pytest.mark.parametrize("name", NAMES)
def test_the_provider_s_real_responses_are_understood(name: str) -> None:
    provider = FAKE_PROVIDERS[name]
    assert adapter_of(name).outcome(200, provider.accepted()).state == "sent"
    refused = adapter_of(name).outcome(*provider.refused())
    assert (refused.state, refused.closed) == ("permanent", False)
    assert refused.cause
    if provider.closed is not None:
        closed = adapter_of(name).outcome(*provider.closed)
        assert (closed.state, closed.closed) == ("permanent", True)


@pytest.mark.parametrize(
    ("name", "path", "valid"),
    [
        ("messenger", "/me?fields=id", b'{"id":"1"}'),
        ("weibo", "/oauth2/get_token_info", b'{"uid":1,"expires_in":9}'),
        ("whatsapp", "/200000000000001?fields=id", b'{"id":"1"}'),
    ],
)
def test_a_secret_is_checked_by_a_call_that_sends_nothing(
    name: str, path: str, valid: bytes
) -> None:
    found, secret = adapter_of(name), FAKE_PROVIDERS[name].secret
    call = found.check_call({**secret, "api": "http://127.0.0.1:9"})
    assert call is not None
    assert call.url == f"http://127.0.0.1:9{path}"
    assert secret["access_token"] in f"{call.body!r}{call.headers}".replace("+", " ")
    assert found.checked(200, valid).state == "sent"
    assert found.checked(400, b'{"error":{"code":190},"error_code":21327}').state == "permanent"


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_names_the_channel_and_its_secret_keys(name: str) -> None:
    page = (ROOT / "docs" / "adapters.md").read_text("utf-8")
    for key in adapter_of(name).needs:
        assert f"`{key}`" in page, key
    assert f"channels/{name}" in page
    assert name in CHANNELS, "people see its name"
