"""Every error that Deskbell raises on purpose.

    DeskbellError
    ├── Refused                 the caller is told what is wrong; carries an HTTP status
    │   ├── InvalidInput        400  a body or field that does not fit
    │   ├── Unauthorised        401
    │   ├── Forbidden           403
    │   ├── NotFound            404
    │   ├── ActionNotAllowed    409  the ticket's status does not allow the action
    │   │   └── Forgotten       the request's data was erased
    │   ├── StaleVersion        409  the caller acted on an older version
    │   ├── AlreadyAnswered     409  a question that may be answered once
    │   ├── TooLarge            413
    │   ├── KeyReused           422  an idempotency key came back with another body
    │   └── TooManyAttempts     429
    ├── TryAgain                passing: a retry may well succeed
    │   ├── Conflict            somebody else changed the ticket first
    │   └── AgentAtCapacity     the agent is at capacity or offline
    ├── Quarantined                a mail that opens no ticket: kept in quarantine, rings no alarm
    └── DeadLetter                    no retry can help: keep the record whole, with its cause
        └── PlaybookError       a playbook that does not fit, with the key that is wrong

Anything else that reaches a handler is a bug; the platform's own retries and dead-letter queues
keep what it was working on.
"""

from __future__ import annotations

from dataclasses import dataclass


class DeskbellError(Exception):
    """The root of the tree above."""


@dataclass(frozen=True)
class FieldError:
    """One field of a request that does not fit, in words for whoever sent it."""

    field: str
    message: str


class Refused(DeskbellError):
    """A request that is answered with an explanation (RFC 9457) and changes nothing."""

    status = 400
    title = "The request cannot be carried out"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(Refused):
    """A body that does not fit; `errors` names every field that is wrong."""

    title = "The request does not fit"

    def __init__(self, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class Unauthorised(Refused):
    """No proof, or one that does not hold, of who is calling."""

    status = 401
    title = "Not signed in"


class Forbidden(Refused):
    """A known caller without the right."""

    status = 403
    title = "Not allowed"


class NotFound(Refused):
    """Nothing there, or nothing that this caller may know of: both read alike."""

    status = 404
    title = "Not found"


class ActionNotAllowed(Refused):
    """The ticket's status does not allow the action; `allowed` lists those that it does."""

    status = 409
    title = "Not possible now"

    def __init__(self, detail: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.allowed = allowed


class Forgotten(ActionNotAllowed):
    """B10: who wrote the request was erased, so that nobody could answer what they add."""

    def __init__(self) -> None:
        super().__init__("This request's data was erased. Please file a new request.")


class StaleVersion(Refused):
    """The caller decided on a version of the ticket that is no longer the newest."""

    status = 409
    title = "The ticket has changed"


class AlreadyAnswered(Refused):
    """A survey or a confirmation that already has its answer."""

    status = 409
    title = "Already answered"


class TooLarge(Refused):
    """A body over the limit."""

    status = 413
    title = "Too large"


class KeyReused(Refused):
    """An idempotency record key that was first used with a different body."""

    status = 422
    title = "This key was used before"


class TooManyAttempts(Refused):
    """The caller has tried too often."""

    status = 429
    title = "Too many attempts"


class TryAgain(DeskbellError):
    """A failure that passes: the caller, or the platform's retry, may try again."""


class Conflict(TryAgain):
    """The item changed between reading and writing."""


class AgentAtCapacity(TryAgain):
    """The chosen agent is at capacity or offline by now."""

    def __init__(self, agent: str) -> None:
        super().__init__(f"{agent} is at capacity or offline")
        self.agent = agent


class Quarantined(DeskbellError):
    """A mail that is no request (automatic, nobody to answer): kept whole, listed, replayable."""


class DeadLetter(DeskbellError):
    """A record that no retry will mend. It goes to quarantine, whole, with this as its cause."""


class PlaybookError(DeadLetter):
    """A playbook that does not fit its schema; the message names the line or key."""
