"""The people of a desk: users of the Cognito pool, and the roster that routing reads."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import boto3

from functions.core.domain.roster import Agent, Role
from infra.deploy.desks import storage_of
from infra.deploy.stage_secrets import settings

ON_THE_ROSTER: frozenset[Role] = frozenset({"agent", "supervisor", "qa"})
"""The roles that can be assigned tickets or call-backs."""


@dataclass(frozen=True)
class Person:
    """A person who works at a desk.

    `team` is empty for roles without one. `level` is the seniority that a second handling requires.
    Empty `products` means every product.
    """

    desk: str
    username: str
    role: Role
    team: str = ""
    level: int = 0
    skills: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


def user_pool(stage: str) -> str:
    """Read the id of the stage's user pool."""
    return settings(stage)["user_pool_id"]


def usernames(pool: str) -> set[str]:
    """List every user of the pool."""
    pages = boto3.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=pool)
    return {user["Username"] for page in pages for user in page["Users"]}


def create_user(pool: str, person: Person, password: str) -> None:
    """Create a user with a permanent password in the group `<desk>:<role>`."""
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
    """Add or update a person on the roster; `online` applies only to a new one."""
    storage_of(stage).roster.put(
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
