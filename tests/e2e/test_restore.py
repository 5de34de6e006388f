"""The restore that `docs/operations.md` describes, on a system of its own, step by step."""

import signal
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest

from infra.deploy.stacks import load_template
from infra.deploy.stage_secrets import ensure_secrets
from tests.e2e.running_system import ROOT, System, wait_until
from tests.e2e.test_deploy import deploy
from tests.e2e.test_up import await_routing

pytestmark = pytest.mark.requirement("F7", "F2")
FOUNDATION = load_template(ROOT / "infra" / "templates" / "foundation.yaml")
TABLE, COPY = "deskbell-local", "deskbell-local-restored"
KEY = "/deskbell/local/key"
ANA, BO, CY, DI = (f"{name}@example.com" for name in ("ana", "bo", "cy", "di"))


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that these tests may break."""
    running = System(tmp_path_factory.mktemp("restored"))
    running.start()
    running.free_capacity("standard")
    yield running
    running.stop(signal.SIGTERM)


def wait_for_table(system: System, name: str) -> None:
    system.aws("dynamodb").get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )


def pause(system: System, functions: list[str]) -> None:
    for name in functions:
        system.aws("lambda").put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=0
        )


def resume(system: System, functions: list[str]) -> None:
    for name in functions:
        system.aws("lambda").delete_function_concurrency(FunctionName=name)


def functions_of(system: System) -> list[str]:
    pages = system.aws("lambda").get_paginator("list_functions").paginate()
    return [found["FunctionName"] for page in pages for found in page["Functions"]]


def serials(system: System, table: str) -> dict[str, int]:
    pages = system.aws("dynamodb").get_paginator("scan").paginate(TableName=table)
    return {
        item["pk"]["S"]: int(item["n"]["N"])
        for page in pages
        for item in page["Items"]
        if item["pk"]["S"].startswith("SERIAL#")
    }


def settings_of(system: System, table: str) -> dict[str, Any]:
    """The parts that a restore leaves out."""
    dynamodb = system.aws("dynamodb")
    found = dynamodb.describe_table(TableName=table)["Table"]
    ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return {
        "stream": found.get("StreamSpecification"),
        "ttl": (ttl["TimeToLiveStatus"], ttl.get("AttributeName")),
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "indexes": sorted(index["IndexName"] for index in found["GlobalSecondaryIndexes"]),
    }


def as_in_the_template() -> dict[str, Any]:
    table = FOUNDATION["Resources"]["Table"]["Properties"]
    ttl, recovery = table["TimeToLiveSpecification"], table["PointInTimeRecoverySpecification"]
    assert (ttl["Enabled"], recovery["PointInTimeRecoveryEnabled"]) == (True, True)
    return {
        "stream": {"StreamEnabled": True, **table["StreamSpecification"]},
        "ttl": ("ENABLED", ttl["AttributeName"]),
        "recovery": "ENABLED",
        "indexes": sorted(index["IndexName"] for index in table["GlobalSecondaryIndexes"]),
    }


def test_the_whole_table_is_restored_under_its_name(system: System) -> None:
    dynamodb = system.aws("dynamodb")
    intact = as_in_the_template()
    kept = system.file(ANA, "登录时提示密码错误")
    await_routing(system, kept)
    link = system.link_sent_about(kept["number"])

    # 1. Restore to a moment; what was filed after it is lost.
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=TABLE, TargetTableName=COPY, UseLatestRestorableTime=True
    )
    wait_for_table(system, COPY)
    lost = system.file(BO, "无法打开页面")
    await_routing(system, lost)

    # 2. Stop the writers.
    stopped = functions_of(system)
    pause(system, stopped)
    assert system.http("GET", link).status in {429, 500, 502, 503}

    # 3. Numbers that were assigned since must not be assigned again.
    latest = serials(system, TABLE)
    assert latest != serials(system, COPY)
    for name, serial in latest.items():
        dynamodb.put_item(
            TableName=COPY,
            Item={"pk": {"S": name}, "sk": {"S": "SERIAL"}, "n": {"N": str(serial)}},
        )

    # 4. The copy gets the name.
    backup = dynamodb.create_backup(TableName=COPY, BackupName="restore")["BackupDetails"]
    dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=TABLE)
    dynamodb.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    dynamodb.restore_table_from_backup(TargetTableName=TABLE, BackupArn=backup["BackupArn"])
    wait_for_table(system, TABLE)
    assert settings_of(system, TABLE) != intact

    # 5. What a restore leaves out.
    dynamodb.update_table(
        TableName=TABLE,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    dynamodb.update_time_to_live(
        TableName=TABLE,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
    )
    dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    assert settings_of(system, TABLE) == intact

    # 6. The functions read the new stream, and run again.
    deploy(system)
    resume(system, stopped)
    stream = dynamodb.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
    mappings = system.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    arns = {found["EventSourceArn"] for found in mappings}
    assert {arn for arn in arns if ":dynamodb:" in arn} == {stream}

    # What was before the moment works whole: link, contact, work.
    assert system.http("GET", link).status == 200
    path, _, query = link.partition("?")
    assert system.http("POST", f"{path}/messages?{query}", {"text": "还是不行"}).status == 201
    reply(system, kept["number"], ANA, "请再试一次：已经重置。")
    # What was after it is gone, and its number is not given to somebody else.
    assert system.http("GET", lost["status_url"]).status == 404
    new = system.file(CY, "无法登录")
    assert new["number"] not in {kept["number"], lost["number"]}
    assert new["number"] > lost["number"]
    await_routing(system, new)
    system.link_sent_about(new["number"])


def reply(system: System, number: str, address: str, text: str) -> None:
    """Answer as an agent, and wait until the sealed contact gets it."""
    answered = system.http(
        "POST",
        f"/agent/desks/standard/tickets/{number}/reply",
        {"text": text},
        token=system.sign_in(),
    )
    assert answered.status == 200, answered.text
    wait_until(lambda: [raw for raw in system.mails(address) if text in text_of(raw)], text)


def text_of(raw: bytes) -> str:
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(("plain",))
    return body.get_content() if body else ""


def test_an_archived_record_is_restored_from_its_versions(system: System) -> None:
    """Deleted, or written over."""
    s3 = system.aws("s3")
    buckets = [found["Name"] for found in s3.list_buckets()["Buckets"]]
    (bucket,) = [name for name in buckets if "archive" in name]
    record = {"Bucket": bucket, "Key": "archive/standard/CS20260310001.json"}
    first = s3.put_object(**record, Body=b"record")["VersionId"]
    s3.put_object(**record, Body=b"wrong")
    s3.copy_object(**record, CopySource={**record, "VersionId": first})
    assert s3.get_object(**record)["Body"].read() == b"record"
    marker = s3.delete_object(**record)["VersionId"]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(**record)
    s3.delete_object(**record, VersionId=marker)
    assert s3.get_object(**record)["Body"].read() == b"record"


def test_the_keys_come_back_with_their_links_and_contacts(system: System) -> None:
    """The root key from a copy, the key that seals contacts from its pending deletion."""
    ssm, kms = system.aws("ssm"), system.aws("kms")
    filed = system.file(DI, "无法登录")
    await_routing(system, filed)
    link = system.link_sent_about(filed["number"])
    saved = ssm.get_parameter(Name=KEY, WithDecryption=True)["Parameter"]["Value"]
    key = kms.describe_key(KeyId="alias/deskbell-local-contacts")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    ssm.delete_parameter(Name=KEY)

    # A deployment makes a new root key, under which no old link opens.
    ensure_secrets(ssm, "local", [])
    assert ssm.get_parameter(Name=KEY, WithDecryption=True)["Parameter"]["Value"] != saved

    ssm.put_parameter(Name=KEY, Value=saved, Type="SecureString", Overwrite=True)
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    restart_functions(system)
    assert system.http("GET", link).status == 200
    reply(system, filed["number"], DI, "密码已经重置。")


def restart_functions(system: System) -> None:
    """End the containers, which keep the key: any change of the configuration does."""
    functions = system.aws("lambda")
    for name in functions_of(system):
        functions.update_function_configuration(FunctionName=name, Description="restored")
