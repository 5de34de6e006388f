"""Providers of text messages that send registered texts: signatures, outcomes and reports."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.core.channels.base import DeliveryReport, HttpCall
from functions.core.deliver import sms_aliyun, sms_tencent
from functions.core.deliver.sms import (
    REGISTERING,
    TextMessage,
    registering_provider,
    reports_of,
)
from functions.core.text.registered_texts import FilledText
from infra.local.sms_providers import SentCall, answer
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("A4", "F5")

SECRETS: dict[str, dict[str, str]] = {
    "aliyun": {"access_key_id": "key-1", "access_key_secret": "secret"},
    "tencent": {"secret_id": "key-1", "secret_key": "secret", "sdk_app_id": "1400006666"},
}
FILLED = FilledText(
    "SMS_1", "客户支持", (("number", "CS 1/*~"), ("short_code", "abc")), "【客户支持】工单"
)
MESSAGE = TextMessage("+8613800138000", FILLED.text, FILLED, "out-1")


def test_aliyuns_documented_request_has_its_signature() -> None:
    """V3 request structure and signature, the example with fixed values."""
    query = sms_aliyun.canonical_query(
        {
            "RegionId": "cn-shanghai",
            "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        }
    )
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    signed = sms_aliyun.authorization(
        "POST", "/", query, headers, "YourAccessKeyId", "YourAccessKeySecret"
    )
    assert signed == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
        "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature="
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@pytest.mark.parametrize(
    ("masked", "signature"),
    [
        ("*******", "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"),
        ("EXAMPLE", "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"),
    ],
)
def test_tencents_documented_request_has_its_signature(masked: str, signature: str) -> None:
    """Signature v3, the example of DescribeInstances, in both spellings of its key."""
    payload = (
        b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    )
    signed = sms_tencent.authorization(
        "cvm",
        "cvm.tencentcloudapi.com",
        payload,
        datetime.fromtimestamp(1551113065, UTC),
        f"AKIDz8krbsJ5yKBZQpn74WFkmLPx3{masked}",
        f"Gu5t9xGARNpq86cd98joQYCN3{masked}",
    )
    assert signed == (
        f"TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3{masked}/2019-02-25/cvm/"
        f"tc3_request, SignedHeaders=content-type;host, Signature={signature}"
    )


def call_of(name: str, **changes: Any) -> HttpCall:
    secret = {**SECRETS[name], **changes}
    return registering_provider(name).send(MESSAGE, FILLED, secret, NOON, "nonce-1")


def taken(name: str, call: HttpCall) -> tuple[int, dict[str, Any], Any]:
    """The local provider's reading of a call."""
    url = urlsplit(call.url)
    headers = {header.lower(): value for header, value in call.headers.items()}
    sent = SentCall(name, url.path, url.query, {"host": url.netloc, **headers}, call.body)
    return answer(sent, lambda _name, key: SECRETS[name] if key == "key-1" else None, NOON)


@pytest.mark.parametrize("name", REGISTERING)
@pytest.mark.parametrize("api", [None, "http://127.0.0.1:8700/_providers/sms/any"])
def test_a_message_is_sent_with_its_text_and_values(name: str, api: str | None) -> None:
    call = call_of(name, **({"api": api} if api else {}))
    assert call.url.startswith(f"{api or registering_provider(name).api}/")
    status, body, message = taken(name, call)
    values = dict(FILLED.values) if name == "aliyun" else [value for _, value in FILLED.values]
    assert (message["signature"], message["text"], message["values"]) == (
        "客户支持",
        "SMS_1",
        values,
    )
    result = registering_provider(name).outcome(status, json.dumps(body).encode())
    assert (result.state, bool(result.id)) == ("sent", True)
    if name == "aliyun":
        sent = {key: value for key, (value,) in parse_qs(urlsplit(call.url).query).items()}
        assert (sent["PhoneNumbers"], sent["OutId"]) == ("13800138000", "out-1")
    else:
        assert json.loads(call.body)["PhoneNumberSet"] == ["+8613800138000"]


@pytest.mark.parametrize("name", REGISTERING)
def test_another_key_is_refused_for_good(name: str) -> None:
    other = {"access_key_secret": "other", "secret_key": "other"}
    status, body, message = taken(name, call_of(name, **other))
    assert message is None
    result = registering_provider(name).outcome(status, json.dumps(body).encode())
    assert (result.state, "wrong signature" in result.cause) == ("permanent", True)


