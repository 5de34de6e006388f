"""The part of a playbook about reports, jumps and costs (B11, D15, D16, F8)."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from functions.core.domain.playbook_types import (
    Amount,
    Identifier,
    Locale,
    Section,
    Slug,
    Text,
    Wait,
)

ReportKind = Literal["daily", "weekly", "monthly"]

MAIL_TO = "mail:"
"""The prefix of a recipient of reports that is an address."""

PARTS = ("parts_used",)
"""The fields that list parts, unless a playbook names others."""

NotNegative = Annotated[Amount, Field(ge=0)]


class Reports(Section):
    """The content of a desk's reports, the cost of its work, and the recipients.

    `recipients` are teams, by name or role, whose mailbox gets them, or addresses after `mail:`;
    `kinds` are the reports that are mailed, in `locale` or else the desk's language. `visits` are
    steps that arrange a visit (first-time fix); `parts` and `compensation` are fields of steps that
    list the parts used and the money given to customers. Money is in `currency`, of which
    `usd_rate` is one USD. `agent_rate` is the cost of an agent's hour; one act counts for
    `act_at_most`. A month's costs beyond `budget` raise the alarm. `suggestions` are for types,
    tags and products that stand out.
    """

    recipients: tuple[str, ...] = ()
    kinds: tuple[ReportKind, ...] = ("weekly", "monthly")
    locale: Locale | None = None
    visits: tuple[Slug, ...] = ()
    parts: tuple[Identifier, ...] = PARTS
    compensation: tuple[Identifier, ...] = ()
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    usd_rate: Annotated[Amount, Field(gt=0)] = Decimal(1)
    agent_rate: NotNegative = Decimal(0)
    part_prices: dict[str, NotNegative] = {}
    budget: Annotated[Amount, Field(gt=0)] | None = None
    act_at_most: Wait = timedelta(minutes=10)
    suggestions: dict[str, Text] = {}
