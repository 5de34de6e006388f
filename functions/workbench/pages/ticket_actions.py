"""The actions of a ticket's page: one that is the natural next step, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.workbench.pages import ticket_forms

if TYPE_CHECKING:
    from functions.workbench.pages.ticket_words import Words

COMPOSED = ("reply", "request-info", "note")
"""The actions of the composer."""

ELSEWHERE = ("open-contact",)
"""Actions whose result is shown where they are offered."""


_BEGINNING = frozenset({"received", "pending_confirmation", "queued", "assigned"})
"""The statuses before a ticket is in progress."""


@dataclass(frozen=True)
class MenuItem:
    """An action that the person may take now.

    Attributes:
        key: the key that takes it, if one does.
        bare: it needs nothing but a click.
    """

    action: str
    label: str
    key: str = ""
    bare: bool = False


@dataclass(frozen=True)
class Menu:
    """The actions of a ticket; `all` includes those of the composer."""

    primary: MenuItem | None
    more: Sequence[MenuItem]
    all: Sequence[MenuItem] = field(default=())

    @property
    def labels(self) -> dict[str, str]:
        return {item.action: item.label for item in self.all}


def menu_of(shown: Mapping[str, Any], words: Words) -> Menu:
    """Return the actions that status and rights allow, the natural next one first."""
    names: list[str] = list(dict.fromkeys(shown["actions"]))
    keys = _keys(names, shown, words)
    items = [
        MenuItem(
            name,
            ticket_forms.label_of(name, words),
            keys.get(name, ""),
            name not in COMPOSED and ticket_forms.form_of(name, shown, words).is_bare,
        )
        for name in names
    ]
    offered = [item for item in items if item.action not in (*COMPOSED, *ELSEWHERE)]
    chosen = primary_of([item.action for item in offered], shown, words)
    first = next((item for item in offered if item.action == chosen), None)
    return Menu(first, [item for item in offered if item is not first], items)


def primary_of(names: Sequence[str], shown: Mapping[str, Any], words: Words) -> str | None:
    """Return the action that is the natural next step for this person; None if there is none.

    What waits for the person's decision comes first, then whoever is to have the ticket, then the
    desk's own steps in the order of its playbook, then the solution.
    """
    steps = words.page.playbook.steps
    status = shown["status"]
    waits: tuple[str, ...] = ("approve", "callback", "record-call", "unmerge")
    if status == "pending_confirmation":
        waits = ("confirm-type", *waits)
    if shown["handler"] is None:
        leads = "supervisor" in words.page.principal.roles
        waits += ("assign", "take") if leads else ("take", "assign")
    for name in waits:
        if name in names:
            return name
    own = [name for name in names if name in steps]
    answers = [name for name in own if steps[name].answers]
    begins = [
        name
        for name in own
        if steps[name].to not in (None, status)
        and (steps[name].responds or set(steps[name].source) <= _BEGINNING)
    ]
    solving = [name for name in own if steps[name].resolves]
    begins = begins if status in _BEGINNING else []
    for found in (answers, begins, ["resolve"], solving, ["reopen"]):
        for name in found:
            if name in names:
                return name
    return None


def _keys(names: Sequence[str], shown: Mapping[str, Any], words: Words) -> dict[str, str]:
    """Return the keys of actions: e resolve, a assign, t tag, m merge, c collaborate."""
    steps = words.page.playbook.steps
    wanted = {
        "e": ("resolve", *(name for name in names if name in steps and steps[name].resolves)),
        "a": ("assign", "take"),
        "t": ("confirm-type",),
        "m": ("merge",),
        "c": tuple(name for name in names if name in steps and steps[name].asks),
    }
    found: dict[str, str] = {}
    for key, candidates in wanted.items():
        name = next((each for each in candidates if each in names and each not in found), None)
        if name:
            found[name] = key
    return found
