"""Verify the signatures of requests from channels.

:func:`verify` returns True only for a well-formed, correctly signed and (if the scheme carries a
time) fresh request; it never raises. Comparisons take constant time. An empty secret verifies
nothing.

Sources: Standard Webhooks specification 1.0; Slack "Verifying requests from Slack"; LINE
"Verify webhook signature"; Twilio "Webhooks security"; Meta "Validating payloads"; WeChat
official accounts 接入指南 and 消息加解密说明; WeCom 加解密方案说明; Telegram Bot API, setWebhook;
Weibo 消息推送服务; Douyin Webhooks 概述; Feishu 接收事件; DingTalk 机器人接收消息 and 配置HTTP推送.
"""

import base64
import hashlib
import hmac
import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from functions.core.domain.webhooks import sign_standard_webhook as sign_standard_webhook

REPLAY_WINDOW = timedelta(minutes=5)
"""Maximum distance of a signed time from now, either way (Standard Webhooks, Slack)."""

FEISHU_REPLAY_WINDOW = timedelta(hours=8)
"""Feishu repeats an event until about seven hours after the first time."""

DINGTALK_REPLAY_WINDOW = timedelta(hours=1)

_UNIX_TIME = re.compile(r"[0-9]{1,15}")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def verify(scheme: str, **parts: Any) -> bool:
    """Return whether the signature in `parts` is valid for `scheme`.

    Parts by scheme (strings; `body` may be bytes; `now` is Unix seconds, int or float):

    - ``standard_webhooks``: secret, id, timestamp, body, signature, now
    - ``wechat_sha1``: token, timestamp, nonce, signature; now, to check the time too
    - ``wechat_aes``: token, timestamp, nonce, encrypted, signature; now likewise
    - ``wecom``: token, timestamp, nonce, msg_signature, and echostr or body (XML with Encrypt);
      encoding_aes_key and receive_id, to check that it decrypts too; now likewise
    - ``line``: secret, body, signature
    - ``slack``: secret, timestamp, body, signature, now
    - ``twilio``: secret, url, params (dict of str or list of str) or body, signature
    - ``meta``: secret, body, signature
    - ``telegram``, ``feishu_token``: secret, signature (the secret itself, as it was sent)
    - ``weibo``: app_secret, timestamp (milliseconds), nonce, signature; now likewise
    - ``douyin``: client_secret, body, signature
    - ``feishu``: encrypt_key, timestamp, nonce, body, signature; now, to check the time too
    - ``dingtalk``: app_secret, timestamp (milliseconds), sign; for an encrypted event token,
      timestamp, nonce, encrypt, msg_signature, and encoding_aes_key and receive_id to check both
      too; now likewise

    A missing, empty or malformed part and an unknown scheme give False.
    """
    check = _SCHEMES.get(scheme) if isinstance(scheme, str) else None
    if check is None:
        return False
    try:
        return check(parts)
    except _MalformedError:
        return False


class _MalformedError(ValueError):
    """A part is missing, of the wrong type, or not of the scheme's form."""


def _standard_webhooks(parts: Mapping[str, Any]) -> bool:
    # The standardwebhooks package reads the clock itself; `now` as an argument lets a replay be
    # verified at any time. tests/intake/test_signatures.py compares the two.
    timestamp = _text(parts, "timestamp")
    if not _fresh(timestamp, parts):
        return False
    secret, message_id, body = _text(parts, "secret"), _text(parts, "id"), _body(parts)
    try:
        expected = sign_standard_webhook(secret, message_id, timestamp, body).encode()
    except ValueError as error:
        raise _MalformedError("secret or id") from error
    # All are compared, so that the time does not reveal which one matched.
    matches = [
        hmac.compare_digest(expected, _octets(signature))
        for signature in _text(parts, "signature").split(" ")
    ]
    return any(matches)


def _wechat_sha1(parts: Mapping[str, Any]) -> bool:
    return _sorted_sha1(parts, "token", "timestamp", "nonce")


def _wechat_aes(parts: Mapping[str, Any]) -> bool:
    return _sorted_sha1(parts, "token", "timestamp", "nonce", "encrypted")


