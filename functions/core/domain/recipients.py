"""The recipients of a playbook's notifications."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

FORMER_CONTACT = "former_contact"
"""The recipient that an agent replaced by another contact; it is told so, and nothing else."""
CUSTOMERS = ("customer", FORMER_CONTACT)
"""Recipients outside the desk."""
PERSONS = ("handler", "reviewer")
"""Recipients that are one person: mail goes to the person's own address, if the roster has it."""
RECIPIENTS = (*CUSTOMERS, *PERSONS, "team", "supervisor", "qa")

TEAM_NAMED = "team:"
"""B6, D9: the prefix of a recipient that names a team, whichever team the ticket has."""
TEAM_IN = "field:"
"""E5: the prefix of a recipient that names a step's field; the field's value is the team."""


def _recipient(value: str) -> str:
    if value not in RECIPIENTS and not value.startswith((TEAM_NAMED, TEAM_IN)):
        raise PydanticCustomError(
            "recipient",
            "expected 'customer', 'former_contact', 'handler', 'reviewer', 'team', 'supervisor' "
            "or 'qa', 'team:' with a team's name, or 'field:' with a step's field, got '{value}'",
            {"value": value},
        )
    return value


Recipient = Annotated[str, AfterValidator(_recipient)]
