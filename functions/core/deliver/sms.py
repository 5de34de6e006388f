"""Send SMS with Amazon SNS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.core.deliver.failures import Permanent, classified_failures

if TYPE_CHECKING:
    from decimal import Decimal

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

SMS_LIMIT = 1600
"""The maximum characters of a message (SNS API reference, Publish, `Message`)."""

_E164 = re.compile(r"\+[1-9]\d{6,14}")


def send(client: SNSClient, number: str, text: str, sender: str, max_price: Decimal) -> str:
    """Send one transactional SMS and return SNS's message id.

    SNS accepts a message before it knows the price and whether the month's spending limit is used
    up. It writes such failures to the delivery log only (docs/operations.md, "Text messages").

    Args:
        number: in the form of ITU-T E.164, `+8613800138000`.
        sender: the sender id, shown in countries that allow one; empty for none.
        max_price: in USD; SNS does not send a message that costs more, all its parts together.

    Raises:
        SendFailure: the message is not known to have gone out.
    """
    if not _E164.fullmatch(number):
        raise Permanent("SMS: not a number in E.164 form")
    if len(text) > SMS_LIMIT:
        raise Permanent(f"SMS: {len(text)} characters, {SMS_LIMIT} at most")
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
        "AWS.SNS.SMS.MaxPrice": {"DataType": "Number", "StringValue": f"{max_price:f}"},
    }
    if sender:
        attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": sender}
    with classified_failures("SNS"):
        response = client.publish(PhoneNumber=number, Message=text, MessageAttributes=attributes)
    return response["MessageId"]
