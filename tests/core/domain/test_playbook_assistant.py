"""Sources of an assistant: the URL that is asked, and the value in what it answers (C4)."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.core.domain.playbook_assistant import LookUpSource

pytestmark = pytest.mark.requirement("C4")
SOURCE = LookUpSource.model_validate(
    {
        "url": "https://orders.example.com/{order_number}?shop={shop}",
        "values": {"order_state": "orders.0.state", "points": "points"},
        "labels": {"shipped": {"zh-CN": "已发货", "en": "shipped"}},
    }
)


def test_values_are_percent_encoded() -> None:
    url = SOURCE.url_for({"order_number": " a/../b?c#d&e ", "shop": "上海"})
    assert url == "https://orders.example.com/a%2F..%2Fb%3Fc%23d%26e?shop=%E4%B8%8A%E6%B5%B7"
    assert SOURCE.url_for({"order_number": "{shop}", "shop": "1"}) == (
        "https://orders.example.com/%7Bshop%7D?shop=1"
    )


@pytest.mark.parametrize("number", ["", " ", ".", "..", "x" * 101, None])
def test_there_is_no_url_for_a_value_that_is_missing_or_unusable(number: str | None) -> None:
    known = {"shop": "1"} if number is None else {"shop": "1", "order_number": number}
    assert SOURCE.url_for(known) is None


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"orders": [{"state": "shipped"}]}, "已发货"),
        ({"orders": [{"state": " 三天后到 "}]}, "三天后到"),
        ({"orders": [{"state": 0}]}, "0"),
        ({"orders": [{"state": 1.5}]}, "1.5"),
        ({"orders": [{"state": ""}]}, None),
        ({"orders": [{"state": True}]}, None),
        ({"orders": [{"state": None}]}, None),
        ({"orders": [{"state": {"a": 1}}]}, None),
        ({"orders": []}, None),
        ({"orders": "shipped"}, None),
        ([], None),
        ("shipped", None),
        (None, None),
    ],
)
def test_a_value_is_a_text_or_a_number_at_its_path(document: Any, value: str | None) -> None:
    assert SOURCE.value(document, "order_state", "zh-CN") == value


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", "a b"])
def test_a_path_is_keys_with_dots_between(path: str) -> None:
    with pytest.raises(ValidationError):
        LookUpSource.model_validate({"url": "https://a.example", "values": {"a": path}})
