"""The people of a local desk, so that somebody is there to try it with."""

from __future__ import annotations

import contextlib
import json
import secrets
import string
from pathlib import Path

import boto3

TEAMS = ("technical", "aftersales", "general")


def ensure_agents(stage: str, for_desks: list[str], passwords: Path) -> list[dict[str, str]]:
    """Create the users that are missing; the passwords stay what they were at first.

    Two agents a team, one supervisor and one QA member a desk. Returns what ``local.json`` lists.
    """
    settings = json.loads(
        boto3.client("ssm").get_parameter(Name=f"/deskbell/{stage}/settings")["Parameter"]["Value"]
    )
    pool = settings["user_pool_id"]
    kept: dict[str, str] = json.loads(passwords.read_text("utf-8")) if passwords.exists() else {}
    people = [person for desk in for_desks for person in _people(desk)]
    for person in people:
        person["password"] = kept.setdefault(person["username"], _password())
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps(kept, indent=2), "utf-8")
    cognito = boto3.client("cognito-idp")
    known = {
        user["Username"]
        for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool)
        for user in page["Users"]
    }
    for person in people:
        if person["username"] not in known:
            _create(pool, person)
    return people


def _create(pool: str, person: dict[str, str]) -> None:
    cognito = boto3.client("cognito-idp")
    group = f"{person['desk']}:{person['role']}"
    with contextlib.suppress(cognito.exceptions.GroupExistsException):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    name = person["username"]
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=name, Password=person["password"], Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)


def _people(desk: str) -> list[dict[str, str]]:
    agents = [
        _person(desk, f"{team}-{number}", "agent", team) for team in TEAMS for number in (1, 2)
    ]
    return [*agents, _person(desk, "supervisor", "supervisor", ""), _person(desk, "qa", "qa", "")]


def _person(desk: str, name: str, role: str, team: str) -> dict[str, str]:
    return {"desk": desk, "username": f"{desk}-{name}", "role": role, "team": team}


def _password() -> str:
    letters = string.ascii_letters + string.digits
    # The pool's policy asks for one of each kind.
    return "Aa1" + "".join(secrets.choice(letters) for _ in range(17))
