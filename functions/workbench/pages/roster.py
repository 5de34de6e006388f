"""The people of a desk: who they are, what they cover, how they are let in and leave."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from functions.core.domain.calendar import WEEKDAYS
from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    Phrase,
    Refused,
    StaleVersion,
)
from functions.core.domain.roster import Agent, Shift
from functions.core.domain.rules import LOCALES
from functions.core.platform.web import HttpResponse
from functions.core.services.rights import RANKED, require
from functions.core.text.error_texts import translated
from functions.workbench.pages.navigation import ADMINS
from functions.workbench.pages.page import PAGES, WorkbenchPage
from functions.workbench.pages.routing import route

FIELDS = ("team", "display_name", "email", "role", "further_roles", "level")
"""The fields that administrators alone change."""

COVERS = ("skills", "products", "languages")


@route("GET")
def show(page: WorkbenchPage) -> HttpResponse:
    """Show everybody who works at the desk, and apart from them who has left."""
    people = sorted(page.storage.roster.list(page.desk), key=lambda agent: agent.username)
    done = page.request.query.get("done", "")
    return page.render(
        "roster.html",
        title=PAGES.say("page.roster", locale=page.locale),
        people=[agent for agent in people if agent.active],
        left=[agent for agent in people if not agent.active],
        roles_of=_roles_of,
        shift_words=lambda shift: shift_words(page, shift),
        may_change=lambda agent: _may_change(page, agent),
        admin=_is_admin(page),
        done=done if done in {"changed", "back"} else "",
        person=page.request.query.get("person", ""),
    )


@route("GET", "new")
def new(page: WorkbenchPage) -> HttpResponse:
    """Ask for a new person's entry."""
    require(page.principal, ADMINS, Phrase("do this"))
    capacity = str(page.playbook.assignment.capacity)
    return _form(page, {"username": "", "role": "agent", "level": "0", "capacity": capacity}, None)


@route("POST", "new")
def invite(page: WorkbenchPage) -> HttpResponse:
    """Let a person in, and show the first password this once."""
    username, entry = page.field("username").strip(), _entry(page)
    try:
        invited = page.administer("roster.invite", username=username, entry=entry)
    except (InvalidInput, ActionNotAllowed) as refused:
        return _form(page, {**entry, "username": username}, None, refused)
    return _password(page, username, invited["password"], "invited")


@route("GET", "people/{username}")
def edit(page: WorkbenchPage, username: str) -> HttpResponse:
    """Show a person's entry, to change it."""
    agent = _agent(page, username)
    if not _may_change(page, agent):
        raise Forbidden("A supervisor may change the desk's agents alone.")
    return _form(page, _written(agent), agent)


@route("POST", "people/{username}")
def change(page: WorkbenchPage, username: str) -> HttpResponse:
    """Change a person's entry; who has left is let in again with it."""
    agent, entry = _agent(page, username), _entry(page)
    try:
        if agent.active:
            seen = page.field("seen")
            page.administer("roster.change", username=username, entry=entry, seen=seen)
        else:
            page.administer("roster.invite", username=username, entry=entry)
    except (InvalidInput, ActionNotAllowed, StaleVersion) as refused:
        return _form(page, _written(agent) | entry, agent, refused)
    done = "changed" if agent.active else "back"
    return page.redirect(page.url("roster", done=done, person=username))


@route("GET", "people/{username}/remove")
def ask_to_remove(page: WorkbenchPage, username: str) -> HttpResponse:
    """Say what happens to a person's tickets, and ask whether to go on."""
    require(page.principal, ADMINS, Phrase("do this"))
    return page.render("roster_remove.html", title=None, agent=_agent(page, username), moved=None)


@route("POST", "people/{username}/remove")
def remove(page: WorkbenchPage, username: str) -> HttpResponse:
    """End a person's access; show where the tickets have gone."""
    agent = _agent(page, username)
    moved = page.administer("roster.remove", username=username)
    return page.render("roster_remove.html", title=None, agent=agent, moved=moved)


