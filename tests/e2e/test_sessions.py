"""Sessions of agents on the running system: tokens, authenticators, the end of access."""

import hmac
import json
import time
from base64 import b32decode, urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskbell.client import ApiResponse
from functions.core.storage.roster import ROSTER_TTL
from tests.e2e.running_system import System, wait_until

pytestmark = pytest.mark.requirement("G4")
DESK, WHO = "rapid", "rapid-finance-1"
TICKETS = f"/agent/desks/{DESK}/tickets?queue=all"
LAG = timedelta(seconds=10)
"""The time of a request on a busy machine, beyond that for which an entry is cached."""


def _session(system: System, path: str = "", **body: str) -> ApiResponse:
    return system.http("POST", f"/session{path}", body)


def _password(system: System) -> str:
    return next(str(a["password"]) for a in system.local["agents"] if a["username"] == WHO)


def _code(secret: str) -> str:
    """Return the code that an authenticator shows now (RFC 6238)."""
    counter = int(time.time() // 30).to_bytes(8, "big")
    digest = hmac.digest(b32decode(secret), counter, "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def _lifetime(token: str) -> timedelta:
    payload = token.split(".")[1]
    claims: Any = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return timedelta(seconds=claims["exp"] - claims["iat"])


def test_a_token_lasts_an_hour_and_is_refreshed(system: System) -> None:
    opened = _session(system, username=WHO, password=_password(system))
    assert opened.status == 200, opened.text
    assert _lifetime(opened.json["token"]) <= timedelta(minutes=60)
    expires = datetime.fromisoformat(opened.json["expires_at"])
    assert expires - datetime.now(UTC) <= timedelta(minutes=60)
    again = _session(system, "/refresh", refresh_token=opened.json["refresh_token"])
    assert (again.status, set(again.json)) == (200, {"token", "expires_at"})
    answer = system.http("GET", TICKETS, token=again.json["token"])
    assert answer.status == 403, "finance sees no queue, but is known"
    assert _session(system, "/refresh", refresh_token="nonsense").status == 401


def test_an_authenticator_is_set_up_used_and_taken_away(system: System) -> None:
    password = _password(system)
    asked = _session(system, "/mfa", username=WHO, password=password)
    assert asked.status == 200, asked.text
    wrong = _session(system, "/mfa", username=WHO, password=password, code="000000")
    assert (wrong.status, wrong.json["errors"][0]["field"]) == (400, "code")
    assert "token" in _session(system, username=WHO, password=password).json, "not set up yet"
    code = _code(asked.json["secret"])
    assert _session(system, "/mfa", username=WHO, password=password, code=code).status == 200

    first = _session(system, username=WHO, password=password)
    assert (first.status, set(first.json)) == (200, {"challenge", "session"})
    session = first.json["session"]
    assert _session(system, session=session, code="000000").status == 401
    second = _session(system, session=session, code=_code(asked.json["secret"]))
    assert second.status == 200, second.text
    assert second.json["agent"]["username"] == WHO
    system.command("person", "reset", WHO, "--mfa")
    assert "token" in _session(system, username=WHO, password=password).json


def test_who_is_removed_is_refused_within_30_seconds(system: System) -> None:
    password = _password(system)
    opened = _session(system, username=WHO, password=password).json
    assert system.http("GET", TICKETS, token=opened["token"]).status == 403
    system.command("person", "remove", DESK, WHO)
    try:
        wait_until(
            lambda: system.http("GET", TICKETS, token=opened["token"]).status == 401,
            "refused",
            (ROSTER_TTL + LAG).total_seconds(),
        )
        assert _session(system, "/refresh", refresh_token=opened["refresh_token"]).status == 401
        assert _session(system, username=WHO, password=password).status == 401
    finally:
        system.command("person", "add", DESK, WHO, "--role", "finance")  # keeps the password
    wait_until(
        lambda: _session(system, username=WHO, password=password).status == 200,
        "let in again",
        (ROSTER_TTL + LAG).total_seconds(),
    )
    lines = system.command("audit", "list", "--desk", DESK, "--json").splitlines()
    acts = [json.loads(line) for line in lines]
    assert [act["act"] for act in acts if act["target"] == WHO] == [
        "person.remove",
        "person.add",
    ]
    assert all(act["actor"].startswith("console:") for act in acts)
