"""The spending of a desk in its present month, added up as facts arrive (F8).

The running sum costs no query. It watches the budget and is not an account of it: a change that
reaches the facts late, and what the assistant's chats used, are in the table of costs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from functions.core.domain.privacy import TermName
from functions.core.domain.rules import Playbook
from functions.core.domain.ticket import Value
from functions.core.reports.columns import Fact
from functions.core.reports.cost_queries import AGENT, COMPENSATION, PART
from functions.core.reports.costs import CostLine, Pricing
from functions.core.reports.prices import PriceList, read_usage


class Spending(Value):
    """A month's running sum, in USD (`usd`, AWS's units) and in the playbook's currency (`spent`).

    Facts are counted that happened before `through`. `acts` has each agent's last act, as far as it
    shortens the next one; `told` is the month whose budget was reported as exceeded.
    """

    month: TermName = ""
    through: datetime
    usd: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    acts: Mapping[TermName, int] = {}
    told: TermName = ""


def spend(
    before: Spending,
    facts: Iterable[Fact],
    playbook: Playbook,
    prices: PriceList,
    through: datetime,
) -> Spending:
    """Return the spending with the facts that happened until `through` and were not counted.

    Args:
        facts: all that arrived since `before`, at least; those of earlier changes do not matter.
    """
    since, until = before.through.timestamp(), through.timestamp()
    new = {
        (fact.kind, fact.number, fact.version): fact
        for fact in facts
        if since <= fact.happened < until
    }
    model = playbook.language_model
    pricing = Pricing(playbook.reports, prices.with_model(model.price if model else None))
    month = f"{through.astimezone(playbook.zone):%Y-%m}"
    line, acts = CostLine(month), dict(before.acts)
    for fact in sorted(new.values(), key=lambda each: (each.happened, each.number, each.version)):
        day = datetime.fromtimestamp(fact.happened, playbook.zone).date()
        if fact.kind == "ticket" and fact.handling:
            seconds = _seconds(fact, acts.get(fact.actor), playbook)
            acts[fact.actor] = fact.happened
        else:
            seconds = 0
        if f"{day:%Y-%m}" == month:
            _add(pricing, line, fact, seconds, day)
    pricing.total(line)
    same = before.month == month
    kept = until - playbook.reports.act_at_most.total_seconds()
    return Spending(
        month=month,
        through=through,
        usd=line.usd + (before.usd if same else 0),
        spent=line.total + (before.spent if same else 0),
        acts={agent: at for agent, at in acts.items() if at > kept},
        told=before.told,
    )


def is_over(spending: Spending, playbook: Playbook) -> bool:
    """Return whether the desk's budget of the month is exceeded and nobody was told."""
    budget = playbook.reports.budget
    return budget is not None and spending.spent > budget and spending.told != spending.month


def _seconds(fact: Fact, last: int | None, playbook: Playbook) -> int:
    waited = [fact.happened - each for each in (last, fact.previous) if each is not None]
    return min([*waited, int(playbook.reports.act_at_most.total_seconds())])


def _add(pricing: Pricing, line: CostLine, fact: Fact, seconds: int, day: date) -> None:
    for name, quantity in read_usage(fact.usage).items():
        pricing.add(line, name, quantity, day)
    pricing.add(line, AGENT, Decimal(seconds), day)
    for part in fact.parts:
        pricing.add(line, f"{PART}{part}", Decimal(1), day)
    if fact.compensation:
        pricing.add(line, COMPENSATION, Decimal(fact.compensation), day)
