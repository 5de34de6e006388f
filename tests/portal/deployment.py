"""A whole HTTP API on moto: parameters, keys, user pool, and one desk with its roster."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from functions.core.domain.rules import Playbook
from functions.core.platform.settings import Deployment
from functions.core.storage.database import Storage
from infra.simulator.simulator import Simulator
from tests.aws_snapshots import aws_in_memory, restore_or_make
from tests.core.sample_desk import NOON, agent, make_table

DEPLOYMENT = Deployment("aws", "us-east-1", "123456789012", "test")
ROOT = bytes(range(32))
PASSWORD = "Correct-Horse-9"


@contextmanager
def deployed(playbook: Playbook, roster: Mapping[str, tuple[str, str]]) -> Iterator[Simulator]:
    """The deployment with its functions ready to be called.

    Args:
        roster: username → role and team. Everybody has `PASSWORD` and a group in the pool;
            `new-1` there has still to choose a password.
    """
    with aws_in_memory(DEPLOYMENT.region):
        what = ("deployed", playbook.model_dump_json(), *roster.items())
        restore_or_make(what, lambda: _deployment(playbook, roster))
        with Simulator(DEPLOYMENT).running() as running:
            yield running


def _deployment(playbook: Playbook, roster: Mapping[str, tuple[str, str]]) -> None:
    import boto3

    dynamodb = boto3.client("dynamodb")
    make_table(dynamodb, DEPLOYMENT.table)
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=DEPLOYMENT.contacts_key, TargetKeyId=key)
    storage = Storage.on(dynamodb, DEPLOYMENT.table)
    storage.playbooks.put(playbook, NOON)
    for username, (role, team) in roster.items():
        storage.roster.put(agent(username, desk=playbook.desk, role=role, team=team))
    _parameters(_user_pool(playbook.desk, roster))


def _parameters(settings: dict[str, str]) -> None:
    import boto3

    ssm = boto3.client("ssm")
    for name, value in (
        ("key", b64encode(ROOT).decode()),
        ("api", json.dumps({"url": "https://desk.example.com/api"})),
        ("settings", json.dumps(settings)),
    ):
        ssm.put_parameter(Name=DEPLOYMENT.parameter(name), Value=value, Type="SecureString")


def _user_pool(desk: str, roster: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    import boto3

    cognito: Any = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=DEPLOYMENT.prefix)["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName=DEPLOYMENT.prefix,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )
    for role in {role for role, _ in roster.values()}:
        cognito.create_group(UserPoolId=pool, GroupName=f"{desk}:{role}")
    for username, (role, _) in roster.items():
        cognito.admin_create_user(UserPoolId=pool, Username=username)
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=username, Password=PASSWORD, Permanent=True
        )
        cognito.admin_add_user_to_group(
            UserPoolId=pool, Username=username, GroupName=f"{desk}:{role}"
        )
    cognito.admin_create_user(UserPoolId=pool, Username="new-1", TemporaryPassword=PASSWORD)
    return {"user_pool_id": pool, "user_pool_client_id": client["UserPoolClient"]["ClientId"]}