def _weibo(parts: Mapping[str, Any]) -> bool:
    return _sorted_sha1(parts, "app_secret", "timestamp", "nonce", per_second=1000)


def _sorted_sha1(parts: Mapping[str, Any], *names: str, per_second: int = 1) -> bool:
    if "now" in parts and not _fresh(_text(parts, "timestamp"), parts, per_second):
        return False
    return _same(_sorted_digest(parts, *names), parts)


def _sorted_digest(parts: Mapping[str, Any], *names: str) -> bytes:
    signed = "".join(sorted(_text(parts, name) for name in names))
    # WeChat, Weibo and DingTalk define SHA-1 over the sorted parts.
    return hashlib.sha1(_octets(signed), usedforsecurity=False).hexdigest().encode()


def _wecom(parts: Mapping[str, Any]) -> bool:
    from functions.core.channels.base import Unreadable
    from functions.core.channels.wechat_crypto import xml_fields

    echo = parts.get("echostr")
    try:
        encrypted = xml_fields(_body(parts)).get("Encrypt") if echo is None else echo
    except Unreadable as error:
        raise _MalformedError("body") from error
    named = {**parts, "encrypted": encrypted, "signature": parts.get("msg_signature")}
    return _wechat_aes(named) and _is_for_receiver(named, "encrypted")


def _is_for_receiver(parts: Mapping[str, Any], encrypted: str) -> bool:
    """Check the key and the receiver of an encrypted message, if the parts have them."""
    from functions.core.channels.base import Unreadable
    from functions.core.channels.wechat_crypto import decrypt

    if "encoding_aes_key" not in parts:
        return True
    key, receiver = _text(parts, "encoding_aes_key"), _text(parts, "receive_id")
    try:
        decrypt(_text(parts, encrypted), key, receiver)
    except Unreadable:
        return False
    return True


def _line(parts: Mapping[str, Any]) -> bool:
    return _same(_base64_hmac(_secret(parts), _body(parts), "sha256"), parts)


def _slack(parts: Mapping[str, Any]) -> bool:
    timestamp = _text(parts, "timestamp")
    if not _fresh(timestamp, parts):
        return False
    signed = b"v0:" + timestamp.encode() + b":" + _body(parts)
    digest = hmac.new(_secret(parts), signed, "sha256").hexdigest()
    return _same(f"v0={digest}".encode(), parts)


def _meta(parts: Mapping[str, Any]) -> bool:
    digest = hmac.new(_secret(parts), _body(parts), "sha256").hexdigest()
    return _same(f"sha256={digest}".encode(), parts)


def _douyin(parts: Mapping[str, Any]) -> bool:
    # Douyin defines SHA-1 over secret and body.
    signed = _octets(_text(parts, "client_secret")) + _body(parts)
    return _same(hashlib.sha1(signed, usedforsecurity=False).hexdigest().encode(), parts)


def _sent_secret(parts: Mapping[str, Any]) -> bool:
    return _same(_secret(parts), parts)


def _feishu(parts: Mapping[str, Any]) -> bool:
    timestamp = _text(parts, "timestamp")
    if "now" in parts and not _fresh(timestamp, parts, window=FEISHU_REPLAY_WINDOW):
        return False
    signed = "".join((timestamp, _text(parts, "nonce"), _text(parts, "encrypt_key")))
    return _same(hashlib.sha256(_octets(signed) + _body(parts)).hexdigest().encode(), parts)


def _dingtalk(parts: Mapping[str, Any]) -> bool:
    timestamp, window = _text(parts, "timestamp"), DINGTALK_REPLAY_WINDOW
    if "now" in parts and not _fresh(timestamp, parts, per_second=1000, window=window):
        return False
    if "msg_signature" in parts:
        digest = _sorted_digest(parts, "token", "timestamp", "nonce", "encrypt")
        return _same(digest, parts, "msg_signature") and _is_for_receiver(parts, "encrypt")
    key = _octets(_text(parts, "app_secret"))
    return _same(_base64_hmac(key, _octets(timestamp) + b"\n" + key, "sha256"), parts, "sign")


