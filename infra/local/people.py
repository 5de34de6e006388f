"""Create the people of the local desks."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from functions.administration.user_pool import new_password
from functions.core.domain.roster import HANDLES_TICKETS, Agent, Role
from functions.core.domain.rules import Playbook
from infra.console.people import user_pool
from infra.deploy.desks import storage_of, versions

_SURNAMES = "张李王赵陈刘杨黄周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"


def ensure_people(stage: str, passwords: Path) -> list[dict[str, str]]:
    """Create missing people, online; existing passwords and presence do not change.

    Returns the entries of `local.json`: `{desk, username, password, role, team}`.
    """
    storage = storage_of(stage)
    pool = user_pool(stage)
    existing = pool.usernames()
    saved: dict[str, str] = json.loads(passwords.read_text("utf-8")) if passwords.exists() else {}
    now = datetime.now(UTC)
    entries = []
    # The examples in the README use the standard desk, so its people come first.
    for desk, _version in sorted(versions(stage), key=lambda entry: entry[0] != "standard"):
        playbook = storage.playbooks.get(desk, now)
        rostered = {agent.username for agent in storage.roster.list(desk)}
        for person in people_of(playbook):
            password = saved.setdefault(person.username, new_password())
            if person.username not in existing:
                pool.create(desk, person.username, person.role, password)
            if person.username not in rostered:
                storage.roster.put(person)
            fields = {name: getattr(person, name) for name in ("desk", "username", "role", "team")}
            entries.append({**fields, "password": password})
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps(saved, indent=2), "utf-8")
    return entries


def people_of(playbook: Playbook) -> Iterator[Agent]:
    """Everybody of a local desk, each with a display name of their own."""
    for person, surname in zip(_staff(playbook), _surnames(), strict=False):
        yield person.model_copy(update={"display_name": f"客服-{surname}"})


def _surnames() -> Iterator[str]:
    for turn in count():
        yield from (f"{surname}{turn or ''}" for surname in _SURNAMES)


def _staff(playbook: Playbook) -> Iterator[Agent]:
    """Two or three agents per team, a supervisor, a QA member, finance and an administrator.

    Usernames are `<desk>-<team's English name>-<number>`. The second agent of a team is its senior
    (E7) and has every product and skill that routing requires; the first and third share them (D7).
    """
    desk, capacity = playbook.desk, playbook.assignment.capacity

    def person(username: str, role: Role, team: str = "", **more: Any) -> Agent:
        online, name = role in HANDLES_TICKETS, f"{desk}-{username}"
        return Agent(
            desk=desk, username=name, role=role, team=team, capacity=capacity, online=online, **more
        )

    for name, team in playbook.teams.items():
        prefix = _slug(team.label.get("en", "")) or "team"
        if team.role != "agent":
            yield person(f"{prefix}-1", team.role, name)
            continue
        lines, skills = _required(playbook, name)
        yield person(f"{prefix}-1", "agent", name, skills=skills[::2], products=lines[::2])
        yield person(f"{prefix}-2", "agent", name, level=1, skills=skills)
        if lines or skills:
            yield person(f"{prefix}-3", "agent", name, skills=skills[1::2], products=lines[1::2])
    roles = {team.role for team in playbook.teams.values()}
    for role in ("supervisor", "qa"):
        if role not in roles:
            yield person(f"{role}-1", role)
    yield person("finance-1", "finance")
    yield person("admin-1", "admin")


def _required(playbook: Playbook, team: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The product lines and skills that routing to a team requires."""
    needs = [route.needs for route in playbook.routing if route.team == team]
    skills = dict.fromkeys(skill for need in needs for skill in need.skills)
    if not any(need.product for need in needs):
        return (), tuple(skills)
    named = (rule.then.product for rule in playbook.rules)
    return tuple(dict.fromkeys(line for line in named if line)), tuple(skills)


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
