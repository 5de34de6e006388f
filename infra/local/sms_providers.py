"""The providers of text messages of the local system: they check the signature, and send nothing.

`http://127.0.0.1:8700/_providers/sms/aliyun` and `…/tencent` are the `api` of a desk's secret
(`deskbell sms set`). Accepted messages are listed at `/_providers/messages`, as those of chats are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from functions.core.channels.base import Secret
from functions.core.deliver import sms_aliyun, sms_tencent
from functions.core.deliver.sms import REGISTERING
from infra.console.sms import sms_providers, sms_secret_of

PATH = "/_providers/sms"
CLOCK_SKEW = timedelta(minutes=5)

SecretOf = Callable[[str, str], Secret | None]
"""Provider and the id of an access key → the secret that it belongs to."""


@dataclass(frozen=True)
class SentCall:
    """An HTTP request to a provider. `query` is as it came; header names are in lower case."""

    provider: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def key_id(self) -> str:
        credential = self.headers.get("authorization", "").partition("Credential=")[2]
        return credential.partition(",")[0].partition("/")[0]


def answer(
    call: SentCall, secret_of: SecretOf, now: datetime
) -> tuple[int, dict[str, Any], dict[str, Any] | None]:
    """Return status and body of the response, and the message if it was accepted."""
    secret = secret_of(call.provider, call.key_id)
    read = _aliyun if call.provider == "aliyun" else _tencent
    message = read(call, secret, now) if secret else None
    number = f"{now.timestamp():.6f}".replace(".", "")
    if call.provider == "aliyun":
        if message is None:
            return 400, {"Code": "SignatureDoesNotMatch", "Message": "wrong signature"}, None
        return 200, {"Code": "OK", "Message": "OK", "BizId": f"{number}^0"}, message
    if message is None:
        error = {"Code": "AuthFailure.SignatureFailure", "Message": "wrong signature"}
        return 200, {"Response": {"Error": error, "RequestId": number}}, None
    sent = {"Code": "Ok", "Message": "send success", "SerialNo": f"1:{number}", "Fee": 1}
    return 200, {"Response": {"SendStatusSet": [sent], "RequestId": number}}, message


def _aliyun(call: SentCall, secret: Secret, now: datetime) -> dict[str, Any] | None:
    given = call.headers.get("authorization", "")
    signed = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: call.headers.get(name, "") for name in signed}
    headers["x-acs-content-sha256"] = sha256(call.body).hexdigest()
    expected = sms_aliyun.authorization(
        "POST", call.path, call.query, headers, call.key_id, str(secret["access_key_secret"])
    )
    at = datetime.strptime(headers.get("x-acs-date", ""), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if given != expected or abs(now - at) > CLOCK_SKEW:
        return None
    sent = {name: values[0] for name, values in parse_qs(call.query).items()}
    return {
        "to": sent["PhoneNumbers"],
        "signature": sent["SignName"],
        "text": sent["TemplateCode"],
        "values": json.loads(sent["TemplateParam"]),
    }


def _tencent(call: SentCall, secret: Secret, now: datetime) -> dict[str, Any] | None:
    at = datetime.fromtimestamp(int(call.headers.get("x-tc-timestamp", "0")), UTC)
    expected = sms_tencent.authorization(
        "sms", call.headers["host"], call.body, at, call.key_id, str(secret["secret_key"])
    )
    if call.headers.get("authorization") != expected or abs(now - at) > CLOCK_SKEW:
        return None
    sent = json.loads(call.body)
    return {
        "to": sent["PhoneNumberSet"][0],
        "signature": sent["SignName"],
        "text": sent["TemplateId"],
        "values": sent["TemplateParamSet"],
    }


def local_secret(stage: str, provider: str, key_id: str) -> Secret | None:
    """Return the secret of whichever desk has this access key."""
    if provider not in REGISTERING:
        return None
    for desk, name, _keys in sms_providers(stage):
        secret = sms_secret_of(stage, desk, name) if name == provider else None
        if secret and key_id in {secret.get("access_key_id"), secret.get("secret_id")}:
            return secret
    return None
