"""Webhooks: endpoints, event types, message ids, secrets and signatures."""

import json
import re
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain import events as e
from functions.core.domain.errors import PlaybookError
from functions.core.domain.playbook_upgrades import FORMER_WEBHOOK_TYPES
from functions.core.domain.rules import Webhook
from functions.core.domain.webhooks import (
    Endpoint,
    MessageId,
    event_of_type,
    rotated,
    sign_standard_webhook,
    valid_secrets,
    wanted,
)
from functions.core.playbook import load
from tests.core.sample_desk import DESK, NOON

pytestmark = pytest.mark.requirement("G5")
SECRET = "whsec_" + b64encode(b"a secret").decode()


def test_every_event_but_imports_and_timer_changes_has_a_webhook_type() -> None:
    assert set(event_of_type().values()) == set(e.EVENTS) - {"TicketImported", "TimersSet"}
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in event_of_type())


def test_a_former_webhook_type_leads_to_a_current_one_and_is_never_reused() -> None:
    assert set(FORMER_WEBHOOK_TYPES.values()) <= set(event_of_type())
    assert set(FORMER_WEBHOOK_TYPES).isdisjoint(event_of_type())


@pytest.mark.parametrize(
    ("url", "target", "port"),
    [
        ("https://crm.example.com", "/", 443),
        ("https://crm.example.com:8443/hooks?a=1&b=%20", "/hooks?a=1&b=%20", 8443),
        ("https://CRM.example.com:443/x", "/x", 443),
        ("http://127.0.0.1:9000/hooks", "/hooks", 9000),
        ("http://127.0.0.1/hooks", "/hooks", 80),
        ("https://[2606:4700::1111]/x", "/x", 443),
    ],
)
def test_an_endpoint_url_is_parsed(url: str, target: str, port: int) -> None:
    found = Endpoint.of(url)
    assert (found.target, found.port) == (target, port)
    assert found.host == found.host.lower()


@pytest.mark.parametrize(
    "url",
    [
        "", "crm", "//crm.example.com", "http://crm.example.com/", "http://localhost/",
        "http://10.0.0.1/", "ftp://crm.example.com/", "file:///etc/passwd", "gopher://x/",
        "https://user@crm.example.com/", "https://user:secret@crm.example.com/",
        "https://crm.example.com/#part", "https://crm.example.com:22/", "https://crm.example.com:25",
        "https://crm.example.com:0/", "https://crm.example.com:99999/", "https:///hooks",
        "https://crm.example.com\\@10.0.0.1/", "https://crm.example.com/a b", "https://[::1",
        "https://crm.example.com/\r\nHost: x", "https://例子.example.com/", "https://x/\x00",
        "http://127.0.0.1@10.0.0.1/", "http://127.0.0.1.example.com/",
    ],
)  # fmt: skip
def test_an_unsafe_endpoint_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Endpoint.of(url)


@given(st.text(max_size=60))
def test_any_text_is_parsed_safely_or_refused(text: str) -> None:
    for url in (text, f"https://{text}"):
        try:
            found = Endpoint.of(url)
        except ValueError:
            continue
        assert not re.search(r"[\s@\\]", found.authority + found.target.partition("?")[0][:0])
        assert not re.search(r"\s", found.target)
        assert found.scheme == "https" or found.host == "127.0.0.1"


def webhook(*names: str) -> Webhook:
    return Webhook(url="https://crm.example.com/", events=names)


def test_an_endpoint_selects_events_by_type_step_or_wildcard() -> None:
    events = (
        e.NoteAdded(text="x"),
        e.StepTaken(step="visit"),
        e.TimersSet(timers={}),
        e.StepTaken(step="parts"),
    )
    found = list(
        wanted(
            events,
            {
                "steps": webhook("step.taken"),
                "visits": webhook("step:visit"),
                "all": webhook("*", "note.added"),
                "none": webhook("ticket.received"),
            },
        )
    )
    assert [(name, position) for name, position, _ in found] == [
        ("all", 0), ("steps", 1), ("visits", 1), ("all", 1), ("steps", 3), ("all", 3),
    ]  # fmt: skip
    assert list(wanted(events, {})) == []


