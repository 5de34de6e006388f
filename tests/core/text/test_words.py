"""The language of a request's text."""

import pytest

from functions.core.text.words import written_in

pytestmark = pytest.mark.requirement("A4", "E1")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Payment failed\nMy card was declined.", "en"),
        ("I forgot my password", "en"),
        ("Ich habe mein Passwort vergessen", "en"),
        ("支付失败", "zh-CN"),
        ("支付失败 error code 500 when I pay", "zh-CN"),
        ("APP crash", None),
        ("login 404", None),
        ("", None),
        ("👍👍👍", None),
        ("パスワードを忘れました", None),
        ("登録できません", None),
        ("Пароль не подходит совсем никак", None),
        ("wang.li@mail.example.com https://shop.example.com/en/orders/list 138", None),
        ("a b c d e f", None),
        ("问" + "word " * 3000, "zh-CN"),
        ("word " * 3000 + "问", "en"),
    ],
)
def test_the_language_is_recognised_or_unknown(text: str, wanted: str | None) -> None:
    assert written_in(text) == wanted
