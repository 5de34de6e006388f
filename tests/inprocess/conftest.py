"""A deployment of all functions in this process, on moto, without network."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.administration.retention import erase
from functions.core.domain.roster import Agent
from functions.core.domain.rules import Playbook
from functions.core.platform.settings import Deployment
from functions.core.playbook import load
from functions.core.storage.database import Storage
from infra.console.retention import records_of
from infra.simulator.simulator import FUNCTIONS, Simulator
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.core.sample_desk import make_table
from tests.permissions import allows, may_read_parameter
from tests.written import written

DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")
ROOT = Path(__file__).parents[2]
URL = "https://desk.example.com"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a webhook secret of thirty-two b").decode()
ROSTER = (
    ("li-1", "agent", "技术支持组"), ("li-2", "agent", "技术支持组"), ("sh-1", "agent", "售后组"),
    ("sh-2", "agent", "售后组"), ("zx-1", "agent", "通用咨询组"), ("zx-2", "agent", "通用咨询组"),
    ("zg-1", "supervisor", "主管组"), ("zj-1", "qa", "质检组"),
)  # fmt: skip


SLOW = {
    "test_chat_joining.py", "test_flooding.py", "test_links.py", "test_mail_accounting.py",
    "test_mail_loops.py", "test_merging.py", "test_returns.py", "test_threads.py",
}  # fmt: skip
"""The files that only `make test-all` runs: what happens beside the straight path of mail, chats
and links, a third of the time of this folder."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.name in SLOW and item.path.parent == Path(__file__).parent:
        item.add_marker(pytest.mark.slow)


@cache
def shipped(path: Path) -> Playbook:
    """A playbook that ships with the product, read and checked once."""
    return load(path)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A deployment of the `standard` desk with its roster, everybody offline."""
    with aws_in_memory(DEPLOYMENT.region):
        restore_or_make("whole", _standard)
        with Simulator(DEPLOYMENT).running() as running:
            running.pump()
            running.calls.clear()
            yield running
            require_permitted(running)


def require_permitted(simulator: Simulator) -> None:
    """Check that each function's policy allows the items it wrote and the parameters it read."""
    for call in simulator.calls:
        if call.function in {"api_handler", *FUNCTIONS}:
            for write in written(call.operation, call.request):
                allowed = allows(call.function, write.action, write.key, write.attributes)
                assert allowed, f"{call.function} may not: {write}"
            name = call.request.get("Name", "") if call.operation == "GetParameter" else ""
            name = name.replace(f"/deskbell/{DEPLOYMENT.stage}/", "/deskbell/prod/")
            assert not name or may_read_parameter(call.function, name), f"{call.function}: {name}"


def _standard() -> None:
    foundation("standard")
    storage = Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)
    storage.playbooks.put(shipped(ROOT / "playbooks" / "standard.yaml"), datetime.now(UTC))
    for username, role, team in ROSTER:
        storage.roster.put(
            Agent(desk="standard", username=username, role=role, team=team, capacity=5)
        )


def foundation(desk: str) -> None:
    """Create the resources of one desk: table, buckets, keys, queues and secrets."""
    make_table(boto3.client("dynamodb"), DEPLOYMENT.table)
    s3 = boto3.client("s3")
    for bucket in (DEPLOYMENT.mail_bucket, DEPLOYMENT.archive_bucket):
        s3.create_bucket(Bucket=bucket)
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=DEPLOYMENT.contacts_key, TargetKeyId=key)
    sqs = boto3.client("sqs")
    for room in ("mail", "router", "notify", "sla_timer"):
        sqs.create_queue(QueueName=f"{DEPLOYMENT.prefix}-{room}-dlq")
    boto3.client("sesv2").create_email_identity(EmailIdentity=f"{desk}.local")
    ssm = boto3.client("ssm")
    root = base64.b64encode(bytes(range(32))).decode()
    for name, value in (
        ("key", root),
        ("api", json.dumps({"url": URL})),
        ("settings", json.dumps({"user_pool_id": "p", "user_pool_client_id": "c"})),
        (f"desks/{desk}/webhook", WEBHOOK_SECRET),
    ):
        ssm.put_parameter(Name=DEPLOYMENT.parameter(name), Value=value, Type="SecureString")


def erase_customer(simulator: Simulator, at: datetime, **who: str) -> None:
    """Erase the customer with a `contact` or of a `number`, as the console does."""
    given: dict[str, Any] = {**who, "reason": "asked for it", "actor": "admin", "now": at}
    erase(records_of(simulator.deployment.stage), "standard", **given)


@pytest.fixture
def storage(simulator: Simulator) -> Storage:
    """The deployment's table."""
    return Storage.on(boto3.client("dynamodb"), simulator.deployment.table)
