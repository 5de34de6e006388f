"""Aliyun SMS: SendSms of Dysmsapi 2017-05-25, signed by ACS3-HMAC-SHA256 ("Request syntax and
signature method V3"), and SmsReport ("SmsReport, HTTP batch push").
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import quote, urlsplit

from functions.core.channels.base import (
    DeliveryReport,
    HttpCall,
    ProviderResult,
    Secret,
    Unreadable,
    get_text,
    response_object,
    result_of_status,
)
from functions.core.deliver.sms import RegisteringProvider, TextMessage, refused
from functions.core.text.registered_texts import FilledText
from functions.core.text.words import Refusal

ALGORITHM = "ACS3-HMAC-SHA256"
_PASSING = frozenset(
    {
        "Throttling", "ServiceUnavailable", "InternalError", "isp.SYSTEM_ERROR",
        "isp.GATEWAY_ERROR",
        "isv.OUT_OF_SERVICE", "isv.AMOUNT_NOT_ENOUGH",  # until somebody pays
    }
)  # fmt: skip
_MEANING: Mapping[str, Refusal] = {
    "isv.BUSINESS_LIMIT_CONTROL": "limit",
    "isv.DAY_LIMIT_CONTROL": "limit",
    "isv.MONTH_LIMIT_CONTROL": "limit",
    "isv.SMS_SIGNATURE_ILLEGAL": "signature",
    "isv.SIGN_NAME_ILLEGAL": "signature",
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": "signature",
    "isv.SMS_TEMPLATE_ILLEGAL": "text",
    "isv.TEMPLATE_MISSING_PARAMETERS": "text",
    "isv.TEMPLATE_PARAMS_ILLEGAL": "text",
    "isv.PARAM_LENGTH_LIMIT": "text",
    "isv.PARAM_NOT_SUPPORT_URL": "text",
    "isv.BLACK_KEY_CONTROL_LIMIT": "blocked",
    "isv.MOBILE_NUMBER_ILLEGAL": "number",
}


def authorization(
    method: str, path: str, query: str, headers: Mapping[str, str], key: str, secret: str
) -> str:
    """Return the header that signs a request. `headers` are all that it has, in lower case."""
    signed = sorted(headers)
    canonical = "\n".join(
        (
            method,
            path,
            query,
            "".join(f"{name}:{headers[name]}\n" for name in signed),
            ";".join(signed),
            headers["x-acs-content-sha256"],
        )
    )
    to_sign = f"{ALGORITHM}\n{sha256(canonical.encode()).hexdigest()}"
    signature = digest(secret.encode(), to_sign.encode(), "sha256").hex()
    return f"{ALGORITHM} Credential={key},SignedHeaders={';'.join(signed)},Signature={signature}"


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Write parameters in the order of their names, as they are signed and sent (RFC 3986)."""
    return "&".join(f"{quote(k, '~')}={quote(v, '~')}" for k, v in sorted(parameters.items()))


class AliyunSms(RegisteringProvider):
    """Aliyun's provider of text messages."""

    name = "aliyun"
    api = "https://dysmsapi.aliyuncs.com"
    needs = ("access_key_id", "access_key_secret")
    accepted = {"code": 0, "msg": "接收成功"}

    def send(
        self, message: TextMessage, filled: FilledText, secret: Secret, now: datetime, nonce: str
    ) -> HttpCall:
        url = urlsplit(self.base(secret))
        query = canonical_query(
            {
                "PhoneNumbers": message.number.removeprefix("+86"),
                "SignName": filled.signature,
                "TemplateCode": filled.id,
                "TemplateParam": json.dumps(dict(filled.values), ensure_ascii=False),
                **({"OutId": message.key} if message.key else {}),
            }
        )
        headers = {
            "host": url.netloc,
            "x-acs-action": "SendSms",
            "x-acs-content-sha256": sha256(b"").hexdigest(),
            "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": nonce,
            "x-acs-version": "2017-05-25",
        }
        path = f"{url.path}/"
        signed = authorization(
            "POST",
            path,
            query,
            headers,
            str(secret["access_key_id"]),
            str(secret["access_key_secret"]),
        )
        target = f"{url.scheme}://{url.netloc}{path}?{query}"
        return HttpCall(target, b"", {**headers, "Authorization": signed})

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        content = response_object(body)
        code, text = get_text(content, "Code"), get_text(content, "Message")
        if code == "OK":
            return ProviderResult("sent", get_text(content, "BizId"))
        if not code:
            return result_of_status(status, "of Aliyun")
        return refused("Aliyun", code, text, _PASSING, _MEANING)

    def report(self, entry: Mapping[str, Any]) -> DeliveryReport:
        id_, success = get_text(entry, "biz_id"), entry.get("success")
        if not id_ or str(success).lower() not in {"true", "false"}:
            raise Unreadable("no biz_id or success")
        if str(success).lower() == "true":
            return DeliveryReport(id_, "delivered")
        cause = " ".join(filter(None, (get_text(entry, "err_code"), get_text(entry, "err_msg"))))
        return DeliveryReport(id_, "failed", cause)


PROVIDER = AliyunSms()
