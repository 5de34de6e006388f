"""Score the channel adapters on samples whose folder says what each shows.

`index.jsonl` names a file, what an adapter should make of it (`expected`); `vectors.jsonl` the
parts of a signature or an encryption, and whether it is valid. See `infra.bench.corpus`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from functions.core.channels.base import (
    EVENTS,
    Adapter,
    IncomingMessage,
    ProviderRequest,
    Unreadable,
    adapter,
    names,
)
from functions.intake.signatures import verify

Cases = Iterator[tuple[str, bool]]
Expected = Mapping[str, Any]

FOLDERS = {
    "wecom_kf": "wecom",
    "wechat_miniprogram": "miniprogram",
    "weibo_fans": "weibo",
    "douyin_im": "douyin",
    "whatsapp_cloud": "whatsapp",
    "messenger": "messenger",
    "feishu": "feishu",
    "dingtalk": "dingtalk",
}
"""Folder → adapter."""

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_AES_KEY, _ACCOUNT = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "account"
_KINDS = {"entered": "subscribed"}
"""Kind in an index → kind of our message, where the two differ."""


def cases(channel: str, path: Path) -> Cases:
    """Yield each sample and vector of a channel's folder, with whether it is handled rightly."""
    samples = Samples(channel, path)
    for entry in _lines(path / "index.jsonl"):
        yield entry["file"], samples.is_right(entry["file"], entry["expected"])
    for vector in _lines(path / "vectors.jsonl"):
        try:
            valid = _is_valid(vector, channel)
        except (Unreadable, ValueError):
            valid = False
        yield vector["id"], valid == (vector["expected_valid"] and vector["scheme"] not in _REFUSED)


class Samples:
    """The samples of one folder, read in their order."""

    def __init__(self, channel: str, path: Path) -> None:
        found = adapter(channel)
        if found is None:
            raise LookupError(channel)
        self.adapter, self.path = found, path
        self.ids: dict[str, list[tuple[str, str]]] = {}

    def is_right(self, file: str, expected: Expected) -> bool:
        bodies = self._bodies(file)
        outcome = expected["outcome"]
        if outcome in {"sent", "passing", "permanent", "renew"}:
            # The samples have no status: providers send errors with 200 or 400.
            statuses = (200,) if outcome == "sent" else (200, 400)
            (body,) = bodies
            return any(self.adapter.outcome(status, body).state == outcome for status in statuses)
        if outcome in _OF_BODY:
            return _OF_BODY[outcome](self.adapter, bodies[0], expected)
        messages: list[IncomingMessage] = []
        reports = 0
        for body in bodies:
            request, secret = _request(body, self.path)
            secret |= dict.fromkeys(set(self.adapter.needs) - set(secret), "-")
            try:
                messages += self.adapter.read(request, secret)
                reports += len(self.adapter.reports(request, secret))
            except Unreadable:
                return False
        ids = [(message.user, message.message_id) for message in messages]
        before = {each for known in self.ids.values() for each in known}
        self.ids[file] = ids
        opening = [m for m in messages if m.opens and m.kind not in EVENTS]
        match outcome:
            case "message":
                fits = _fits(opening, expected) and len(set(ids)) == len(ids)
                repeated = sum(each in before for each in ids)
                if "repeats" in expected:
                    return fits and ids == self.ids[expected["repeats"]]
                # Suites use one made-up id in many samples.
                return fits and repeated == expected.get("repeated", repeated)
            case "event":
                kind = _KINDS.get(expected["kind"], expected["kind"])
                reported = kind == "delivery_failed" and reports > 0
                return not opening and (reported or any(m.kind == kind for m in messages))
            case "status":
                return not opening and reports <= expected["statuses"]
            case "ignored":
                return not opening
        raise LookupError(outcome)

    def _bodies(self, file: str) -> list[bytes]:
        raw = (self.path / file).read_bytes()
        return raw.splitlines() if file.endswith(".jsonl") else [raw]


def _fits(messages: list[IncomingMessage], expected: Expected) -> bool:
    texts = [message.text.strip() for message in messages]
    return (
        len(messages) == expected["messages"]
        and (not expected.get("text") or expected["text"] in texts)
        and (not expected.get("kind") or [m.kind for m in messages] == [expected["kind"]])
    )


def _request(body: bytes, path: Path) -> tuple[ProviderRequest, dict[str, Any]]:
    """Return a sample as a request, and the secret that it was encrypted with."""
    if b"Encrypt" not in body:
        return ProviderRequest("POST", _NOW, body=body), {}
    key, account = next(
        (vector["encoding_aes_key"], vector["receive_id"])
        for vector in _lines(path / "vectors.jsonl")
        if vector["expected_valid"] and "receive_id" in vector
    )
    return ProviderRequest("POST", _NOW, {"encrypt_type": "aes"}, body=body), _aes(key, account)


