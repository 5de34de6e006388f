"""The people of a desk: users of the pool with their groups, and the roster that routing reads."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

import boto3

from functions.core.domain.roster import Agent, Role
from infra.deploy.desks import store_of

ON_THE_ROSTER: frozenset[Role] = frozenset({"agent", "supervisor", "qa"})
"""Roles that tickets or call-backs may be given to."""


@dataclass(frozen=True)
class Person:
    """Somebody who works at a desk; `team` is empty for a role that has none. `level` is the
    seniority that a second handling asks for; no `products` are all."""

    desk: str
    username: str
    role: Role
    team: str = ""
    level: int = 0
    skills: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


def user_pool(stage: str) -> str:
    """The id of the stage's user pool."""
    value = boto3.client("ssm").get_parameter(Name=f"/deskbell/{stage}/settings")["Parameter"]
    found: dict[str, str] = json.loads(value["Value"])
    return found["user_pool_id"]


def usernames(pool: str) -> set[str]:
    """Every user of the pool."""
    pages = boto3.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=pool)
    return {user["Username"] for page in pages for user in page["Users"]}


def create_user(pool: str, person: Person, password: str) -> None:
    """A user who may sign in with this password, in the group `<desk>:<role>`."""
    cognito = boto3.client("cognito-idp")
    group = f"{person.desk}:{person.role}"
    with contextlib.suppress(cognito.exceptions.GroupExistsException):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    name = person.username
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=name, Password=password, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)


def put_on_roster(stage: str, person: Person, capacity: int, *, online: bool) -> None:
    """Let routing know a person; `online` counts only for one who is new to it."""
    store_of(stage).put_agent(
        Agent(
            desk=person.desk,
            username=person.username,
            role=person.role,
            team=person.team,
            capacity=capacity,
            level=person.level,
            skills=person.skills,
            products=person.products,
            online=online,
        )
    )
