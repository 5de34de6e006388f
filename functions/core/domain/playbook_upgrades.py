"""Upgrades of playbooks that older code stored.

A stored playbook is never rewritten: it is upgraded each time it is read, before it is validated.
Only the stored JSON is upgraded. A playbook file under a former form is an error that says how to
change it (`functions.core.playbook`).
"""

from typing import Any

FORMER_WEBHOOK_TYPES = {
    "confirmation.requested": "ticket.type_confirmation_requested",
    "type.confirmed": "ticket.type_confirmed",
    "priority.changed": "ticket.priority_changed",
    "customer.wrote": "customer.message_received",
    "customer.asked": "clarification.requested",
    "approval.given": "approval.decided",
    "hold.set": "legal_hold.changed",
    "person.erased": "customer.erased",
    "confirmation.given": "confirmation.answered",
    "merge.received": "ticket.merge_received",
    "merge.undone": "ticket.merge_undone",
    "customer.classed": "customer.class_set",
    "timer.warned": "timer.warning_reached",
}
"""Former webhook type → its type now. No former type may ever get another meaning."""

_FORMER_FIRST_CLASS = "vip"


def upgraded(document: Any) -> Any:
    """Upgrade a stored playbook to the current model, in place."""
    if isinstance(document, dict):
        _mark_the_class_that_comes_first(document)
        _rename_webhook_types(document)
        _label_the_words_of_the_survey(document)
    return document


def _mark_the_class_that_comes_first(document: dict[str, Any]) -> None:
    """Set `comes_first` on the class `vip`, which former code put first by its name.

    A current playbook in which no class comes first does not order by `vip` if it has a class of
    that name (`playbook check` enforces this), so the upgrade does not change it.
    """
    classes = document.get("customer_classes") or {}
    if _FORMER_FIRST_CLASS in classes and not any(
        customer_class.get("comes_first") for customer_class in classes.values()
    ):
        classes[_FORMER_FIRST_CLASS]["comes_first"] = True


def _label_the_words_of_the_survey(document: dict[str, Any]) -> None:
    """Use the words as their own labels, which former playbooks did not have."""
    words = (document.get("survey") or {}).get("words") or {}
    for word, score in words.items():
        if isinstance(score, int):
            words[word] = {"label": {"zh-CN": word, "en": word}, "score": score}


def _rename_webhook_types(document: dict[str, Any]) -> None:
    """Replace webhook types that were derived from names of event classes."""
    for webhook in (document.get("webhooks") or {}).values():
        webhook["events"] = [FORMER_WEBHOOK_TYPES.get(name, name) for name in webhook["events"]]