@route("POST", "people/{username}/reset")
def reset(page: WorkbenchPage, username: str) -> HttpResponse:
    """Give a new first password, which is shown this once, or remove a lost authenticator."""
    what = page.field("what")
    if what not in {"password", "authenticator"}:
        raise InvalidInput("The form cannot be read.")
    given = page.administer("roster.reset", username=username, **{what: True})
    return _password(page, username, given["password"], what)


def shift_words(page: WorkbenchPage, shift: Shift) -> list[str]:
    """Say shifts in words, days with the same hours together: `周一至周五 09:00–18:00`."""

    def say(key: str, **values: object) -> str:
        return PAGES.say(key, locale=page.locale, **values)

    lines = []
    for hours, group in groupby(WEEKDAYS, key=lambda day: shift.get(day) or []):
        days = [say(f"weekday.{day}") for day in group]
        if hours:
            span = days[0] if len(days) == 1 else say("roster.days", first=days[0], last=days[-1])
            lines.append(" ".join([span, *map("–".join, hours)]))
    return lines


def _is_admin(page: WorkbenchPage) -> bool:
    return "admin" in page.principal.roles


def _may_change(page: WorkbenchPage, agent: Agent) -> bool:
    return _is_admin(page) or agent.roles == {"agent"}


def _roles_of(agent: Agent) -> list[str]:
    return [role for role in RANKED if role in agent.roles]


def _agent(page: WorkbenchPage, username: str) -> Agent:
    agent = page.storage.roster.get(page.desk, username)
    if agent is None:
        raise NotFound("There is nobody of this name on the roster.")
    return agent


def _entry(page: WorkbenchPage) -> dict[str, Any]:
    """Return the entry in the form, as the acts read it."""
    own: dict[str, Any] = {}
    if _is_admin(page):
        own = {name: page.field(name) for name in FIELDS}
        own["further_roles"] = page.form.get("further_roles", [])
    covers = {
        name: [*page.form.get(name, ()), *filter(None, page.form.get(f"{name}_more", ()))]
        for name in COVERS
    }
    shift = {day: page.field(f"shift.{day}") for day in WEEKDAYS}
    return {**own, **covers, "capacity": page.field("capacity"), "shift": shift}


def _written(agent: Agent) -> dict[str, Any]:
    """Return an entry in the form in which a page sends it."""
    shift = {day: " ".join(map("-".join, hours)) for day, hours in agent.shift.items()}
    fields = {name: getattr(agent, name) for name in (*FIELDS, *COVERS, "username", "capacity")}
    return fields | {"shift": shift}


def _form(
    page: WorkbenchPage,
    given: dict[str, Any],
    agent: Agent | None,
    refused: Refused | None = None,
) -> HttpResponse:
    """Show the form; what was refused is said, and what was typed stays."""
    return page.render(
        "roster_form.html",
        refused.status if refused else 200,
        title=None,
        given=given,
        agent=agent,
        errors=_errors(page, refused) if refused else {},
        admin=_is_admin(page),
        own=agent is not None and agent.username == page.principal.username,
        roles=RANKED,
        choices=_choices(page, given),
        weekdays=WEEKDAYS,
    )


def _choices(page: WorkbenchPage, given: dict[str, Any]) -> dict[str, list[str]]:
    """Return what the playbook and the desk's people name, and what the form has."""
    people = page.storage.roster.list(page.desk)

    def named(name: str, own: Iterable[str | None]) -> list[str]:
        others = (value for agent in people for value in getattr(agent, name))
        return list(filter(None, dict.fromkeys((*own, *others, *given.get(name, ())))))

    needs = (skill for each in page.playbook.routing for skill in each.needs.skills)
    lines = (rule.then.product for rule in page.playbook.rules)
    return {
        "skills": named("skills", needs),
        "products": named("products", lines),
        "languages": [*LOCALES],
    }


def _errors(page: WorkbenchPage, refused: Refused) -> dict[str, str]:
    errors = getattr(refused, "errors", ()) or (FieldError("", refused.detail),)
    return {each.field: translated(each.message, page.locale) for each in errors}


def _password(page: WorkbenchPage, username: str, password: str | None, what: str) -> HttpResponse:
    return page.render(
        "roster_password.html", title=None, username=username, password=password, what=what
    )
