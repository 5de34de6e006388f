"""The people of a desk: users of the Cognito pool, and entries of the roster."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import boto3

from functions.core.domain.roster import Agent, Role
from infra.deploy.stage_secrets import settings


@dataclass(frozen=True)
class Person:
    """A person who works at a desk.

    `team` is empty for roles without one. `level` is the seniority that a second handling requires.
    Empty `products` means every product. Customers read `display_name`; `email` gets what concerns
    the person alone.
    """

    desk: str
    username: str
    role: Role
    team: str = ""
    level: int = 0
    skills: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    further_roles: tuple[Role, ...] = ()
    display_name: str = ""
    email: str = ""
    shift: Mapping[str, list[list[str]]] = field(default_factory=dict)

    def as_agent(self, capacity: int, *, online: bool) -> Agent:
        return Agent(
            desk=self.desk,
            username=self.username,
            role=self.role,
            team=self.team,
            capacity=capacity,
            level=self.level,
            skills=self.skills,
            products=self.products,
            further_roles=self.further_roles,
            display_name=self.display_name,
            email=self.email,
            shift=dict(self.shift),
            online=online,
        )


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


def create_user(pool: str, person: Person, password: str) -> None:
    """Create a user with a permanent password, or find and enable them; add to `<desk>:<role>`."""
    cognito = boto3.client("cognito-idp")
    name = person.username
    try:
        cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    except cognito.exceptions.UsernameExistsException:
        # They work at another desk already, or come back, and keep their password.
        cognito.admin_enable_user(UserPoolId=pool, Username=name)
    else:
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=name, Password=password, Permanent=True
        )
    group = f"{person.desk}:{person.role}"
    with contextlib.suppress(cognito.exceptions.GroupExistsException):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
