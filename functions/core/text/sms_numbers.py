"""Decide which phone numbers may get a text message.

Anybody can name any number on the open form. Numbers abroad, at premium rates and of satellite
networks cost many times an ordinary message, and part of the price goes to their owner.
"""

from collections.abc import Collection
from typing import Literal

SmsObstacle = Literal["country", "not_mobile"]

SMS_WITHHELD: dict[SmsObstacle, str] = {
    "country": "withheld: the desk sends no text messages to this number's country (sms.countries)",
    "not_mobile": "withheld: not a mobile number, it cannot receive text messages",
}
"""The stored causes of deliveries that are withheld."""

_SATELLITE = ("+861349", "+861740", "+861741")
"""Satellite and maritime numbers inside mobile ranges (MIIT numbering plan): the metadata of
`phonenumbers` lists them as mobile."""


def sms_obstacle(number: str, countries: Collection[str]) -> SmsObstacle | None:
    """Return why no text message may go to a number, None if one may.

    Args:
        number: in the form of ITU-T E.164.
        countries: the countries that the desk sends to (ISO 3166, two letters).
    """
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "not_mobile"
    if phonenumbers.region_code_for_number(parsed) not in countries:
        return "country"
    # Some plans, such as North America's, do not tell mobile from fixed numbers.
    mobile = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    if phonenumbers.number_type(parsed) not in mobile or number.startswith(_SATELLITE):
        return "not_mobile"
    return None
