"""Connecting a desk's chat channels from the console."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from functions.core.channels.base import names
from functions.core.storage.database import Storage
from infra.console.channels import ChannelError, connect_channel, connected, secret_of
from infra.console.main import app
from infra.deploy.desks import storage_of
from infra.deploy.trail import OperatorTrail
from infra.local.providers import PATH, ensure_channels
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import make_table
from tests.inprocess.conftest import ROOT, shipped

STAGE = "test"
TRAIL = OperatorTrail(STAGE, "console:test")


@pytest.fixture(autouse=True)
def stage() -> Iterator[Storage]:
    """A stage with the desk `standard`."""
    with aws_in_memory():
        storage = storage_of(STAGE)
        make_table(storage.table.client, storage.table.name)
        storage.playbooks.put(shipped(ROOT / "playbooks" / "standard.yaml"), datetime.now(UTC))
        yield storage


def console(*arguments: str, told: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["channel", *arguments, "--stage", STAGE], input=told)
    return done.exit_code, done.output + str(done.exception or "")


@pytest.mark.requirement("F5")
def test_a_secret_is_put_rotated_listed_and_removed() -> None:
    """It is read from standard input; the list shows nothing secret."""
    code, _ = console(
        "set", "standard", "slack", told='{"signing_secret": "one", "bot_token": "x"}'
    )
    assert code == 0
    code, said = console("set", "standard", "slack", told='{"signing_secret": "two"}')
    assert (code, "within a minute" in said) == (0, True)
    assert secret_of(STAGE, "standard", "slack") == {"signing_secret": "two", "bot_token": "x"}
    code, listed = console("list")
    assert "signing_secret bot_token" in listed
    assert "two" not in listed
    assert console("remove", "standard", "slack")[0] == 0
    assert connected(STAGE) == []


@pytest.mark.parametrize(
    ("arguments", "told", "says"),
    [
        (("set", "standard", "pigeon"), "{}", "there is no channel pigeon"),
        (("set", "nowhere", "slack"), "{}", "there is no desk nowhere"),
        (("set", "standard", "slack"), '{"bot_token": "x"}', "needs signing_secret"),
        (("set", "standard", "wechat"), '{"token": "x", "tokn": "y"}', "has no tokn"),
        (("set", "standard", "slack"), "token", "not JSON"),
        (("set", "standard", "slack"), "[1]", "not a JSON object"),
        (("set", "standard", "wechat"), json.dumps({"token": "x" * 5000}), "4 KB"),
        (("remove", "standard", "slack"), "", "has no channel slack"),
    ],
)
def test_an_invalid_secret_is_an_error(arguments: tuple[str, ...], told: str, says: str) -> None:
    code, said = console(*arguments, told=told)
    assert code != 0
    assert says in said


@pytest.mark.requirement("G8")
def test_the_local_system_creates_each_channel_s_secret_once() -> None:
    """Later starts keep them, and secrets that a person has put."""
    first = ensure_channels(STAGE, 8700, "standard")
    assert set(first) == set(names())
    assert all(
        secret["api"].startswith(f"http://127.0.0.1:8700{PATH}") for secret in first.values()
    )
    moved = ensure_channels(STAGE, 8800, "standard")
    assert moved["wechat"] == {**first["wechat"], "api": f"http://127.0.0.1:8800{PATH}/wechat"}
    connect_channel(TRAIL, "standard", "line", {"api": "https://api.line.me"})
    assert ensure_channels(STAGE, 8900, "standard")["line"]["api"] == "https://api.line.me"
    with pytest.raises(ChannelError):
        connect_channel(TRAIL, "standard", "line", {"access_token": None})
