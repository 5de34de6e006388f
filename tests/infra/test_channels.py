"""Connecting a desk's chat channels from the console."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from typer.testing import CliRunner

from functions.core.channels.base import names
from functions.core.storage.database import Storage
from infra.console.channels import connect_channel, connected, secret_of
from infra.console.desk_secrets import ChannelError
from infra.console.main import app
from infra.deploy.desks import storage_of
from infra.deploy.trail import OperatorTrail
from infra.local.providers import PATH, ensure_channels
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import make_table
from tests.inprocess.conftest import ROOT, shipped
from tests.inprocess.recording_provider import recording_provider

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
    put = ("set", "standard", "slack", "--no-check")
    code, _ = console(*put, told='{"signing_secret": "one", "bot_token": "x"}')
    assert code == 0
    code, said = console(*put, told='{"signing_secret": "two"}')
    assert (code, "within a minute" in said) == (0, True)
    assert secret_of(STAGE, "standard", "slack") == {"signing_secret": "two", "bot_token": "x"}
    code, listed = console("list")
    assert "signing_secret bot_token" in listed
    assert "two" not in listed
    assert console("remove", "standard", "slack")[0] == 0
    assert connected(STAGE) == []


@pytest.mark.requirement("F5", "H7")
def test_the_provider_is_asked_whether_a_secret_is_valid() -> None:
    """A refused one is not stored; without an answer it is, since the provider may be down."""
    secret = {"secret_token": "one", "bot_token": "x"}
    boto3.client("ssm").put_parameter(
        Name=f"/deskbell/{STAGE}/api", Value='{"url": "https://a.example"}', Type="String"
    )
    with recording_provider(b'{"ok":true,"result":{"id":1}}') as api:
        told = json.dumps({**secret, "api": api.url})
        code, said = console("set", "standard", "telegram", told=told)
        assert (code, "accepted by the provider" in said) == (0, True)
        assert "https://a.example/desks/standard/channels/telegram" in said
        assert [path for path, _, _ in api.calls] == ["/botx/getMe"]
        api.answers = [(401, b'{"ok":false,"description":"Unauthorized"}')]
        code, said = console("set", "standard", "telegram", told='{"bot_token": "wrong"}')
        assert (code != 0, "Unauthorized" in said, "--no-check" in said) == (True, True, True)
        assert secret_of(STAGE, "standard", "telegram") == {**secret, "api": api.url}
        app_secret = {"token": "t", "app_id": "wx", "app_secret": "s", "api": api.url}
        code, said = console("set", "standard", "wechat", told=json.dumps(app_secret))
        assert (code, "accepted" in said) == (0, True), "the token alone shows it"
    assert "/channels/voice?key=" in console("set", "standard", "voice", told='{"key": "k"}')[1]
    code, said = console("set", "standard", "telegram", told='{"bot_token": "y"}')
    assert (code, "not checked: telegram cannot be reached" in said) == (0, True)


@pytest.mark.requirement("H7")
def test_the_list_shows_each_channel_s_health(stage: Storage) -> None:
    at = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
    connect_channel(TRAIL, "standard", "line", {"channel_secret": "x", "access_token": "y"})
    assert "never\tnever\t0" in console("list")[1]
    healths = stage.channel_healths
    healths.note("standard", "line", "in", at)
    healths.note("standard", "line", "in", at + timedelta(seconds=59))  # within a minute: no write
    healths.note("standard", "line", "out", at)
    healths.note_failure("standard", "line", "HTTP 401 from LINE")
    listed = console("list")[1]
    assert listed.count("2026-03-10T04:00:00+00:00") == 2
    assert "1 HTTP 401 from LINE" in listed
    healths.note("standard", "line", "out", at + timedelta(seconds=1))
    assert healths.of("standard")["line"].failures == 0
    # Calls that are signed as webhooks have no secret.
    healths.note("standard", "voice", "in", at)
    assert "standard\tvoice\t\t\t2026-03-10T04:00:00+00:00\tnever\t0" in console("list")[1]


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
