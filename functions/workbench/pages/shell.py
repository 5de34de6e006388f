"""The frame of every page of the workbench: the bar, the keys, the texts of the script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from functions.core.services.rights import ENTERS_TICKETS, SEES_TICKETS, caller
from functions.core.text.workbench_texts import SCRIPT_TEXTS
from functions.workbench.pages import routing
from functions.workbench.pages.navigation import NAVIGATION

if TYPE_CHECKING:
    from functions.workbench.pages.page import WorkbenchPage

KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("j", "k"), "key.move"),
    (("Enter",), "key.enter"),
    (("r",), "key.r"),
    (("n",), "key.n"),
    (("c",), "key.c"),
    (("a",), "key.a"),
    (("t",), "key.t"),
    (("s",), "key.s"),
    (("e",), "key.e"),
    (("m",), "key.m"),
    (("x",), "key.x"),
    (("u",), "key.u"),
    (("/",), "key.slash"),
    (("g", "q"), "key.g_q"),
    (("g", "b"), "key.g_b"),
    (("g", "s"), "key.g_s"),
    (("?",), "key.help"),
    (("Esc",), "key.escape"),
    (("Ctrl", "Enter"), "key.send"),
    (("Ctrl", "Shift", "Enter"), "key.send_next"),
    (("Ctrl", "K"), "key.palette"),
)
"""The keys that the help lists, in the order of their use."""


_OFFERED = {"search": SEES_TICKETS, "new": ENTERS_TICKETS, "queues": SEES_TICKETS}
"""The roles for which the bar has what is not in `NAVIGATION`."""


class Staff(NamedTuple):
    """The presence of the person, and how many of the desk's agents take tickets now.

    Attributes:
        online: the person takes tickets.
        present: the agents who do.
        all: the agents whom tickets can be assigned to.
        hands_over: whoever goes offline hands the tickets over.
    """

    online: bool
    present: int
    all: int
    hands_over: bool


@dataclass(frozen=True)
class Shell:
    """The frame around a page."""

    page: WorkbenchPage

    @property
    def cursor(self) -> str:
        """The time from which the script asks for changes; "" for those who see no tickets."""
        if not self.page.principal.roles & SEES_TICKETS:
            return ""
        return str(cursor_of(self.page.request.now))

    @property
    def script_texts(self) -> str:
        """The texts that scripts show, as JSON."""
        from functions.workbench.pages.page import PAGES

        say, locale = PAGES.say, self.page.locale
        texts = {key: say(key, locale=locale) for key in SCRIPT_TEXTS}
        return json.dumps(texts, ensure_ascii=False, separators=(",", ":"))

    @property
    def queue_url(self) -> str:
        """The address of the queue beside the page: the one the person came from."""
        queue = self.page.request.query.get("queue", "")
        return self.page.url(queue=queue) if queue else self.page.url()

    @property
    def initial(self) -> str:
        """The sign of the person: a display name such as `客服-张` has its last part."""
        agent = self.page.principal.agent
        name = agent.name.rpartition("-")[2]
        return (name or agent.username)[:1].upper()

    @property
    def navigation(self) -> Sequence[tuple[str, str]]:
        """The pages that there are and that the person may see, with their keys."""
        roles = self.page.principal.roles
        return [
            (name, entry.keys)
            for name, entry in NAVIGATION.items()
            if roles & entry.roles and self.offers(name)
        ]

    @property
    def keys(self) -> Sequence[tuple[tuple[str, ...], str]]:
        """The keys that the help lists."""
        missing = {f"key.g_{name[0]}" for name in ("board", "search") if not self.offers(name)}
        return [(keys, text) for keys, text in KEYS if text not in missing]

    @property
    def other_desks(self) -> Sequence[tuple[str, str]]:
        """The person's other desks by name."""
        page = self.page
        others = sorted(caller(page.request.claims).desks - {page.desk, "*"})
        playbooks = [page.storage.playbooks.get(desk, page.request.now) for desk in others]
        return [(playbook.desk, playbook.name[page.locale]) for playbook in playbooks]

    @property
    def staff(self) -> Staff | None:
        """The presence; None if tickets cannot be assigned to the person."""
        page = self.page
        if not page.principal.assignable:
            return None
        agents = page.storage.roster.recent(page.desk, page.request.now)
        staff = [agent for agent in agents if agent.assignable and agent.active]
        return Staff(
            any(agent.online for agent in staff if agent.username == page.principal.username),
            sum(agent.online for agent in staff),
            len(staff),
            page.playbook.assignment.end_of_shift != "keep",
        )

    def offers(self, name: str) -> bool:
        """Return whether there is a page of a name, and it is for the person's roles."""
        roles = _OFFERED.get(name)
        return routing.exists(name) and (roles is None or bool(self.page.principal.roles & roles))


def cursor_of(now: datetime) -> int:
    """Return the cursor of a moment, from which a script asks for changes: milliseconds."""
    return int(now.timestamp() * 1000)
