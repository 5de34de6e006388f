"""Commands and actions that are not administrative; all others are declared in `domain.audit.ACTS`.

A test compares both lists with the commands and actions that exist, so that a new one is recorded
or has its reason here.
"""

from collections.abc import Mapping

from functions.core.domain.playbook_model import TICKET_TASKS

_READS = "shows nothing that is protected"
_TICKET = "work on a ticket, recorded in its history"

COMMANDS: Mapping[str, str] = {
    "person.list": _READS,
    "answers.live": _READS,
    "answers.mood": "reads files",
    "answers.report": "reads a file",
    "answers.try": "reads files",
    "audit.list": _READS,
    "channel.list": "shows the names of keys, not the secrets",
    "costs": "shows amounts, and tickets by their numbers",
    "export.decrypt": "reads a file with the owner's own key",
    "knowledge.check": "reads files",
    "knowledge.export": _READS,
    "knowledge.list": _READS,
    "knowledge.decide": "is kept as a decision: who, when, what it brought",
    "knowledge.proposals": _READS,
    "model.uses": "shows who used a model for what, no text",
    "playbook.check": "reads a file",
    "playbook.list": _READS,
    "playbook.preview": "reads a file",
    "playbook.rehearse": "shows what rules give, no words of customers",
    "quarantine.list": "shows causes, and subjects as the lists of tickets do",
    "reports.rebuild": "makes again what the table has, and shows none of it",
    "reports.compare": "shows figures",
    "reports.run": "does at once what the schedule does",
    "reports.show": "shows figures and numbers of tickets, no text",
    "search.rebuild": "makes again what the table has, and shows none of it",
    "sms.list": "shows the names of keys, not the secrets",
    "up": "runs a local system",
    "verify": "names tickets and fields, no content",
    "webhooks.list": "counts secrets",
}
"""Command → why it is not recorded."""

ACTIONS: Mapping[str, str] = dict.fromkeys(TICKET_TASKS, "is recorded as a use") | dict.fromkeys(
    (
        "approve", "assign", "attachments", "callback", "close", "confirm-type", "correct-contact",
        "merge", "note", "priority", "record-call", "reopen", "reply", "request-info", "resolve",
        "set-customer-class", "take", "unmerge",
    ),
    _TICKET,
)  # fmt: skip
"""Action of the agents' API → why it is not recorded."""

_OWN = "concerns the caller alone"

CALLS: Mapping[str, str] = {
    "POST /session": _OWN,
    "POST /session/mfa": _OWN,
    "POST /session/refresh": _OWN,
    "POST /agent/desks/{desk}/tickets": _TICKET,
    "POST /agent/desks/{desk}/calls/{call}/ticket": _TICKET,
    "POST /agent/desks/{desk}/calls/{call}/recording": "is recorded as `call.open-recording`",
    "POST /agent/desks/{desk}/tickets/{number}/{action}": "by action",
    "POST /agent/desks/{desk}/customers/{customer}/separate": "is kept with the join: who, why",
    "POST /agent/desks/{desk}/proposals/{proposal}": "is kept as a decision: who, when, what",
    "POST /agent/desks/{desk}/articles/{article}/phrasings": "stores nothing; the use is recorded",
    "PUT /agent/desks/{desk}/articles/{article}": "is a version of the article, with its author",
    "PUT /agent/desks/{desk}/me/presence": _OWN,
}
"""Call of agents that changes something → why it is not recorded."""
