"""What every chat adapter keeps to, run over each one that there is; nothing to add for a new one.

A new adapter needs its side in `sides.py` and a folder of calls as its provider sends them, with
`expected.json`. (F5, G1, G3; docs/adapters.md)
"""

from __future__ import annotations

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
    Incoming,
    Outgoing,
    ProviderResult,
    Token,
    Unreadable,
)
from functions.core.text.masking import chat_contact
from functions.core.text.words import MESSAGE_LABELS
from functions.intake.signatures import verify
from tests.core.channels.provider_requests import NOW, SIDES, Call, expected, folder

ROOT = Path(__file__).parents[3]
NAMES = base.names()
CALLS = [(name, file) for name in NAMES for file in sorted(expected(name))]


def adapter_of(name: str) -> Adapter:
    found = base.adapter(name)
    assert found is not None
    return found


def read(name: str, body: bytes) -> tuple[Incoming, ...]:
    """What a signed call with a body brings."""
    side = SIDES[name]
    return adapter_of(name).read(side.call(body, NOW).request(NOW), side.secret)


def holds(name: str, call: Call, **secret: Any) -> bool:
    given = {**SIDES[name].secret, **secret}
    scheme, parts = adapter_of(name).signed(call.request(NOW), given)
    return verify(scheme, **parts)


def test_each_adapter_has_its_side_and_its_calls() -> None:
    assert set(NAMES) == set(SIDES)
    for name in NAMES:
        files = {path.name for path in folder(name).iterdir()} - {"expected.json"}
        assert files == set(expected(name)), name


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_is_one_class_that_knows_its_name_and_its_secret(name: str) -> None:
    found = adapter_of(name)
    assert type(found).__module__ == f"functions.core.channels.{name}"
    assert found.name == name
    assert found.needs
    assert set(found.needs) <= set(SIDES[name].secret)
    assert found.api.startswith("https://")
    assert found.base({"api": "http://127.0.0.1:1/x/"}) == "http://127.0.0.1:1/x"


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_calls_nobody(name: str) -> None:
    """Pure: no network, no AWS, no files, no clock."""
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
        if isinstance(node, ast.ImportFrom)
    }
    assert not known & {"boto3", "botocore", "urllib", "urllib3", "http", "socket", "os", "time"}


def test_an_adapter_is_imported_with_its_first_message() -> None:
    """Neither the API nor notify comes up slower for channels that nobody uses."""
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
def test_what_is_no_adapter_is_none(name: str) -> None:
    assert base.adapter(name) is None


@pytest.mark.parametrize(("name", "file"), CALLS)
def test_a_call_means_what_it_says(name: str, file: str) -> None:
    """F5: text, pictures, voice, places, links, events; what is no message brings none."""
    found = read(name, (folder(name) / file).read_bytes())
    wanted = expected(name)[file]
    assert len(found) == len(wanted)
    for incoming, fields in zip(found, wanted, strict=True):
        said = {field: getattr(incoming, field) for field in fields}
        assert said == {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        assert chat_contact(name, incoming.user).kind == "message"
        assert incoming.words("zh-CN") or incoming.kind == "text"
        assert incoming.raw
        assert not incoming.media or incoming.raw


@pytest.mark.parametrize("name", NAMES)
def test_no_two_messages_have_one_id(name: str) -> None:
    """G1: a message has the same id whenever it comes, and another message another one."""
    found = [m for file in expected(name) for m in read(name, (folder(name) / file).read_bytes())]
    again = [m for file in expected(name) for m in read(name, (folder(name) / file).read_bytes())]
    assert [m.message_id for m in found] == [m.message_id for m in again]
    assert len({m.message_id for m in found}) == len(found)
    assert all(m.message_id for m in found)


@pytest.mark.parametrize("name", NAMES)
def test_signatures_hold_or_not(name: str) -> None:
    side = SIDES[name]
    call = side.call(side.text("你好", NOW), NOW)
    assert holds(name, call)
    for key in adapter_of(name).needs:
        if not holds(name, call, **{key: "another"}):
            break
    else:
        pytest.fail("no key of the secret matters")
    assert not holds(name, Call(call.body))
    assert not holds(name, Call(call.body), **dict.fromkeys(side.secret, ""))
    if side.signs_body:
        assert not holds(name, Call(call.body + b" ", call.query, call.headers))
    if side.signs_time:
        long_ago = NOW - timedelta(minutes=6)
        assert not holds(name, side.call(side.text("你好", long_ago), long_ago))


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
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(body=BODIES)
def test_no_body_breaks_the_reader(name: str, body: bytes) -> None:
    """G3: it is read, or it is said to be unreadable; nothing else happens."""
    _readable(name, body)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_damage_to_a_real_call_breaks_the_reader(name: str, data: st.DataObject) -> None:
    """A piece of a real call cut out, doubled, or overwritten."""
    file = data.draw(st.sampled_from(sorted(expected(name))))
    body = (folder(name) / file).read_bytes()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    put = data.draw(st.binary(max_size=6) | st.just(body[start:end] * 2) | st.just(b"null"))
    _readable(name, body[:start] + put + body[end:])


@pytest.mark.parametrize("name", NAMES)
@given(status=st.integers(100, 599), body=st.binary(max_size=60) | st.just(b'{"errcode": 1}'))
def test_no_answer_about_a_token_breaks_an_adapter(name: str, status: int, body: bytes) -> None:
    """G3: a provider without access tokens never has one; the message is parked with a cause."""
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
        incoming.words("en").encode()
        incoming.message_id.encode()
        assert incoming.raw


@pytest.mark.parametrize("name", NAMES)
def test_words_go_out_whole_or_cut_at_the_provider_s_limit(name: str) -> None:
    """A person's id and words arrive; a token stands in no place that is logged."""
    side = SIDES[name]
    secret = {**side.secret, "api": "http://127.0.0.1:9"}
    key = str(UUID(int=1))
    call = adapter_of(name).send(Outgoing(side.user, "工单 <1> & 2 ✓", key=key), secret, "token")
    assert call.url.startswith("http://127.0.0.1:9/")
    assert side.said(json.loads(call.body)) == (side.user, "工单 <1> & 2 ✓")
    long = adapter_of(name).send(Outgoing(side.user, "长😀" * 9000, key=key), secret, "token")
    _, words = side.said(json.loads(long.body))
    assert words.endswith("…")
    assert len(words) < 18000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 429, 500, 503])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"<html>", b"\xff", b'{"ok": 1, "errcode": {}}']
)
def test_every_answer_of_a_provider_has_a_meaning(name: str, status: int, body: bytes) -> None:
    """Sent, later, or never with a cause that a person can read."""
    found = adapter_of(name).outcome(status, body)
    assert found.state in {"sent", "passing", "permanent", "renew"}
    assert found.state == "sent" or found.cause
    if status in {429, 500, 503}:
        assert found.state == "passing"


@pytest.mark.parametrize("name", NAMES)
def test_the_provider_s_own_answers_are_understood(name: str) -> None:
    side = SIDES[name]
    assert adapter_of(name).outcome(200, side.accepted()).state == "sent"
    refused = adapter_of(name).outcome(*side.refused())
    assert refused.state == "permanent"
    assert refused.cause


@pytest.mark.parametrize("name", NAMES)
def test_it_stands_in_the_documentation(name: str) -> None:
    """What it promises, and every key of its secret."""
    page = (ROOT / "docs" / "adapters.md").read_text("utf-8")
    for key in adapter_of(name).needs:
        assert f"`{key}`" in page, key
    assert f"channels/{name}" in page
