"""What an endpoint may be and ask for, and how its messages are named and signed (G5)."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain import events as e
from functions.core.domain.errors import PlaybookError
from functions.core.domain.rules import Webhook, load
from functions.core.domain.webhooks import (
    Endpoint,
    MessageId,
    rotated,
    sign_standard_webhook,
    types,
    valid_secrets,
    wanted,
)
from tests.core.sample_desk import DESK, NOON

SECRET = "whsec_" + b64encode(b"a secret").decode()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TicketReceived", "ticket.received"),
        ("SecondHandlingStarted", "second_handling.started"),
        ("CustomerWrote", "customer.wrote"),
        ("StepTaken", "step.taken"),
        ("TimerBreached", "timer.breached"),
    ],
)
def test_a_type_is_what_happened(name: str, kind: str) -> None:
    assert e.EVENTS[name].webhook == kind
    assert types()[kind] == name


def test_every_event_has_a_type_of_its_own() -> None:
    """G5: but the book-keeping of timers."""
    assert set(types().values()) == set(e.EVENTS) - {"TimersSet"}
    assert all(re.fullmatch(r"[a-z_]+\.[a-z]+", kind) for kind in types())


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
def test_an_address_to_post_to(url: str, target: str, port: int) -> None:
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
def test_no_address_to_post_to(url: str) -> None:
    """G5: neither another scheme, nor somebody's password, nor a door for other services."""
    with pytest.raises(ValueError, match=r"."):
        Endpoint.of(url)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    """G5: what is taken cannot end its header or name somebody else."""
    for url in (text, f"https://{text}"):
        try:
            found = Endpoint.of(url)
        except ValueError:
            continue
        assert not re.search(r"[\s@\\]", found.authority + found.target.partition("?")[0][:0])
        assert not re.search(r"\s", found.target)
        assert found.scheme == "https" or found.host == "127.0.0.1"


def hook(*names: str) -> Webhook:
    return Webhook(url="https://crm.example.com/", events=names)


def test_who_wants_what() -> None:
    """G5: by type, by a step's name, everything; by position in the commit."""
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
                "steps": hook("step.taken"),
                "visits": hook("step:visit"),
                "all": hook("*", "note.added"),
                "none": hook("ticket.received"),
            },
        )
    )
    assert [(name, position) for name, position, _ in found] == [
        ("all", 0),
        ("steps", 1),
        ("visits", 1),
        ("all", 1),
        ("steps", 3),
        ("all", 3),
    ]
    assert list(wanted(events, {})) == []


@pytest.mark.parametrize(
    ("kinds", "hooked", "readers"),
    [
        (("NoteAdded",), False, "none"),
        (("NoteAdded",), True, "notify"),
        (("ReplySent",), True, "notify"),
        (("TicketReceived",), True, "both"),
    ],
)
def test_a_wanted_event_reaches_notify(kinds: tuple[str, ...], hooked: bool, readers: str) -> None:
    """G5: though nobody else is told of it."""
    from tests.core.domain.test_events import SAMPLES

    assert e.readers([SAMPLES[kind] for kind in kinds], wanted_by_webhook=hooked) == readers


IDS = st.builds(
    MessageId,
    st.from_regex(r"[a-z][a-z0-9-]{1,30}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9-]{4,40}", fullmatch=True),
    st.integers(1, 999_999),
    st.integers(0, 99),
    st.from_regex(r"[a-z][a-z0-9-]{0,39}", fullmatch=True),
)


@given(IDS)
def test_an_id_leads_back_to_its_delivery(found: MessageId) -> None:
    """G5: and can be signed, since parts are joined by dots."""
    assert MessageId.read(str(found)) == found
    assert "." not in str(found)


@pytest.mark.parametrize(
    "written", ["", "msg", "msg_a_b", "msg_desk_CS1_x_0_crm", "evt_desk_CS01_1_0_crm", "msg_" * 6]
)
def test_another_id_leads_nowhere(written: str) -> None:
    assert MessageId.read(written) is None


def test_a_new_secret_and_the_one_before_it() -> None:
    """G5: both are valid for a while; then the new one alone."""
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


def test_no_signature_without_a_secret() -> None:
    for secret in ("", "whsec_", "whsec_!", "不"):
        with pytest.raises(ValueError, match="secret"):
            sign_standard_webhook(secret, "msg_1", 1, "{}")


# In a playbook


def written(**webhook: Any) -> dict[str, Any]:
    given = {"url": "https://crm.example.com/hooks", "events": ["ticket.received"], **webhook}
    return {**DESK, "webhooks": {"crm": given}}


def test_a_playbook_names_endpoints() -> None:
    """G5."""
    playbook = load(written(events=["ticket.received", "*"]))
    assert playbook.webhooks["crm"].events == ("ticket.received", "*")
    assert load(written(events="note.added")).webhooks["crm"].events == ("note.added",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "http://crm.example.com"}, "webhooks.crm.url: expected https://"),
        ({"url": "https://crm.example.com:22"}, "webhooks.crm.url: expected port 443"),
        ({"events": []}, "webhooks.crm.events"),
        ({"events": ["TicketReceived"]}, "webhooks.crm.events.0: there is no 'TicketReceived'"),
        ({"events": ["step:visit"]}, "webhooks.crm.events.0: there is no 'step:visit'"),
        ({"events": ["timers.set"]}, "webhooks.crm.events.0: there is no 'timers.set'"),
        ({"secret": SECRET}, "webhooks.crm.secret: there is no such key"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], said: str) -> None:
    """G5: a secret has no place in a playbook either."""
    with pytest.raises(PlaybookError, match=re.escape(said)):
        load(written(**given))


def test_a_name_that_does_not_fit_is_named() -> None:
    said = "webhooks.Crm_1: expected a name of small letters, digits and hyphens"
    with pytest.raises(PlaybookError, match=re.escape(said)):
        load({**DESK, "webhooks": {"Crm_1": {"url": "https://x.example.com", "events": ["*"]}}})
