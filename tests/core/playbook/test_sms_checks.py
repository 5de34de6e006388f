"""Registered texts: what is missing or could not be sent is an error of the playbook."""

from typing import Any

import pytest

from functions.core.domain.errors import PlaybookError
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.core.playbook.loader import read_yaml
from functions.core.text.registered_texts import fill_registered, to_register
from tests.registered_desk import LINK, STANDARD, WITHOUT_WORDS, registering_desk

pytestmark = pytest.mark.requirement("A4", "E4")


def problems(desk: dict[str, Any]) -> str:
    with pytest.raises(PlaybookError) as refused:
        load(desk)
    return str(refused.value)


def test_messages_without_a_registered_text_are_listed_together() -> None:
    desk = registering_desk()
    sms = desk["sms"]
    del sms["registered"]["received"], sms["registered"]["assigned"], sms["new_message"]
    found = problems(desk)
    assert (
        "sms.registered: aliyun sends registered texts only; these messages to customers have "
        in found
    )
    assert "none: assigned, received" in found
    assert "sms.new_message: this key is missing" in found
    assert "closed, information_requested, reply, resolved" in found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"signature": None}, "sms.signature: this key is missing"),
        ({"signature": "【客户支持】"}, "the registered name of the signature, without 【】"),
        ({"countries": ["CN", "HK"]}, "expected [CN], got [CN, HK]"),
        ({"new_message": {"id": "no id!", "text": LINK}}, "the id that the provider gave"),
        ({"new_message": {"id": "1", "text": "有新消息"}}, "expected the variable 'short_code'"),
        ({"new_message": {"id": "1", "text": "看 {{ short_code }}"}}, "expected /t/ before"),
        ({"new_message": {"id": "1", "text": f"{{{{ text }}}} {LINK}"}}, "takes 'text' as a value"),
        ({"new_message": {"id": "1", "text": "{{ status_url }}"}}, "'status_url' as a value"),
        ({"new_message": {"id": "1", "text": f"{{{{ nobody }}}} {LINK}"}}, "no variable 'nobody'"),
        ({"new_message": {"id": "1", "text": f"{{% if x %}} {LINK}"}}, "no other braces"),
        ({"new_message": {"en": {"id": "1", "text": LINK}}}, "or one in each language"),
        ({"provider": "sns"}, "only a provider that registers texts has it"),
        ({"provider": "pigeon"}, "expected 'sns', 'aliyun' or 'tencent'"),
    ],
)
def test_a_text_that_could_not_be_sent_is_refused(change: dict[str, Any], problem: str) -> None:
    desk = registering_desk()
    desk["sms"] |= change
    assert problem in problems(desk)


def test_the_texts_of_other_providers_and_unknown_messages_are_refused() -> None:
    desk = {**registering_desk(), "sms_signature": "【客户支持】", "sms_opt_out": None}
    desk["sms"]["registered"]["handler_assigned"] = desk["sms"]["new_message"]
    desk["sms"]["registered"]["former_contact_replaced"] = desk["sms"]["new_message"]
    found = problems(desk)
    assert "sms_signature: aliyun sends registered texts only" in found
    assert "there is no message 'handler_assigned' to customers" in found
    assert "former_contact_replaced.text: there is no variable 'short_code' here" in found


def test_the_links_begin_as_the_desks_own() -> None:
    desk = {**registering_desk(), "public_url": "https://help.example.com"}
    assert "expected https://help.example.com/t/ before {{ short_code }}" in problems(desk)


def test_an_assistant_needs_a_text_for_its_codes() -> None:
    desk, _ = read_yaml(STANDARD.with_name("assisted.yaml"))
    desk["sms"] = registering_desk()["sms"]
    assert "sms.verification_code: this key is missing: the assistant sends codes" in problems(desk)


@pytest.fixture(scope="module")
def desk() -> Playbook:
    return load(registering_desk("tencent"))


def test_a_text_is_registered_and_filled_in_as_its_provider_does(desk: Playbook) -> None:
    for name in WITHOUT_WORDS:
        assert desk.sms.registered_text(name, "en") == desk.sms.registered[name]["zh-CN"]
    text = desk.sms.registered_text("reply", "zh-CN")
    assert text is not None
    assert text.variables == ("number", "short_code")
    beginning = "工单{}有新消息，请点击查看 https://desk.example.com/t/{}"
    assert to_register(text, "tencent") == beginning.format("{1}", "{2}")
    assert to_register(text, "aliyun") == beginning.format("${number}", "${short_code}")
    filled = fill_registered(text, desk.sms, {"number": "CS 1\n", "short_code": ""})
    assert filled.text == "【客户支持】" + beginning.format("CS 1", "-")
    assert (filled.id, filled.values) == ("SMS_1", (("number", "CS 1"), ("short_code", "-")))


def test_a_stored_playbook_keeps_its_texts(desk: Playbook) -> None:
    stored = Playbook.stored(desk.model_dump_json(exclude_defaults=True))
    assert stored.sms == desk.sms
