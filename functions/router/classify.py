"""The classification of a request, and its destination (A5)."""

from dataclasses import replace

from functions.core.domain.classification import (
    Classification as Classification,
    classify as classify,
)
from functions.core.domain.matching import Facts, fold, holds
from functions.core.domain.rules import Destination, Playbook


def destination(facts: Facts, playbook: Playbook) -> Destination:
    """Return the first entry of the playbook's routing whose condition holds (A5, A7).

    The playbook's check ensures that the last entry has no condition.
    """
    folded = replace(facts, text=fold(facts.text))
    return next(
        (entry for entry in playbook.routing if holds(entry.when, folded)), playbook.routing[-1]
    )
