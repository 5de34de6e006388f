"""Signatures: the schemes and the published vectors of each provider."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given, strategies as st
from standardwebhooks import Webhook

from functions.intake.signatures import sign_standard_webhook, verify

pytestmark = pytest.mark.requirement("F1", "G7")
# Example of the Standard Webhooks specification and its reference libraries.
STANDARD: dict[str, Any] = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": "1614265330",
    "body": '{"test": 2432232314}',
    "signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "now": 1614265330,
}
# WeCom's documentation of encrypted callbacks.
WECHAT_AES: dict[str, Any] = {
    "token": "QDG6eK",
    "timestamp": "1409659813",
    "nonce": "1372623149",
    "signature": "477715d11cdb4164915debcba66cb864d751f3e6",
    "encrypted": (
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3"
        "QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48"
        "kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izo"
        "un1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
        "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl"
        "/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
    ),
}
# Slack, "Verifying requests from Slack".
SLACK: dict[str, Any] = {
    "secret": "8f742231b10e8888abcd99yyyzzz85a5",
    "timestamp": "1531420618",
    "body": (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        "&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        "%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    ),
    "signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "now": 1531420618,
}
# Twilio, "Webhooks security", and the vectors that its libraries share.
TWILIO: dict[str, Any] = {
    "secret": "12345",
    "url": "https://mycompany.com/myapp.php?foo=1&bar=2",
    "params": {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    },
    "signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
}
TWILIO_JSON: dict[str, Any] = {
    "secret": "12345",
    "url": (
        "https://mycompany.com/myapp.php?foo=1&bar=2"
        "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    ),
    "body": '{"property": "value", "boolean": true}',
    "signature": "a9nBmqA0ju/hNViExpshrM61xv4=",
}
BODY = '{"events":[{"type":"message","text":"打印机坏了"}]}'
LINE: dict[str, Any] = {
    "secret": "a channel secret",
    "body": BODY,
    "signature": base64.b64encode(
        hmac.digest(b"a channel secret", BODY.encode(), "sha256")
    ).decode(),
}
META: dict[str, Any] = {
    "secret": "an app secret",
    "body": BODY,
    "signature": "sha256=" + hmac.digest(b"an app secret", BODY.encode(), "sha256").hex(),
}
WECHAT_SHA1: dict[str, Any] = {
    "token": "weixin",
    "timestamp": "1409659589",
    "nonce": "263014780",
    "signature": hashlib.sha1(b"1409659589" + b"263014780" + b"weixin").hexdigest(),  # noqa: S324
}
# Weibo, Messages_api_start.
WEIBO: dict[str, Any] = {
    "app_secret": "xyz123xyz",
    "timestamp": "1397022061823",
    "nonce": "57155157",
    "signature": "90e4c22c90a58f26526c2dd5b6c56c8822edeaa1",
}
DOUYIN: dict[str, Any] = {
    "client_secret": "0123456789abcdef0123456789abcdef",
    "body": '{"event":"verify_webhook","client_key":"abc","content":{"challenge":12345}}',
    "signature": "03105b8d3722cd9e5b2a2db17d82d07b3697d353",
}
# Computed by the formula of Feishu's 接收事件.
FEISHU: dict[str, Any] = {
    "encrypt_key": "an encrypt key",
    "timestamp": "1760000000",
    "nonce": "7264",
    "body": BODY,
    "signature": hashlib.sha256(f"17600000007264an encrypt key{BODY}".encode()).hexdigest(),
}
DINGTALK: dict[str, Any] = {
    "app_secret": "an app secret",
    "timestamp": "1760000000000",
    "sign": base64.b64encode(
        hmac.digest(b"an app secret", b"1760000000000\nan app secret", "sha256")
    ).decode(),
}
# DingTalk's own example of an encrypted event (dingtalk-callback-Crypto).
DINGTALK_EVENT: dict[str, Any] = {
    "token": "tokenxxxx",
    "timestamp": "1605695694141",
    "nonce": "WelUQl6bCqcBa2fM",
    "encrypt": (
        "X1VSe9cTJUMZu60d3kyLYTrBq5578ZRJtteU94wG0Q4Uk6E/wQYeJRIC0/UFW5Wkya1Ihz9oXAdLlyC9TRaqsQ=="
    ),
    "msg_signature": "f36f4ba5337d426c7d4bca0dbcb06b3ddc1388fc",
}
VECTORS = {
    "standard_webhooks": STANDARD,
    "wechat_sha1": WECHAT_SHA1,
    "wechat_aes": WECHAT_AES,
    "line": LINE,
    "slack": SLACK,
    "twilio": TWILIO,
    "meta": META,
    "weibo": WEIBO,
    "douyin": DOUYIN,
    "feishu": FEISHU,
    "dingtalk": DINGTALK,
}
EVERY_PART = [(scheme, name) for scheme, parts in VECTORS.items() for name in parts]


@pytest.mark.parametrize("scheme", VECTORS)
def test_a_published_vector_verifies(scheme: str) -> None:
    assert verify(scheme, **VECTORS[scheme]) is True


@pytest.mark.parametrize(("scheme", "name"), EVERY_PART)
def test_every_part_is_covered_by_the_signature(scheme: str, name: str) -> None:
    parts = dict(VECTORS[scheme])
    changed: Any = {"now": 0, "params": {"Digits": "1"}}.get(name, f"{parts[name]}1")
    assert verify(scheme, **{**parts, name: changed}) is False


@pytest.mark.parametrize("bad", [None, 7, b"\xff", "", "签名", "\ud800", ["v1"], {}, True])
@pytest.mark.parametrize(("scheme", "name"), EVERY_PART)
def test_a_malformed_part_is_false(scheme: str, name: str, bad: object) -> None:
    assert verify(scheme, **{**VECTORS[scheme], name: bad}) is False


@pytest.mark.parametrize(("scheme", "name"), EVERY_PART)
def test_a_missing_part_is_false(scheme: str, name: str) -> None:
    parts = {key: value for key, value in VECTORS[scheme].items() if key != name}
    assert verify(scheme, **parts) is False


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
)
PART_NAMES = sorted({name for parts in VECTORS.values() for name in parts})


# The first draw of text builds tables, which a busy machine may need seconds for.
@given(
    st.sampled_from([*VECTORS, "unknown"]),
    st.fixed_dictionaries({}, optional=dict.fromkeys(PART_NAMES, ANYTHING)),
)
def test_no_input_raises(scheme: str, parts: dict[str, Any]) -> None:
    assert verify(scheme, **parts) is False


@given(st.sampled_from(EVERY_PART), ANYTHING)
def test_one_invalid_part_never_raises(where: tuple[str, str], value: Any) -> None:
    scheme, name = where
    assert isinstance(verify(scheme, **{**VECTORS[scheme], name: value}), bool)


@pytest.mark.parametrize("scheme", ["", "none", "STANDARD_WEBHOOKS", None, ["line"], 3])
def test_an_unknown_scheme_is_false(scheme: Any) -> None:
    assert verify(scheme, **STANDARD) is False


@pytest.mark.parametrize("scheme", ["standard_webhooks", "slack"])
@pytest.mark.parametrize(
    ("offset", "accepted"),
    [(0, True), (299.5, True), (300, True), (-300, True), (301, False), (-301, False)],
)
def test_a_signature_is_valid_for_five_minutes_before_and_after_its_time(
    scheme: str, offset: float, accepted: bool
) -> None:
    parts = VECTORS[scheme]
    assert verify(scheme, **{**parts, "now": parts["now"] + offset}) is accepted


def test_weibo_signs_milliseconds() -> None:
    signed_at = 1397022061.823
    for now, accepted in ((signed_at, True), (signed_at + 299, True), (signed_at - 301, False)):
        assert verify("weibo", **WEIBO, now=now) is accepted
    assert verify("weibo", **WEIBO, now=signed_at * 1000) is False


def test_feishu_s_repetitions_are_fresh_and_a_replay_of_the_next_day_is_not() -> None:
    for now, accepted in ((1760000000, True), (1760025200, True), (1760086400, False)):
        assert verify("feishu", **FEISHU, now=now) is accepted


@pytest.mark.parametrize("parts", [DINGTALK, DINGTALK_EVENT])
def test_dingtalk_s_time_is_valid_for_an_hour(parts: dict[str, Any]) -> None:
    signed_at = int(parts["timestamp"]) / 1000
    for offset, accepted in ((0, True), (3599, True), (-3599, True), (3601, False)):
        assert verify("dingtalk", **parts, now=signed_at + offset) is accepted
    assert verify("dingtalk", **{**parts, "timestamp": parts["timestamp"][:-3]}) is False
    for part in parts:
        assert verify("dingtalk", **{**parts, part: "another"}) is False


def test_an_encrypted_event_of_dingtalk_may_be_checked_for_its_receiver() -> None:
    key = {"encoding_aes_key": "o1w0aum42yaptlz8alnhwikjd3jenzt9cb9wmzptgus"}
    assert verify("dingtalk", **DINGTALK_EVENT, **key, receive_id="dingxxxxxx") is True
    assert verify("dingtalk", **DINGTALK_EVENT, **key, receive_id="another") is False
    assert verify("dingtalk", **DINGTALK_EVENT, **key) is False


@pytest.mark.parametrize("now", [float("nan"), float("inf"), "1614265330", True, None])
def test_now_must_be_a_finite_number(now: Any) -> None:
    assert verify("standard_webhooks", **{**STANDARD, "now": now}) is False


def test_a_standard_webhook_may_carry_several_signatures() -> None:
    """While a secret is rotated, a sender signs with both."""
    good = STANDARD["signature"]
    for header in (f"v1,AAAA {good}", f"{good} v1,AAAA", f"v1a,AAAA v2,x  {good} rubbish"):
        assert verify("standard_webhooks", **{**STANDARD, "signature": header}) is True
    other_version = good.replace("v1,", "v2,")
    assert verify("standard_webhooks", **{**STANDARD, "signature": other_version}) is False


def test_the_prefix_of_a_standard_secret_may_be_left_out() -> None:
    bare = STANDARD["secret"].removeprefix("whsec_")
    assert verify("standard_webhooks", **{**STANDARD, "secret": bare}) is True


@pytest.mark.parametrize("secret", ["whsec_", "", "whsec_not base64!", "whsec_A"])
def test_a_secret_that_is_not_base64_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which part is told by the tests above
        sign_standard_webhook(secret, "msg_1", 1614265330, "{}")


@given(st.binary(min_size=1, max_size=64), st.text(min_size=1), st.text())
def test_the_reference_library_accepts_our_signature(key: bytes, text: str, extra: str) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    body = json.dumps({"text": text, "extra": extra})
    now = int(time.time())
    signature = sign_standard_webhook(secret, "msg_1", now, body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signature}
    assert Webhook(secret).verify(body, headers) == {"text": text, "extra": extra}
    parts = {"id": "msg_1", "timestamp": str(now), "body": body, "now": now}
    assert verify("standard_webhooks", secret=secret, signature=signature, **parts)


@pytest.mark.parametrize("scheme", ["standard_webhooks", "line", "slack", "meta"])
def test_a_body_may_be_the_raw_bytes(scheme: str) -> None:
    parts = VECTORS[scheme]
    assert verify(scheme, **{**parts, "body": parts["body"].encode()}) is True


def test_twilio_signs_a_json_body_by_its_hash_in_the_url() -> None:
    assert verify("twilio", **TWILIO_JSON) is True
    assert verify("twilio", **{**TWILIO_JSON, "body": "{}"}) is False
    assert verify("twilio", **{**TWILIO_JSON, "url": TWILIO["url"]}) is False


def test_a_body_that_a_twilio_signature_does_not_cover_is_refused() -> None:
    url = "https://example.com/hook"
    signature = base64.b64encode(hmac.digest(b"12345", url.encode(), "sha1")).decode()
    parts = {"secret": "12345", "url": url, "signature": signature}
    assert verify("twilio", params={}, **parts) is True
    assert verify("twilio", body="", **parts) is True
    assert verify("twilio", body='{"injected": true}', **parts) is False


def test_twilio_repeated_fields_are_signed_once_and_sorted() -> None:
    params = {"Sid": "CA123", "SidAccount": "AC123", "Digits": ["5678", "1234", "1234"]}
    signature = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
    assert verify("twilio", **{**TWILIO, "params": params, "signature": signature}) is True


@pytest.mark.parametrize("port", [":443", ":1234"])
def test_a_twilio_signature_may_omit_the_port_of_the_url(port: str) -> None:
    url = TWILIO["url"].replace(".com/", f".com{port}/")
    assert verify("twilio", **{**TWILIO, "url": url}) is True


@pytest.mark.parametrize("url", ["https://[::1", "https://example.com:port/", "not an address"])
def test_invalid_twilio_urls_are_false(url: str) -> None:
    assert verify("twilio", **{**TWILIO, "url": url}) is False
    assert verify("twilio", **{**TWILIO_JSON, "url": url}) is False


@pytest.mark.parametrize("params", [{1: "a"}, {"a": 1}, {"a": [1]}, [("a", "b")], "a=b"])
def test_invalid_twilio_fields_are_false(params: Any) -> None:
    assert verify("twilio", **{**TWILIO, "params": params}) is False
