"""`deskbell sms`: the secrets of providers of text messages."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from infra.console.main import app
from infra.console.sms import sms_secret_of
from infra.deploy.desks import storage_of
from infra.local.sms_providers import local_secret
from tests.aws_snapshots import aws_in_memory
from tests.core.sample_desk import make_table
from tests.inprocess.conftest import ROOT, shipped

pytestmark = pytest.mark.requirement("F5")
STAGE = "test"
KEYS = '{"access_key_id": "key-1", "access_key_secret": "one"}'


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stage with the desk `standard`."""
    with aws_in_memory():
        storage = storage_of(STAGE)
        make_table(storage.table.client, storage.table.name)
        storage.playbooks.put(shipped(ROOT / "playbooks" / "standard.yaml"), datetime.now(UTC))
        monkeypatch.setattr(
            "functions.core.platform.aws.public_url", lambda _: "https://api.example.com"
        )
        yield


def console(*arguments: str, told: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sms", *arguments, "--stage", STAGE], input=told)
    return done.exit_code, done.output + str(done.exception or "")


def test_a_secret_is_set_rotated_listed_and_removed() -> None:
    code, said = console("set", "standard", "aliyun", told=KEYS)
    secret = sms_secret_of(STAGE, "standard", "aliyun")
    assert code == 0, said
    assert secret is not None
    address = "https://api.example.com/desks/standard/channels/sms-reports?provider=aliyun&key="
    assert address + secret["report_key"] in said
    assert console("set", "standard", "aliyun", told='{"access_key_secret": "two"}')[0] == 0
    assert sms_secret_of(STAGE, "standard", "aliyun") == {**secret, "access_key_secret": "two"}
    _, listed = console("list")
    assert "aliyun\taccess_key_id access_key_secret report_key" in listed
    assert secret["report_key"] not in listed
    assert local_secret(STAGE, "aliyun", "key-1")
    assert local_secret(STAGE, "aliyun", "key-2") is None
    assert console("remove", "standard", "aliyun")[0] == 0
    assert sms_secret_of(STAGE, "standard", "aliyun") is None


@pytest.mark.parametrize(
    ("arguments", "told", "says"),
    [
        (("set", "standard", "sns"), "{}", "use one of aliyun, tencent; SNS needs none"),
        (("set", "nobody", "aliyun"), KEYS, "there is no desk nobody"),
        (("set", "standard", "tencent"), '{"secret_id": "1"}', "needs secret_key, sdk_app_id"),
        (("set", "standard", "aliyun"), '{"secret_id": "1"}', "aliyun has no secret_id"),
        (("set", "standard", "aliyun"), "[]", "not a JSON object"),
        (("remove", "standard", "aliyun"), "", "has no secret of aliyun"),
    ],
)
def test_a_mistake_is_named(arguments: tuple[str, ...], told: str, says: str) -> None:
    code, said = console(*arguments, told=told)
    assert (code, says in said) == (1, True), said
