"""Send text messages: by Amazon SNS, or by a provider that sends registered texts only.

A registering provider (`sms_aliyun`, `sms_tencent`) is imported with its desk's first message.
"""

from __future__ import annotations

import importlib
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from functions.core.channels.base import (
    DeliveryReport,
    HttpCall,
    ProviderResult,
    Secret,
    Unreadable,
)
from functions.core.deliver.failures import Passing, Permanent, classified_failures
from functions.core.domain.rules import Playbook
from functions.core.platform import aws, clock, metering
from functions.core.platform.settings import Deployment
from functions.core.text.masking import mask
from functions.core.text.registered_texts import FilledText
from functions.core.text.sms_parts import sms_parts
from functions.core.text.words import Refusal

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

SMS_LIMIT = 1600
"""The maximum characters of a message (SNS API reference, Publish, `Message`)."""

REGISTERING = ("aliyun", "tencent")

_E164 = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True)
class TextMessage:
    """A text message to one number (ITU-T E.164, `+8613800138000`).

    `registered` is what a registering provider is sent; it makes `text` of it. `key` is the same
    for every attempt of one delivery.
    """

    number: str
    text: str
    registered: FilledText | None = None
    key: str = ""


class RegisteringProvider(ABC):
    """Translates text messages for a provider that sends registered texts. Pure.

    `api` is the address of the provider's API, which a desk's secret may replace; `needs` are the
    required keys of the secret. `accepted` is the response that the provider expects to its
    delivery reports.
    """

    name: ClassVar[str]
    api: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    accepted: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def send(
        self, message: TextMessage, filled: FilledText, secret: Secret, now: datetime, nonce: str
    ) -> HttpCall:
        """Return the signed call that sends a message; `nonce` is unique to the call.

        Raises:
            KeyError: the secret lacks a key.
        """

    @abstractmethod
    def outcome(self, status: int, body: bytes) -> ProviderResult:
        """Read the response to `send`."""

    @abstractmethod
    def report(self, entry: Mapping[str, Any]) -> DeliveryReport:
        """Read one entry of a list of delivery reports.

        Raises:
            Unreadable: it does not follow the provider's documentation.
        """

    def base(self, secret: Secret) -> str:
        return str(secret.get("api") or self.api).rstrip("/")


@lru_cache(maxsize=2)
def registering_provider(name: str) -> RegisteringProvider:
    """Return a provider of `REGISTERING`."""
    module = importlib.import_module(f"functions.core.deliver.sms_{name}")
    provider: RegisteringProvider = module.PROVIDER
    return provider


def refused(
    provider: str, code: str, text: str, passing: Collection[str], meaning: Mapping[str, Refusal]
) -> ProviderResult:
    """Return the meaning of a provider's error code; `meaning` has those that people can right.

    `passing` has codes, or what comes before their first point.
    """
    said = " ".join(filter(None, (provider, code, text)))
    if code in passing or code.partition(".")[0] in passing:
        return ProviderResult("passing", cause=said)
    kind = meaning.get(code)
    return ProviderResult("permanent", cause=f"refused ({kind}): {said}" if kind else said)


def reports_of(provider: RegisteringProvider, content: Any) -> tuple[list[DeliveryReport], int]:
    """Read a request with delivery reports: those that can be read, and how many cannot."""
    reports, unreadable = [], 0
    for entry in content if isinstance(content, list) else [content]:
        try:
            if not isinstance(entry, dict):
                raise Unreadable("not a JSON object")
            reports.append(provider.report(entry))
        except Unreadable:
            unreadable += 1
    return reports, unreadable


def send(deployment: Deployment, playbook: Playbook, message: TextMessage) -> str:
    """Send one message by the desk's provider and return the provider's id of it.

    Raises:
        SendFailure: the message is not known to have gone out.
    """
    if not _E164.fullmatch(message.number):
        raise Permanent("SMS: not a number in E.164 form")
    if playbook.sms.registers:
        return _send_registered(deployment, playbook, message)
    from functions.core.deliver import once

    return send_by_sns(once.client("sns"), playbook, message)


def _send_registered(deployment: Deployment, playbook: Playbook, message: TextMessage) -> str:
    from functions.core.deliver.message import call_provider

    sms, now = playbook.sms, clock.now()
    parts = sms_parts(message.text)
    if parts * sms.price_per_part > sms.max_price:  # the provider knows no limit of ours
        raise Permanent(f"refused (price): {parts} parts at {sms.price_per_part:f} USD")
    secret = aws.sms_secret(deployment, playbook.desk, sms.provider, now)
    if secret is None:
        raise Permanent(f"the desk has no secret of {sms.provider}: deskbell sms set")
    if message.registered is None:
        raise Permanent(f"{sms.provider} has no registered text for this message")
    provider = registering_provider(sms.provider)
    try:
        call = provider.send(message, message.registered, secret, now, uuid4().hex)
    except KeyError as error:
        raise Permanent(f"the desk's secret of {sms.provider} has no {error}") from None
    result = provider.outcome(*call_provider(sms.provider, call))
    if result.state != "sent":
        raise (Passing if result.state == "passing" else Permanent)(mask(result.cause))
    metering.count(f"{sms.provider}.sms", parts)
    return result.id


def send_by_sns(client: SNSClient, playbook: Playbook, message: TextMessage) -> str:
    """Send one transactional message and return SNS's message id.

    SNS accepts a message before it knows the price and whether the month's spending limit is used
    up. It writes such failures to the delivery log only (docs/operations.md, "Text messages"). The
    sender id (`sms_sender`) is shown in countries that allow one. SNS does not send a message that
    costs more than `sms.max_price`, all its parts together.

    Raises:
        SendFailure: the message is not known to have gone out.
    """
    if len(message.text) > SMS_LIMIT:
        raise Permanent(f"SMS: {len(message.text)} characters, {SMS_LIMIT} at most")
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
        "AWS.SNS.SMS.MaxPrice": {
            "DataType": "Number",
            "StringValue": f"{playbook.sms.max_price:f}",
        },
    }
    if playbook.sms_sender:
        attributes["AWS.SNS.SMS.SenderID"] = {
            "DataType": "String",
            "StringValue": playbook.sms_sender,
        }
    with classified_failures("SNS"):
        response = client.publish(
            PhoneNumber=message.number, Message=message.text, MessageAttributes=attributes
        )
    return response["MessageId"]
