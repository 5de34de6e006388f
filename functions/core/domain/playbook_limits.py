"""Parts of a playbook that limit what machines and unproven customers can cause."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from functions.core.domain.playbook_sms import RegisteredTexts
from functions.core.domain.playbook_types import (
    Amount,
    Section,
    longer_than_zero,
    parse_duration,
)


def _windows(limits: dict[str, int]) -> dict[str, int]:
    for window in limits:
        longer_than_zero(parse_duration(window))
    return limits


Limits = Annotated[
    dict[str, Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=1), AfterValidator(_windows)
]
"""Time window → the most automatic mails in it: `{10m: 5, 1h: 10}`."""


class AutomaticLimits(Section):
    """Limits of automatic mail, which end a loop of two machines that answer each other.

    Mail that an agent's action causes is never limited.
    """

    ticket: Limits = {"10m": 5, "1h": 10, "24h": 20}
    address: Limits = {"10m": 25, "1h": 50, "24h": 100}


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Sms(RegisteredTexts):
    """The provider and limits of text messages, each of which costs and may go to a number that
    anybody named.

    `countries` is the desk's own if empty. `unproven` limits automatic messages to one number that
    nobody has proven to be theirs; `daily` limits all messages of the desk in a local day. A
    message that costs more than `max_price` USD is not sent. `price_per_part` is what agents are
    shown while they write, in USD.
    """

    countries: tuple[Country, ...] = ()
    unproven: Limits = {"1h": 3, "1d": 10}
    daily: int = Field(default=1000, ge=1, le=1_000_000)
    max_price: Amount = Field(default=Decimal("0.20"), gt=0, le=10)
    price_per_part: Amount = Field(default=Decimal("0.03"), gt=0, le=10)


class UnprovenTickets(Section):
    """The limits of unproven customers' tickets an hour; further requests wait in quarantine."""

    per_desk: int = Field(default=600, ge=1, le=1_000_000)
    per_source: int = Field(default=20, ge=1, le=1_000_000)
