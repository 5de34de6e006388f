"""Customers and agents at work on the pages, by the names that `docs/http.md` fixes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.e2e.running_system import System

LONG_WAIT = 30_000
"""Milliseconds for what the stream and the functions behind it do."""

HUMAN = 2_100
"""Milliseconds before a form may be sent: nobody fills one in two seconds."""

NUMBER = re.compile(r"[A-Z]{0,4}\d{8,}")


@dataclass
class CustomerPages:
    """A customer's window."""

    system: System
    desk: str
    page: Page

    def url(self, path: str = "") -> str:
        return f"{self.system.local['api']}/desks/{self.desk}{path}"

    def file(self, contact: str, description: str, **fields: str) -> str:
        """File a request by the form; return its number."""
        self.page.goto(self.url())
        self.page.locator("[name=description]").fill(description)
        self.page.locator("[name=contact]").fill(contact)
        for name, value in fields.items():
            field = self.page.locator(f"[name={name}]").first
            if field.get_attribute("type") == "radio":
                self.page.locator(f"[name={name}][value='{value}']").check()
            elif field.evaluate("(field) => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        self.page.wait_for_timeout(HUMAN)
        self.page.locator("form:has([name=description]) button[type=submit]").click()
        expect(self.page.locator("[data-status]").first).to_be_visible()
        found = NUMBER.search(self.page.locator("main").inner_text())
        assert found
        return found[0]

    def open(self, link: str) -> None:
        """Open a link that the customer was sent."""
        answer = self.page.goto(link)
        assert answer is not None
        assert answer.status == 200

    def form(self, call: str) -> Locator:
        """Return the form that sends a call: `messages`, `confirmation` or `survey`."""
        return self.page.locator(f"form[action*='/{call}'], form[name='{call}']")

    def confirm(self) -> None:
        """Say that the problem is solved."""
        form = self.form("confirmation").first
        form.get_by_role("button").first.click()

    def rate(self, score: str, comment: str = "") -> None:
        form = self.form("survey")
        # The circle may be drawn by its label.
        form.locator(f"input[name=score][value='{score}']").check(force=True)
        if comment:
            form.locator("[name=comment]").fill(comment)
        form.locator("button").last.click()

    def add(self, text: str) -> None:
        """Add a message."""
        form = self.form("messages").first
        form.locator("textarea[name=text]").fill(text)
        form.locator("button").last.click()

    def expect_status(self, *statuses: str) -> None:
        """Wait until the page, loaded again, shows one of these statuses."""
        pattern = re.compile("|".join(statuses))
        for _ in range(LONG_WAIT // 1000):
            shown = self.page.locator("[data-status]").first.get_attribute("data-status") or ""
            if pattern.fullmatch(shown):
                return
            self.page.wait_for_timeout(1000)
            self.page.reload()
        raise AssertionError(f"{shown} is shown, not {pattern.pattern}")


@dataclass
class AgentPages:
    """An agent's window."""

    system: System
    desk: str
    page: Page

    def url(self, path: str = "") -> str:
        return f"{self.system.local['api']}/workbench{path}"

    def sign_in(self, who: str, path: str = "") -> None:
        """Sign in by the form; `path` is wanted below the desk's address."""
        self.page.goto(self.url(f"/{self.desk}{path}"))
        self.fill_in(who, self.page.locator("body"))
        expect(self.page.locator("body.workbench")).to_be_visible()

    def fill_in(self, who: str, place: Locator) -> None:
        """Fill the form to sign in, a page's or a dialog's, and send it."""
        username = f"{self.desk}-{who}"
        password = next(
            agent["password"]
            for agent in self.system.local["agents"]
            if agent["username"] == username
        )
        place.locator("[name=username]").fill(username)
        place.locator("[name=password]").fill(password)
        place.locator("form:has([name=password]) button").last.click()

    def queue(self, name: str) -> None:
        self.page.goto(self.url(f"/{self.desk}?queue={name}"))

    def row(self, number: str) -> Locator:
        return self.page.locator(f"[data-ticket='{number}']")

    def await_row(self, number: str, queue: str = "mine") -> None:
        """Wait until a queue, loaded again, has a ticket."""
        for _ in range(LONG_WAIT // 1000):
            self.queue(queue)
            if self.row(number).count():
                return
            self.page.wait_for_timeout(1000)
        raise AssertionError(f"{number} is not in {queue}")

    def open(self, number: str) -> None:
        """Open a ticket from the queue that is shown."""
        self.row(number).get_by_role("link").first.click()
        self.page.wait_for_url(f"**/tickets/{number}*")

    def goto(self, number: str) -> None:
        self.page.goto(self.url(f"/{self.desk}/tickets/{number}"))

    @property
    def composer(self) -> Locator:
        return self.page.locator("textarea[name=text]").first

    def action(self, name: str) -> Locator:
        return self.page.locator(f"#main button[name=action][value='{name}']").first

    def messages(self, text: str) -> Locator:
        return self.page.locator("[data-message]", has_text=text)

    def reply(self, text: str) -> None:
        self.composer.fill(text)
        self.action("reply").click()

    def await_composer(self) -> None:
        """Wait until the script looks after what is written."""
        expect(self.page.locator("#composer .underlay")).to_be_attached()

    def send(self, text: str) -> None:
        """Reply, and leave the page, which then sends at once what could be taken back."""
        self.await_composer()
        self.reply(text)
        expect(self.page.locator("#notices .undo")).to_be_visible(timeout=LONG_WAIT)
        self.queue("mine")

    def act(self, name: str, **fields: str) -> None:
        """Carry out an action; one with fields asks for them in a form of its own."""
        button = self.action(name)
        if not button.is_visible():
            self.page.locator("#more > summary").click()
        button.click()
        if not fields:
            return
        form = self.page.locator(f"form[data-action='{name}']")
        expect(form).to_be_visible()
        for field, value in fields.items():
            found = form.locator(f"[name={field}]").last
            if found.evaluate("(field) => field.tagName") == "SELECT":
                found.select_option(value)
            else:
                found.fill(value)
        with self.page.expect_response(lambda answer: answer.request.method == "POST") as sent:
            form.locator("button[name=action]").click()
        assert sent.value.ok
