"""The chat on a page of another site, whose own policy allows next to nothing (H2)."""

from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from tests.e2e.running_system import System
from tests.pages.browsing import Browsing

pytestmark = [pytest.mark.requirement("H2", "H8"), pytest.mark.slow]
ROOT = Path(__file__).parents[2]
DESK = "embedded"
PAGE = """<!doctype html><html lang="zh-CN"><title>Shop</title><h1>Shop</h1>
<script src="{api}/embed.js" data-desk="{desk}" defer></script></html>"""
POLICY = (
    "default-src 'none'; script-src {api}; frame-src {api}; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


class _Shop(BaseHTTPRequestHandler):
    def __init__(self, *args: object, api: str) -> None:
        self.api = api
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        content = PAGE.format(api=self.api, desk=DESK).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", POLICY.format(api=self.api))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop(system: System, tmp_path: Path) -> Iterator[str]:
    """The address of a site that a desk allows to show its chat."""
    api = str(system.local["api"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Shop, api=api))
    site = f"http://127.0.0.1:{server.server_port}"
    text = (ROOT / "playbooks" / "assisted.yaml").read_text("utf-8")
    text = text.replace("desk: assisted\n", f"desk: {DESK}\n").replace("@assisted.", f"@{DESK}.")
    text = text.replace("\nassistant:\n", f"\nassistant:\n  embed_on: ['{site}']\n")
    playbook = tmp_path / f"{DESK}.yaml"
    playbook.write_text(text, "utf-8")
    system.command("playbook", "apply", str(playbook))
    Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


def test_the_chat_opens_on_a_site_with_a_strict_policy(shop: str, windows: Browsing) -> None:
    page = windows.open()
    page.goto(shop)
    button = page.locator("button[aria-controls=panel]")
    button.click()
    chat = page.frame_locator("iframe")
    field = chat.locator("textarea[name=text]")
    expect(chat.locator("[data-from=assistant]")).to_have_count(1)
    expect(field).to_be_focused()
    field.fill("怎么开票？")
    field.press("Enter")
    expect(chat.locator("[data-from=customer]")).to_contain_text("怎么开票？")
    expect(chat.locator("[data-from=customer] .unsent, .not-sent")).to_have_count(0)
    field.press("Escape")
    expect(page.locator("iframe")).to_be_hidden()
    expect(button).to_be_focused()


def test_no_other_site_can_show_it(shop: str, windows: Browsing) -> None:
    page = windows.open()
    page.goto(shop.replace("127.0.0.1", "localhost"))
    page.locator("button[aria-controls=panel]").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("textarea")).to_have_count(0)
    refused = [fault for fault in windows.faults if "frame-ancestors" in fault]
    assert refused
    for window in windows.windows:
        window.faults.clear()
