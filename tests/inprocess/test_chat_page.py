"""The chat's page, and the script that puts it on other sites (H2)."""

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from deskbell.client import ApiResponse
from functions.assistant.page import IN_SCRIPT, TEXTS
from functions.core.domain.errors import InvalidInput
from functions.core.domain.playbook_assistant import Assistant
from functions.core.domain.roster import Agent
from functions.core.pages.assets import content
from functions.core.text.json_body import parse_model
from tests.inprocess.desk_journey import SimulatedJourney, deployed

pytestmark = pytest.mark.requirement("H2", "H8")

SHOP = ("https://shop.example.com", "https://*.example.org:8443")
ROSTER = (Agent(desk="assisted", username="zh-1", role="agent", team="综合服务组", capacity=5),)


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def journey() -> Iterator[SimulatedJourney]:
    with deployed("assisted", ROSTER) as found:
        assert found.playbook.assistant is not None
        assistant = found.playbook.assistant.model_copy(update={"embed_on": SHOP})
        for desk, chats in (("shop", assistant), ("form", None)):
            mail = found.playbook.mail.model_copy(update={"address": f"{desk}@example.com"})
            changes = {"desk": desk, "mail": mail, "assistant": chats}
            playbook = found.playbook.model_copy(update=changes)
            found.storage.playbooks.put(playbook, datetime.now(UTC))
        yield found


def opened(journey: SimulatedJourney, path: str) -> ApiResponse:
    answer = journey.http("GET", path, headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_page_has_the_welcome_and_a_composer(journey: SimulatedJourney, locale: str) -> None:
    answer = opened(journey, f"/desks/assisted/chat?lang={locale}")
    page = Elements(answer.text)
    assert answer.status == 200
    assert page.all("html") == [{"lang": locale}]
    assert [each.get("name") for each in page.all("textarea")] == ["text"]
    assert page.all("article")[0]["data-from"] == "assistant"
    begun = journey.http("POST", "/desks/assisted/chats", {"locale": locale}).json
    assert begun["messages"][0]["text"] in answer.text.replace("&#34;", '"')


def test_a_look_at_the_page_begins_no_chat(journey: SimulatedJourney) -> None:
    before = len(journey.simulator.calls)
    opened(journey, "/desks/assisted/chat")
    assert "answers" not in [call.function for call in journey.simulator.calls[before:]]


def test_the_page_is_strict_about_what_it_loads(journey: SimulatedJourney) -> None:
    answer = opened(journey, "/desks/assisted/chat")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert policy.endswith("frame-ancestors 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    page = Elements(answer.text)
    assert not [attributes for _, attributes in page.found if {"style", "onclick"} & {*attributes}]
    assert all(script.get("src") for script in page.all("script"))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/desks/assisted/chat", "'none'"),
        ("/desks/assisted/chat?embed=1", "'none'"),
        ("/desks/shop/chat", "'none'"),
        ("/desks/shop/chat?embed=1", " ".join(SHOP)),
        ("/desks/form/chat?embed=1", "'none'"),
        ("/desks/nobody/chat?embed=1", "'none'"),
    ],
)
def test_only_the_sites_of_the_playbook_may_embed_the_page(
    journey: SimulatedJourney, path: str, allowed: str
) -> None:
    policy = opened(journey, path).headers["content-security-policy"]
    assert policy.rpartition("frame-ancestors ")[2] == allowed


@pytest.mark.parametrize(
    "site",
    [
        "https://shop.example.com; script-src *",
        "https://a.example https://b.example",
        "http://shop.example.com",
        "https://shop.example.com/path",
        "https://",
        "*",
        "'self'",
        "https://shop.example.com\n",
    ],
)
def test_a_site_is_an_origin_and_nothing_else(site: str) -> None:
    welcome = {"zh-CN": "您好", "en": "Hello"}
    with pytest.raises(InvalidInput):
        parse_model(Assistant, json.dumps({"welcome": welcome, "embed_on": [site]}).encode())


@pytest.mark.parametrize("site", ["http://127.0.0.1:*", "http://localhost:8000", *SHOP])
def test_sites_and_this_machine_are_origins(site: str) -> None:
    assert Assistant(welcome={"zh-CN": "您好", "en": "Hello"}, embed_on=(site,)).embed_on == (site,)


def test_without_script_the_page_leads_to_the_form(journey: SimulatedJourney) -> None:
    answer = opened(journey, "/desks/assisted/chat?lang=en")
    plain = re.search(r"<noscript>(.*?)</noscript>", answer.text, re.DOTALL)
    assert plain is not None
    form, _ = Elements(plain[1]).all("a")
    assert form["href"] == "../../desks/assisted?lang=en"
    (send,) = [each for each in Elements(answer.text).all("button") if each.get("id") == "send"]
    assert "disabled" in send


def test_a_desk_without_an_assistant_leads_to_the_form(journey: SimulatedJourney) -> None:
    answer = opened(journey, "/desks/form/chat?lang=en")
    page = Elements(answer.text)
    assert answer.status == 200
    assert any(str(each.get("href")).endswith("/desks/form?lang=en") for each in page.all("a"))
    assert (page.all("script"), page.all("textarea")) == ([], [])


def test_an_unknown_desk_is_a_page_too(journey: SimulatedJourney) -> None:
    answer = opened(journey, "/desks/nobody/chat?lang=en")
    assert answer.status == 404
    assert "There is no such desk" in answer.text


def test_what_the_customer_agrees_to_is_beside_the_composer(journey: SimulatedJourney) -> None:
    assert journey.playbook.privacy is not None
    version = journey.playbook.privacy.version
    answer = opened(journey, "/desks/assisted/chat?lang=en")
    assert f'data-privacy="{version}"' in answer.text
    assert "/desks/assisted/privacy?lang=en" in answer.text


def test_the_embedding_script_keeps_its_address(journey: SimulatedJourney) -> None:
    answer = journey.http("GET", "/embed.js")
    assert (answer.status, answer.headers["content-type"]) == (
        200,
        "text/javascript; charset=utf-8",
    )
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "在线客服" in answer.text
    assert "Chat with us" in answer.text
    # A strict page around it refuses HTML and style in text.
    for refused in ("innerHTML", "insertAdjacentHTML", '"style"', ".cssText", "eval("):
        assert refused not in answer.text


def test_scripts_put_in_text_and_no_html() -> None:
    for name in ("chat.js", "chat_contact.js", "chat_frame.js"):
        for refused in ("innerHTML", "insertAdjacentHTML", "outerHTML", "document.cookie", "eval("):
            assert refused not in content(name), (name, refused)


def test_the_page_is_small(journey: SimulatedJourney) -> None:
    def size(text: str) -> int:
        return len(gzip.compress(text.encode()))

    html = opened(journey, "/desks/assisted/chat").text
    script = size(content("chat.js"))
    rest = sum(size(content(name)) for name in ("page.css", "chat.css", "icons.svg"))
    assert script <= 3 * 1024
    assert size(html) + script + rest <= 20 * 1024


def test_the_script_has_all_its_texts(journey: SimulatedJourney) -> None:
    used = {*re.findall(r"\bsay\.(\w+)", content("chat.js"))}
    assert used | {"customer", "assistant", "agent", "system"} == set(IN_SCRIPT)
    (body,) = Elements(opened(journey, "/desks/assisted/chat?lang=en").text).all("body")
    texts = json.loads(body["data-texts"] or "")
    assert texts == {name: TEXTS[key]["en"] for name, key in IN_SCRIPT.items()}
