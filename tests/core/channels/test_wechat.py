"""WeChat's own risks: XML entities, encryption, and a signature that covers no body."""

from dataclasses import replace

import pytest

from functions.core.channels.base import ProviderRequest, Unreadable, adapter
from functions.core.channels.wechat_crypto import decrypt, encrypt
from functions.intake.signatures import verify
from tests.core.channels.provider_requests import NOW, SafeWeChat, WeChat

NESTED_ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = (
    f'<!DOCTYPE x [<!ENTITY l0 "ha">{NESTED_ENTITIES}]><xml><Content>&l9;</Content></xml>',
    '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Content>&f;</Content></xml>',
    '<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml></xml>',
    "<xml>" + "<a>" * 1000 + "</a>" * 1000 + "</xml>",
    "<xml>" + "".join(f"<a{n}>x</a{n}>" for n in range(1000)) + "</xml>",
)


def is_valid(request: ProviderRequest, **secret: object) -> bool:
    found = adapter("wechat")
    assert found is not None
    scheme, parts = found.signed(request, {**WeChat.secret, **secret})
    return verify(scheme, **parts)


@pytest.mark.requirement("F5")
@pytest.mark.parametrize("body", HOSTILE, ids=["laughs", "file", "address", "deep", "wide"])
def test_xml_with_entities_or_of_excessive_size_is_refused(body: str) -> None:
    found = adapter("wechat")
    assert found is not None
    with pytest.raises(Unreadable, match=r"document type|another shape"):
        found.read(WeChat().call(body.encode(), NOW).request(NOW), WeChat.secret)


def test_an_encrypted_message_decrypts_only_for_its_account() -> None:
    """The key, the padding and the app id all have to be right (消息加解密说明)."""
    message = "无法登录".encode()
    key, app_id = WeChat.secret["aes_key"], WeChat.secret["app_id"]
    sealed = encrypt(message, key, app_id)
    assert decrypt(sealed, key, app_id) == message
    assert SafeWeChat().decrypt(sealed) == message
    for wrong in (("B" * 43, app_id), (key, "wx-another"), ("short", app_id)):
        with pytest.raises(Unreadable):
            decrypt(sealed, *wrong)
    for broken in ("", "x", sealed[:-4], sealed[:24], "A" * 64):
        with pytest.raises(Unreadable):
            decrypt(broken, key, app_id)


def test_a_desk_can_refuse_plain_messages() -> None:
    """A signature that somebody has seen is valid for five minutes and covers no body."""
    plain = WeChat().call(WeChat().text("你好", NOW), NOW).request(NOW)
    safe = SafeWeChat().call(WeChat().text("你好", NOW), NOW).request(NOW)
    assert is_valid(plain)
    assert not is_valid(plain, only_encrypted=True)
    assert is_valid(safe, only_encrypted=True)
    without = replace(safe, query={k: v for k, v in safe.query.items() if k != "encrypt_type"})
    assert not is_valid(without, only_encrypted=True)