IDS = st.builds(
    MessageId,
    st.from_regex(r"[a-z][a-z0-9-]{1,30}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9-]{4,40}", fullmatch=True),
    st.integers(1, 999_999),
    st.integers(0, 99),
    st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True),
)


@given(IDS)
def test_a_message_id_is_parsed_back(found: MessageId) -> None:
    """It contains no dot, which would make the signed content ambiguous."""
    assert MessageId.read(str(found)) == found
    assert "." not in str(found)


@pytest.mark.parametrize(
    "written", ["", "msg", "msg_a_b", "msg_desk_CS1_x_0_crm", "evt_desk_CS01_1_0_crm", "msg_" * 6]
)
def test_another_text_is_no_message_id(written: str) -> None:
    assert MessageId.read(written) is None


def test_the_previous_secret_stays_valid_for_the_overlap() -> None:
    first = rotated("", "whsec_1", NOON, timedelta(hours=24))
    assert valid_secrets(first, NOON) == ("whsec_1",)
    second = rotated(first, "whsec_2", NOON, timedelta(hours=24))
    assert valid_secrets(second, NOON + timedelta(hours=23)) == ("whsec_2", "whsec_1")
    assert valid_secrets(second, NOON + timedelta(hours=24)) == ("whsec_2",)
    third = rotated(second, "whsec_3", NOON + timedelta(hours=1), timedelta(hours=24))
    assert valid_secrets(third, NOON + timedelta(hours=2)) == ("whsec_3", "whsec_2", "whsec_1")
    assert valid_secrets(third, NOON + timedelta(hours=24, minutes=30)) == ("whsec_3", "whsec_2")
    at_once = rotated(third, "whsec_4", NOON, timedelta())
    assert valid_secrets(at_once, NOON)[0] == "whsec_4"
    assert "whsec_3" not in valid_secrets(at_once, NOON)
    assert "until" not in json.loads(third)[0]


def test_signing_needs_a_secret() -> None:
    for secret in ("", "whsec_", "whsec_!", "不"):
        with pytest.raises(ValueError, match="secret"):
            sign_standard_webhook(secret, "msg_1", 1, "{}")


# In a playbook


def desk_with(**webhook: Any) -> dict[str, Any]:
    endpoint = {"url": "https://crm.example.com/hooks", "events": ["ticket.received"], **webhook}
    return {**DESK, "webhooks": {"crm": endpoint}}


def test_a_playbook_defines_endpoints() -> None:
    playbook = load(desk_with(events=["ticket.received", "*"]))
    assert playbook.webhooks["crm"].events == ("ticket.received", "*")
    assert load(desk_with(events="note.added")).webhooks["crm"].events == ("note.added",)


@pytest.mark.parametrize(
    ("webhook", "message"),
    [
        ({"url": "http://crm.example.com"}, "webhooks.crm.url: expected https://"),
        ({"url": "https://crm.example.com:22"}, "webhooks.crm.url: expected port 443"),
        ({"events": []}, "webhooks.crm.events"),
        ({"events": ["TicketReceived"]}, "webhooks.crm.events.0: there is no 'TicketReceived'"),
        ({"events": ["step:visit"]}, "webhooks.crm.events.0: there is no 'step:visit'"),
        ({"events": ["timers.set"]}, "webhooks.crm.events.0: there is no 'timers.set'"),
        ({"secret": SECRET}, "webhooks.crm.secret: unknown key"),
    ],
)
def test_an_invalid_endpoint_is_refused(webhook: dict[str, Any], message: str) -> None:
    with pytest.raises(PlaybookError, match=re.escape(message)):
        load(desk_with(**webhook))


def test_an_invalid_endpoint_name_is_refused() -> None:
    message = "webhooks.Crm_1: expected a name of lowercase letters, digits and hyphens"
    with pytest.raises(PlaybookError, match=re.escape(message)):
        load({**DESK, "webhooks": {"Crm_1": {"url": "https://x.example.com", "events": ["*"]}}})