def refusal(name: str, code: str) -> bytes:
    if name == "aliyun":
        return json.dumps({"Code": code, "Message": "原因", "RequestId": "r"}).encode()
    entry = {"Code": code, "Message": "原因", "SerialNo": "", "PhoneNumber": "+8613800138000"}
    return json.dumps({"Response": {"SendStatusSet": [entry], "RequestId": "r"}}).encode()


@pytest.mark.parametrize(
    ("name", "code", "state", "cause"),
    [
        ("aliyun", "isp.SYSTEM_ERROR", "passing", "Aliyun isp.SYSTEM_ERROR"),
        ("aliyun", "Throttling.User", "passing", "Aliyun"),
        ("aliyun", "isv.AMOUNT_NOT_ENOUGH", "passing", "Aliyun"),
        ("aliyun", "isv.BUSINESS_LIMIT_CONTROL", "permanent", "refused (limit)"),
        ("aliyun", "isv.SMS_SIGNATURE_ILLEGAL", "permanent", "refused (signature)"),
        ("aliyun", "isv.SMS_TEMPLATE_ILLEGAL", "permanent", "refused (text)"),
        ("aliyun", "isv.BLACK_KEY_CONTROL_LIMIT", "permanent", "refused (blocked)"),
        ("aliyun", "isv.MOBILE_NUMBER_ILLEGAL", "permanent", "refused (number)"),
        ("aliyun", "isv.UNHEARD", "permanent", "Aliyun isv.UNHEARD"),
        ("tencent", "InternalError.Timeout", "passing", "Tencent"),
        ("tencent", "RequestLimitExceeded", "passing", "Tencent"),
        ("tencent", "LimitExceeded.PhoneNumberDailyLimit", "permanent", "refused (limit)"),
        (
            "tencent",
            "FailedOperation.SignatureIncorrectOrUnapproved",
            "permanent",
            "refused (signature)",
        ),
        (
            "tencent",
            "FailedOperation.TemplateIncorrectOrUnapproved",
            "permanent",
            "refused (text)",
        ),
        ("tencent", "FailedOperation.PhoneNumberInBlacklist", "permanent", "refused (blocked)"),
        ("tencent", "InvalidParameterValue.IncorrectPhoneNumber", "permanent", "refused (number)"),
    ],
)
def test_a_code_says_whether_a_later_attempt_may_succeed(
    name: str, code: str, state: str, cause: str
) -> None:
    result = registering_provider(name).outcome(200, refusal(name, code))
    assert (result.state, result.cause.startswith(cause)) == (state, True)
    assert code in result.cause


@pytest.mark.parametrize("name", REGISTERING)
@pytest.mark.parametrize(
    ("status", "state"), [(503, "passing"), (429, "passing"), (404, "permanent")]
)
def test_a_status_without_a_code_counts(name: str, status: int, state: str) -> None:
    assert registering_provider(name).outcome(status, b"<html>").state == state


ALIYUN_REPORT = {
    "phone_number": "13800138000", "send_time": "2026-12-01 00:00:00",
    "report_time": "2026-12-01 00:00:05", "success": True, "err_code": "DELIVERED",
    "err_msg": "用户接收成功", "sms_size": "1", "biz_id": "932702304080415357^0", "out_id": "o",
}  # fmt: skip
TENCENT_REPORT = {
    "user_receive_time": "2026-12-01 00:00:05", "nationcode": "86", "mobile": "13800138000",
    "report_status": "SUCCESS", "errmsg": "DELIVRD", "description": "用户短信送达成功",
    "sid": "5000:1045710669157053657849499619",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "entry", "failed"),
    [
        ("aliyun", ALIYUN_REPORT, {"success": False, "err_code": "MK:0004", "err_msg": "空号"}),
        ("aliyun", ALIYUN_REPORT, {"success": "false", "err_code": "MK:0004", "err_msg": "空号"}),
        (
            "tencent",
            TENCENT_REPORT,
            {"report_status": "FAIL", "errmsg": "MK:0004", "description": "空号"},
        ),
    ],
)
def test_reports_are_read_and_one_that_is_broken_loses_no_other(
    name: str, entry: dict[str, Any], failed: dict[str, Any]
) -> None:
    provider = registering_provider(name)
    id_ = str(entry.get("biz_id") or entry.get("sid"))
    content = [entry, {"success": True}, 7, {**entry, **failed}]
    assert reports_of(provider, content) == (
        [DeliveryReport(id_, "delivered"), DeliveryReport(id_, "failed", "MK:0004 空号")],
        2,
    )
