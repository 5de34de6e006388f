"""The exceptions that Deskbell raises on purpose.

    DeskbellError
    ├── Refused                 the caller gets an explanation; carries an HTTP status
    │   ├── InvalidInput        400  an invalid body or field
    │   ├── Unauthorised        401
    │   ├── Forbidden           403
    │   ├── NotFound            404
    │   ├── ActionNotAllowed    409  the ticket's status does not allow the action
    │   │   └── Forgotten       the request's data was erased
    │   ├── StaleVersion        409  the caller acted on an older version
    │   │   ├── StaleArticle         of an article
    │   │   └── StalePlaybook        of a playbook
    │   ├── ReplayError         409  an entry of the quarantine cannot be processed again
    │   ├── AlreadyAnswered     409  a survey or confirmation is answered only once
    │   ├── TooLarge            413
    │   ├── KeyReused           422  an idempotency key came with a different body before
    │   ├── TooManyAttempts     429  the caller has to wait
    │   ├── BudgetSpent         429  the desk's language model has cost what it may in a day
    │   └── ModelUnavailable    424  the language model gave no text
    ├── TryAgain                a retry may succeed
    │   ├── Conflict            somebody else changed the ticket first
    │   ├── AgentAtCapacity     the agent is at capacity, offline or deactivated
    │   └── AgentContended      others are assigning tickets to the same agent
    ├── Quarantined             a mail that opens no ticket; raises no alarm
    └── DeadLetter              no retry can succeed; the record is kept with the cause
        └── PlaybookError       an invalid playbook or knowledge base, with the line or key

Any other exception that reaches a handler is a bug. Lambda and SQS retry the record and then put it
in the function's dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


class Phrase(str):
    """An English text with values, which `core/text/texts/errors.json` can say in Chinese.

    It is the English text. A text without values needs no `Phrase`. A value may itself be a text in
    each language, such as a label of the playbook, another phrase, or a list of values.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Phrase:
        said = {name: spoken(value, "en") for name, value in values.items()}
        phrase = super().__new__(cls, template.format(**said))
        phrase.template, phrase.values = template, values
        return phrase


def spoken(value: object, locale: Literal["zh-CN", "en"]) -> str:
    """Write a value of a phrase in a language."""
    if isinstance(value, Mapping):
        return str(value[locale])
    if isinstance(value, list | tuple):
        return (", " if locale == "en" else "、").join(spoken(one, locale) for one in value)
    return str(value)


def too_long(limit: int, length: int) -> Phrase:
    return Phrase("{limit} characters at most, not {length}", limit=limit, length=length)


class DeskbellError(Exception):
    """The root of the tree above."""


@dataclass(frozen=True)
class FieldError:
    """An invalid field of a request, with a message for the sender."""

    field: str
    message: str


class Refused(DeskbellError):
    """The request changes nothing; the response explains why (RFC 9457)."""

    status = 400
    title = "The request cannot be carried out"

    def __init_subclass__(cls, *, status: int | None = None, title: str | None = None) -> None:
        super().__init_subclass__()
        cls.status, cls.title = status or cls.status, title or cls.title

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(Refused, title="Invalid request"):
    """The body is invalid; `errors` lists every invalid field."""

    def __init__(self, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class Unauthorised(Refused, status=401, title="Not signed in"):
    """The caller's credentials or signature are missing or invalid."""


class Forbidden(Refused, status=403, title="Not allowed"):
    """The caller is known but lacks the right."""


class NotFound(Refused, status=404, title="Not found"):
    """The resource does not exist, or the caller may not know that it does."""


class ActionNotAllowed(Refused, status=409, title="Not possible now"):
    """The ticket's status does not allow the action; `allowed` lists the actions it allows."""

    def __init__(self, detail: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.allowed = allowed


class Forgotten(ActionNotAllowed):
    """The customer's data was erased, so nobody could answer a further message (B10)."""

    def __init__(self) -> None:
        super().__init__("This request's data was erased. Please file a new request.")


class StaleVersion(Refused, status=409, title="The ticket has changed"):
    """The caller acted on an older version of the ticket."""


class StaleArticle(StaleVersion, title="The article has changed"):
    """The caller edited an older version of the article."""


class StalePlaybook(StaleVersion, title="The playbook has changed"):
    """The caller changed an older version of the playbook."""


class ReplayError(Refused, status=409, title="Not replayed"):
    """An entry could not be processed again and stays in quarantine."""


class AlreadyAnswered(Refused, status=409, title="Already answered"):
    """The survey or confirmation has its answer already."""


class TooLarge(Refused, status=413, title="Too large"):
    """The body exceeds the size limit."""


class KeyReused(Refused, status=422, title="This key was used before"):
    """The idempotency key was used before with a different body."""


class TooManyAttempts(Refused, status=429, title="Too many attempts"):
    """The caller has tried too often."""


class BudgetSpent(Refused, status=429, title="The budget is spent"):
    """The desk may not spend more on its language model today."""


class ModelUnavailable(Refused, status=424, title="The language model gave no text"):
    """The provider of the language model failed or was too slow; our own API did not (no 5xx)."""


class TryAgain(DeskbellError):
    """A temporary failure: the caller or Lambda may retry."""


class Conflict(TryAgain):
    """The item changed between reading and writing."""


class AgentAtCapacity(TryAgain):
    """The chosen agent is at capacity, offline or deactivated."""

    def __init__(self, agent: str) -> None:
        super().__init__(f"{agent} is at capacity, offline or deactivated")
        self.agent = agent


class AgentContended(TryAgain):
    """Others are assigning tickets to the chosen agent at this moment."""

    def __init__(self, agent: str) -> None:
        super().__init__(f"others are assigning tickets to {agent}")
        self.agent = agent


class Quarantined(DeskbellError):
    """A mail is no request, or policy holds it back; it is stored whole and can be replayed."""


class DeadLetter(DeskbellError):
    """No retry can process the record; it goes to the dead-letter queue with this as the cause."""


class PlaybookError(DeadLetter):
    """A playbook, or a file of articles, is invalid; the message names the line or key."""