def _aes(key: str, account: str) -> dict[str, Any]:
    return {"aes_key": key, **dict.fromkeys(("app_id", "corp_id", "app_key"), account)}


def _is_challenged(found: Adapter, body: bytes, expected: Expected) -> bool:
    response = found.challenge(ProviderRequest("POST", _NOW, body=body), {})
    return response is not None and expected.get("answer", response.body) == response.body


def _is_answered(found: Adapter, body: bytes, expected: Expected) -> bool:
    """Compare our response with the sample, which answers the sample's receiver."""
    sample = json.loads(body)
    message = IncomingMessage(sample["receiver_id"], "1", account=sample["sender_id"])
    request = ProviderRequest("POST", _NOW)
    return bool(found.answer(request, {}, message, expected["text"]).body == sample)


def _is_announced(found: Any, body: bytes, expected: Expected) -> bool:
    from functions.core.channels.wechat_crypto import encrypt, to_xml

    sealed = to_xml(Encrypt=encrypt(body, _AES_KEY, _ACCOUNT)).encode()
    request = ProviderRequest("POST", _NOW, body=sealed)
    news = found.announcement(request, _aes(_AES_KEY, _ACCOUNT))
    wanted = (expected["open_kfid"], expected.get("token", news.token))
    return bool((news.account, news.token) == wanted)


def _is_pulled_without_token(found: Any, body: bytes, expected: Expected) -> bool:
    return bool(found.page(200, body).refused)


_OF_BODY: dict[str, Callable[[Adapter, bytes, Expected], bool]] = {
    "challenge": _is_challenged,
    "answer": _is_answered,
    "pull": _is_announced,
    "pull_without_token": _is_pulled_without_token,
}


def _is_valid(vector: Mapping[str, Any], channel: str) -> bool:
    scheme = vector["scheme"]
    parts = {name: value for name, value in vector.items() if name not in _ABOUT}
    body = parts.get("body", "")
    encrypted = parts.get("encrypt") or parts.get("echostr") or _element(body)
    if scheme == "encoding_aes_key":
        return "EncodingAESKey" not in _wechat_plain("", parts["encoding_aes_key"], "")
    named = _SCHEMES.get(scheme)
    if scheme == "wechat_msg_signature_aes":
        named = channel if channel in {"wecom", "dingtalk"} else "wechat_aes"
        if named == "wechat_aes":
            parts |= {"encrypted": encrypted, "signature": parts["msg_signature"]}
    if named is not None and not verify(named, **parts):
        return False
    if "expected_plain" not in vector:
        return named is not None
    if scheme.startswith("feishu"):
        decrypt = import_module("functions.core.channels.feishu").decrypt
        plain = decrypt(encrypted, parts["encrypt_key"]).decode()
    else:
        plain = _wechat_plain(encrypted, parts["encoding_aes_key"], parts["receive_id"])
    return bool(plain == vector["expected_plain"])


_ABOUT = {"id", "scheme", "origin", "source", "note", "expected_valid", "expected_plain"}
_SCHEMES = {
    "wechat_sha1": "wechat_sha1",
    "weibo_sha1": "weibo",
    "douyin_sha1": "douyin",
    "hub_signature_256_hex": "meta",
    "hub_signature_sha1_hex": "meta",
    "feishu_sha256": "feishu",
    "dingtalk_robot_hmac": "dingtalk",
}
"""Scheme of a vector → scheme of `signatures.verify`."""
_REFUSED = {"hub_signature_sha1_hex"}
"""Schemes that a provider has replaced by a stronger one, which alone is accepted."""


def _element(body: str) -> str:
    """Return the encrypted part of a body, "" if it has none."""
    from functions.core.channels.wechat_crypto import xml_fields

    if body.lstrip().startswith("<"):
        return xml_fields(body.encode()).get("Encrypt", "")
    content = json.loads(body or "{}")
    return str(content.get("Encrypt") or content.get("encrypt") or "")


def _wechat_plain(encrypted: str, key: str, account: str) -> str:
    """Return the decrypted text, or why there is none."""
    from functions.core.channels.wechat_crypto import decrypt

    try:
        return decrypt(encrypted, key, account).decode()
    except Unreadable as error:
        return str(error)


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]


CASES: dict[str, Callable[[Path], Cases]] = {
    folder: partial(cases, channel) for folder, channel in FOLDERS.items() if channel in names()
}
"""The cases of each folder; a folder that is read otherwise has its own reader here."""

WITHOUT_ADAPTER = {folder: name for folder, name in FOLDERS.items() if folder not in CASES}