def _twilio(parts: Mapping[str, Any]) -> bool:
    secret, url = _secret(parts), _text(parts, "url")
    params = parts.get("params")
    fields = b"" if params is None else _twilio_fields(params)
    if parts.get("body") is not None:
        if not _twilio_body_fits(url, _body(parts), signed_by_params=params is not None):
            return False
    elif params is None:
        return False
    # Behind a gateway the port may differ from the signed one; Twilio's libraries try both too.
    matches = [
        _same(_base64_hmac(secret, _octets(address) + fields, "sha1"), parts)
        for address in _twilio_addresses(url)
    ]
    return any(matches)


def _twilio_fields(params: Any) -> bytes:
    """Join names and values, sorted by name, without separators."""
    if not isinstance(params, Mapping):
        raise _MalformedError("params")
    joined: list[bytes] = []
    for name in params:
        if not isinstance(name, str):
            raise _MalformedError("params")
    for name in sorted(params):
        values = params[name]
        if isinstance(values, str):
            values = [values]
        if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
            raise _MalformedError("params")
        joined += [_octets(name) + _octets(value) for value in sorted(set(values))]
    return b"".join(joined)


def _twilio_body_fits(url: str, body: bytes, *, signed_by_params: bool) -> bool:
    """Check a body that is no form against its hash in the signed URL."""
    try:
        hashes = parse_qs(urlsplit(url).query).get("bodySHA256", [])
    except ValueError as error:
        raise _MalformedError("url") from error
    if not hashes:
        return signed_by_params or not body
    return hmac.compare_digest(
        hashlib.sha256(body).hexdigest().encode(), _octets(hashes[0].lower())
    )


def _twilio_addresses(url: str) -> set[str]:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        raise _MalformedError("url") from error
    host = split.netloc if port is None else split.netloc.rpartition(":")[0]
    hosts = {split.netloc, host}
    if split.scheme in _DEFAULT_PORTS:
        hosts.add(f"{host}:{_DEFAULT_PORTS[split.scheme]}")
    return {url} | {urlunsplit(split._replace(netloc=name)) for name in hosts}


_SCHEMES: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "standard_webhooks": _standard_webhooks,
    "wechat_sha1": _wechat_sha1,
    "wechat_aes": _wechat_aes,
    "wecom": _wecom,
    "line": _line,
    "slack": _slack,
    "twilio": _twilio,
    "meta": _meta,
    "telegram": _sent_secret,
    "weibo": _weibo,
    "douyin": _douyin,
    "feishu": _feishu,
    "feishu_token": _sent_secret,
    "dingtalk": _dingtalk,
}


def _text(parts: Mapping[str, Any], name: str) -> str:
    value = parts.get(name)
    if not isinstance(value, str) or not value:
        raise _MalformedError(name)
    return value


def _body(parts: Mapping[str, Any]) -> bytes:
    value = parts.get("body")
    if not isinstance(value, str | bytes):
        raise _MalformedError("body")
    return _octets(value)


def _secret(parts: Mapping[str, Any]) -> bytes:
    return _octets(_text(parts, "secret"))


def _octets(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise _MalformedError("not encodable") from error


def _fresh(
    timestamp: str,
    parts: Mapping[str, Any],
    per_second: int = 1,
    window: timedelta = REPLAY_WINDOW,
) -> bool:
    now = parts.get("now")
    if isinstance(now, bool) or not isinstance(now, int | float) or not math.isfinite(now):
        raise _MalformedError("now")
    if not _UNIX_TIME.fullmatch(timestamp):
        raise _MalformedError("timestamp")
    return abs(now - int(timestamp) / per_second) <= window.total_seconds()


def _base64_hmac(key: bytes, signed: bytes, digest: str) -> bytes:
    return base64.b64encode(hmac.digest(key, signed, digest))


def _same(expected: bytes, parts: Mapping[str, Any], name: str = "signature") -> bool:
    return hmac.compare_digest(expected, _octets(_text(parts, name)))
