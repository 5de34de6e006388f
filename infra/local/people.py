"""The people of the local desks, so that somebody is there to try it with."""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from functions.core.domain.rules import Playbook
from infra.console.people import (
    ON_THE_ROSTER,
    Person,
    create_user,
    put_on_roster,
    user_pool,
    usernames,
)
from infra.deploy.desks import store_of, versions


def ensure_people(stage: str, passwords: Path) -> list[dict[str, str]]:
    """Create who is missing, online at first; passwords and presence stay what they became.

    Returns what ``local.json`` lists: `{desk, username, password, role, team}`.
    """
    store = store_of(stage)
    pool = user_pool(stage)
    known = usernames(pool)
    kept: dict[str, str] = json.loads(passwords.read_text("utf-8")) if passwords.exists() else {}
    now = datetime.now(UTC)
    found = []
    # The README's examples are the standard desk's; its people come first.
    for desk, _version in sorted(versions(stage), key=lambda found: found[0] != "standard"):
        playbook = store.playbook(desk, now)
        rostered = {agent.username for agent in store.agents(desk)}
        for person in people_of(playbook):
            password = kept.setdefault(person.username, _password())
            if person.username not in known:
                create_user(pool, person, password)
            if person.role in ON_THE_ROSTER and person.username not in rostered:
                put_on_roster(stage, person, playbook.assignment.capacity, online=True)
            shown = {name: getattr(person, name) for name in ("desk", "username", "role", "team")}
            found.append({**shown, "password": password})
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps(kept, indent=2), "utf-8")
    return found


def people_of(playbook: Playbook) -> Iterator[Person]:
    """Two or three agents a team, a supervisor, a QA member, finance and administration.

    Usernames tell what they are: `<desk>-<team's English name>-1`. The second of a team is its
    senior (E7), who covers every product and has every skill that the desk's routing asks for;
    where it asks for any, the first and a third share them (D7).
    """
    desk = playbook.desk
    for name, team in playbook.teams.items():
        called = f"{desk}-{_slug(team.label.get('en', '')) or 'team'}"
        if team.role != "agent":
            yield Person(desk, f"{called}-1", team.role, name)
            continue
        lines, skills = _asked_for(playbook, name)
        yield Person(desk, f"{called}-1", "agent", name, 0, skills[::2], lines[::2])
        yield Person(desk, f"{called}-2", "agent", name, 1, skills)
        if lines or skills:
            yield Person(desk, f"{called}-3", "agent", name, 0, skills[1::2], lines[1::2])
    have = {team.role for team in playbook.teams.values()}
    for role in ("supervisor", "qa"):
        if role not in have:
            yield Person(desk, f"{desk}-{role}-1", role)
    yield Person(desk, f"{desk}-finance-1", "finance")
    yield Person(desk, f"{desk}-admin-1", "admin")


def _asked_for(playbook: Playbook, team: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The product lines and the skills that routing to a team asks for."""
    needs = [place.needs for place in playbook.routing if place.team == team]
    skills = dict.fromkeys(skill for need in needs for skill in need.skills)
    if not any(need.product for need in needs):
        return (), tuple(skills)
    named = (rule.then.product for rule in playbook.rules)
    return tuple(dict.fromkeys(line for line in named if line)), tuple(skills)


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def _password() -> str:
    letters = string.ascii_letters + string.digits
    # The pool's policy asks for one of each kind.
    return "Aa1" + "".join(secrets.choice(letters) for _ in range(17))
