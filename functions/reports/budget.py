"""Watch a desk's budget, and tell CloudWatch what the desk spends (F8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from functions.core.domain.rules import Playbook
from functions.core.platform.alarms import raise_alarm, record_spending
from functions.core.reports.columns import Fact
from functions.core.reports.periods import midnight
from functions.core.reports.prices import PriceList
from functions.core.reports.spending import Spending, is_over, spend


def watch_budget(
    before: Spending | None,
    facts: Iterable[Fact],
    playbook: Playbook,
    prices: PriceList,
    through: datetime,
) -> Spending:
    """Return the desk's spending with what is new; the metric `Spent` gets the list price of that.

    The alarm sounds once a month and desk, when `reports.budget` is exceeded. A desk that had no
    spending before begins with its month.

    Args:
        facts: those of all tickets that changed since `before`.
        through: the time before which nothing new arrives.
    """
    if before is None:
        first = through.astimezone(playbook.zone).date().replace(day=1)
        before = Spending(through=midnight(first, playbook.zone))
    after = spend(before, facts, playbook, prices, through)
    new = after.usd - (before.usd if before.month == after.month else 0)
    if new:
        record_spending(playbook.desk, new)
    if not is_over(after, playbook):
        return after
    raise_alarm(
        "over_budget",
        playbook.desk,
        month=after.month,
        spent=f"{after.spent:.2f}",
        budget=f"{playbook.reports.budget:f}",
        currency=playbook.reports.currency,
    )
    return after.model_copy(update={"told": after.month})
