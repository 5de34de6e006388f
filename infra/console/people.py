"""The people of a desk: users of the Cognito pool, and entries of the roster."""

import contextlib

import boto3

from functions.core.domain.roster import Agent
from infra.deploy.stage_secrets import settings


def user_pool(stage: str) -> str:
    return settings(stage)["user_pool_id"]


def usernames(pool: str) -> set[str]:
    pages = boto3.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=pool)
    return {user["Username"] for page in pages for user in page["Users"]}


def has_user(pool: str, username: str) -> bool:
    cognito = boto3.client("cognito-idp")
    try:
        cognito.admin_get_user(UserPoolId=pool, Username=username)
    except cognito.exceptions.UserNotFoundException:
        return False
    return True


def create_user(pool: str, agent: Agent, password: str) -> None:
    """Create a user with a permanent password, or find and enable them; add to `<desk>:<role>`."""
    cognito = boto3.client("cognito-idp")
    name = agent.username
    try:
        cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    except cognito.exceptions.UsernameExistsException:
        # They work at another desk already, or come back, and keep their password.
        cognito.admin_enable_user(UserPoolId=pool, Username=name)
    else:
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=name, Password=password, Permanent=True
        )
    group = f"{agent.desk}:{agent.role}"
    with contextlib.suppress(cognito.exceptions.GroupExistsException):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
