"""Task tokens of the closing workflow."""

import pytest

from functions.core.storage.database import Storage


@pytest.mark.requirement("F4")
def test_the_token_of_each_waiting_step_is_kept(storage: Storage) -> None:
    assert storage.closing_tokens.get("testdesk", "CS1", "survey") is None
    storage.closing_tokens.put("testdesk", "CS1", "survey", "token-1", 1)
    assert storage.closing_tokens.get("testdesk", "CS1", "survey") == ("token-1", 1)
    assert storage.closing_tokens.get("testdesk", "CS1", "review") is None
