"""Tencent Cloud SMS: SendSms 2021-01-11, signed by TC3-HMAC-SHA256 ("Signature v3"), and the
callback about delivery ("SMS delivery status notification").
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import urlsplit

from functions.core.channels.base import (
    DeliveryReport,
    HttpCall,
    ProviderResult,
    Secret,
    Unreadable,
    get_object,
    get_text,
    response_object,
    result_of_status,
)
from functions.core.deliver.sms import RegisteringProvider, TextMessage, refused
from functions.core.text.registered_texts import FilledText
from functions.core.text.words import Refusal

ALGORITHM = "TC3-HMAC-SHA256"
_CONTENT_TYPE = "application/json; charset=utf-8"
_PASSING = frozenset(
    {
        "InternalError",
        "RequestLimitExceeded",
        "FailedOperation.InsufficientBalanceInSmsPackage",  # until somebody pays
    }
)
_MEANING: Mapping[str, Refusal] = {
    "LimitExceeded.AppDailyLimit": "limit",
    "LimitExceeded.AppMainlandChinaDailyLimit": "limit",
    "LimitExceeded.DailyLimit": "limit",
    "LimitExceeded.DeliveryFrequencyLimit": "limit",
    "LimitExceeded.PhoneNumberDailyLimit": "limit",
    "LimitExceeded.PhoneNumberOneHourLimit": "limit",
    "LimitExceeded.PhoneNumberThirtySecondLimit": "limit",
    "LimitExceeded.PhoneNumberSameContentDailyLimit": "limit",
    "FailedOperation.SignatureIncorrectOrUnapproved": "signature",
    "FailedOperation.MissingSignatureList": "signature",
    "FailedOperation.TemplateIncorrectOrUnapproved": "text",
    "FailedOperation.TemplateUnapprovedOrNotExist": "text",
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": "text",
    "FailedOperation.MissingTemplateList": "text",
    "InvalidParameterValue.TemplateParameterFormatError": "text",
    "InvalidParameterValue.TemplateParameterLengthLimit": "text",
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": "text",
    "FailedOperation.ContainSensitiveWord": "text",
    "FailedOperation.PhoneNumberInBlacklist": "blocked",
    "InvalidParameterValue.IncorrectPhoneNumber": "number",
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": "number",
}


def authorization(
    service: str, host: str, payload: bytes, now: datetime, key: str, secret: str
) -> str:
    """Return the header that signs a POST of JSON to the root of a host."""
    canonical = "\n".join(
        (
            "POST",
            "/",
            "",
            f"content-type:{_CONTENT_TYPE}\nhost:{host}\n",
            "content-type;host",
            sha256(payload).hexdigest(),
        )
    )
    date = now.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{date}/{service}/tc3_request"
    hashed = sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{int(now.timestamp())}\n{scope}\n{hashed}"
    derived = f"TC3{secret}".encode()
    for part in (date, service, "tc3_request"):
        derived = digest(derived, part.encode(), "sha256")
    signature = digest(derived, to_sign.encode(), "sha256").hex()
    return (
        f"{ALGORITHM} Credential={key}/{scope}, SignedHeaders=content-type;host, "
        f"Signature={signature}"
    )


class TencentSms(RegisteringProvider):
    """Tencent's provider of text messages."""

    name = "tencent"
    api = "https://sms.tencentcloudapi.com"
    needs = ("secret_id", "secret_key", "sdk_app_id")
    accepted = {"result": 0, "errmsg": "OK"}

    def send(
        self, message: TextMessage, filled: FilledText, secret: Secret, now: datetime, nonce: str
    ) -> HttpCall:
        payload = json.dumps(
            {
                "PhoneNumberSet": [message.number],
                "SmsSdkAppId": str(secret["sdk_app_id"]),
                "SignName": filled.signature,
                "TemplateId": filled.id,
                "TemplateParamSet": [value for _, value in filled.values],
                "SessionContext": message.key,
            },
            ensure_ascii=False,
        ).encode()
        base = self.base(secret)
        host = urlsplit(base).netloc
        headers = {
            "Content-Type": _CONTENT_TYPE,
            "Host": host,
            "X-TC-Action": "SendSms",
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": "ap-guangzhou",
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": authorization(
                "sms", host, payload, now, str(secret["secret_id"]), str(secret["secret_key"])
            ),
        }
        return HttpCall(f"{base}/", payload, headers)

    def outcome(self, status: int, body: bytes) -> ProviderResult:
        response = get_object(response_object(body), "Response")
        statuses = response.get("SendStatusSet")
        sent = statuses[0] if isinstance(statuses, list) and statuses else {}
        found = sent if isinstance(sent, dict) and sent else get_object(response, "Error")
        code, text = get_text(found, "Code"), get_text(found, "Message")
        if code == "Ok":
            return ProviderResult("sent", get_text(found, "SerialNo"))
        if not code:
            return result_of_status(status, "of Tencent")
        return refused("Tencent", code, text, _PASSING, _MEANING)

    def report(self, entry: Mapping[str, Any]) -> DeliveryReport:
        id_, status = get_text(entry, "sid"), get_text(entry, "report_status")
        if not id_ or status not in {"SUCCESS", "FAIL"}:
            raise Unreadable("no sid or report_status")
        if status == "SUCCESS":
            return DeliveryReport(id_, "delivered")
        cause = " ".join(filter(None, (get_text(entry, "errmsg"), get_text(entry, "description"))))
        return DeliveryReport(id_, "failed", cause)


PROVIDER = TencentSms()
