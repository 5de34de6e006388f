"""A person's own views of the queues."""

import re
from typing import Any

import pytest

from functions.core.domain.errors import ActionNotAllowed, InvalidInput, NotFound
from functions.core.domain.saved_views import MAX_VIEWS, SavedViews
from functions.core.storage.database import Storage
from tests.core.sample_desk import NOON
from tests.workbench.conftest import SignedIn
from tests.workbench.pages import Browser, below, texts

pytestmark = pytest.mark.requirement("H3")


@pytest.fixture
def browser(signed_in: SignedIn) -> Browser:
    return Browser(signed_in("agent-1"))


def views(browser: Browser) -> SavedViews:
    return browser.storage.saved_views.get("testdesk", "agent-1", NOON, newest=True)


def save(browser: Browser, name: str, **filters: Any) -> str:
    return below(browser.post("views", name=name, **filters).headers["Location"])


def test_a_view_is_saved_with_its_filters_and_shown_at_once(browser: Browser) -> None:
    page = browser.get(save(browser, "紧急故障", queue="team", priority="high", type="fault"))
    assert re.search(r'class="own" [^>]*aria-current="page">紧急故障', page.body)
    assert 'href="/workbench/testdesk?queue=team&amp;type=fault&amp;priority=high"' in page.body


def test_views_are_a_person_s_own(browser: Browser, signed_in: SignedIn) -> None:
    save(browser, "我的高优", queue="mine", priority="high")
    assert "我的高优" not in texts(Browser(signed_in("agent-2")).get())


def test_views_are_renamed_ordered_and_deleted(browser: Browser) -> None:
    for name, priority in (("一", "high"), ("二", "medium"), ("三", "low")):
        save(browser, name, queue="mine", priority=priority)
    first, second, third = views(browser)
    browser.post(f"views/{third.id}", action="up")
    browser.post(f"views/{first.id}", action="down")
    browser.post(f"views/{second.id}", action="rename", name="中等")
    assert [view.name for view in views(browser)] == ["三", "一", "中等"]
    for _ in range(2):
        browser.post(f"views/{first.id}", action="delete")
    assert [view.name for view in views(browser)] == ["三", "中等"]
    assert "中等" in texts(browser.get("views"))
    with pytest.raises(NotFound):
        browser.post(f"views/{first.id}", action="rename", name="x")


def test_the_same_filters_are_one_view(browser: Browser) -> None:
    save(browser, "旧", queue="mine", words="退款")
    save(browser, "新", queue="mine", words="退款")
    assert [view.name for view in views(browser)] == ["新"]


def test_there_is_a_limit(browser: Browser) -> None:
    for n in range(MAX_VIEWS):
        save(browser, str(n), queue="mine", words=f"词{n}")
    with pytest.raises(ActionNotAllowed):
        save(browser, "再一个", queue="team")
    assert len(views(browser)) == MAX_VIEWS


@pytest.mark.parametrize("name", ["", " ", "长" * 41])
def test_a_name_is_needed(browser: Browser, name: str) -> None:
    with pytest.raises(InvalidInput):
        save(browser, name, queue="mine")


@pytest.mark.requirement("G4")
def test_personal_data_in_a_view_is_masked(browser: Browser) -> None:
    save(browser, "找 13800138000", queue="mine", words="13800138000")
    (view,) = views(browser)
    assert "13800138000" not in view.model_dump_json()


def test_two_pages_of_one_person_lose_nothing(browser: Browser, storage: Storage) -> None:
    save(browser, "一", queue="mine", priority="high")

    def while_another_saves(seen: SavedViews) -> SavedViews:
        if len(views(browser)) < 2:
            save(browser, "二", queue="mine", priority="low")
        return tuple(reversed(seen))

    storage.saved_views.change("testdesk", "agent-1", NOON, while_another_saves)
    assert [view.name for view in views(browser)] == ["二", "一"]
