"""Colleagues see who has a ticket open; phrases that fit what is typed."""

import pytest

from functions.core.domain.errors import Forbidden, NotFound
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from tests.core.sample_desk import file_ticket
from tests.workbench.composing import Window
from tests.workbench.conftest import NUMBER, SignedIn

pytestmark = pytest.mark.requirement("H3")


def window_of(
    storage: Storage, playbook: Playbook, signed_in: SignedIn, username: str = "agent-1"
) -> Window:
    return Window(storage, playbook, signed_in, username)


def test_colleagues_are_seen_and_oneself_is_not(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    first = window_of(storage, playbook, signed_in)
    second = window_of(storage, playbook, signed_in, "agent-2")
    assert first.post("viewing", number=NUMBER).body == {"viewers": []}
    assert second.post("viewing", number=NUMBER, typing=1).body == {
        "viewers": [("agent-1", "viewing")]
    }
    assert first.post("viewing", number=NUMBER).body == {"viewers": [("agent-2", "typing")]}
    second.post("viewing", number=NUMBER, left=1)
    assert first.post("viewing", number=NUMBER).body == {"viewers": []}
    first.seconds = 300
    assert second.post("viewing", number="CS2").body == {"viewers": []}


@pytest.mark.slow
def test_finance_sees_neither(storage: Storage, playbook: Playbook, signed_in: SignedIn) -> None:
    window = window_of(storage, playbook, signed_in, "finance-1")
    with pytest.raises(Forbidden):
        window.post("viewing", number=NUMBER)
    with pytest.raises(Forbidden):
        window.get("phrases", number=NUMBER, q="密码")


def test_two_characters_find_a_phrase_filled_in_for_the_ticket(
    storage: Storage, playbook: Playbook, signed_in: SignedIn
) -> None:
    file_ticket(storage, playbook, NUMBER, tags=("login",))
    window = window_of(storage, playbook, signed_in)
    html = window.get("phrases", number=NUMBER, q="密码").body
    assert html.count('role="option"') == 2, "the article alone, and the template with it"
    assert "点击“忘记密码”" in html
    assert "关于登录的问题" in html
    assert window.get("phrases", number=NUMBER, q="发票").body.strip() == ""
    assert window.get("phrases", number=NUMBER, q="").body.strip() == ""
    with pytest.raises(NotFound):
        window.get("phrases", number="CS9", q="密码")
