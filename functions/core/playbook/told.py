"""The messages of a playbook that customers get, and the variables in them."""

from functions.core.domain.recipients import CUSTOMERS
from functions.core.domain.rules import Playbook
from functions.core.text.templating import variables


def used_variables(text: str) -> frozenset[str]:
    """Return the variables of a text; none if it is no template, which `checks` reports."""
    from jinja2 import TemplateSyntaxError

    try:
        return variables(text)
    except TemplateSyntaxError:
        return frozenset()


def told_to_customers(playbook: Playbook) -> dict[str, set[str]]:
    """Return the messages that go to customers, with the events that they are about."""
    told: dict[str, set[str]] = {}
    for rule in playbook.notifications:
        if rule.to in CUSTOMERS:
            told.setdefault(rule.message, set()).add(rule.on)
    for timer in playbook.timers.values():
        for tell in (*timer.on_warning.tell, *timer.on_breach.tell):
            if tell.to in CUSTOMERS:
                told.setdefault(tell.message, set())
    return told
