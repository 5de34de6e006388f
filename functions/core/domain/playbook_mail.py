"""The playbook's rules of mail and of the files that messages bring (G3, D10)."""

from typing import Literal, get_args

from pydantic import Field

from functions.core.domain.playbook_limits import AutomaticLimits
from functions.core.domain.playbook_types import MAIL_ADDRESS, Section, Text

FileKind = Literal["image", "document", "text", "media", "archive", "message", "other"]
"""The kinds of files that a desk may accept. `other` is an unknown type that does not run."""


Consequence = Literal["accept", "untrusted", "quarantine"]
"""The consequence of a verdict about a mail: accept it and trust its sender, accept it without
trusting the sender's address, or quarantine it until an operator releases it."""


class Checks(Section):
    """G3: the consequence of each verdict about a mail, and its maximum size."""

    virus: Consequence = "quarantine"
    spam: Consequence = "quarantine"
    dmarc: Consequence = "quarantine"
    authentication: Consequence = "untrusted"
    unproven: Consequence = "untrusted"
    results_of: str = ""
    max_mb: int = Field(default=40, ge=1, le=40)


class Mail(Section):
    """The desk's mailbox and the sender's name of its mail."""

    address: str = Field(pattern=rf"^{MAIL_ADDRESS}$")
    sender: Text
    checks: Checks = Field(default_factory=Checks)
    automatic_limits: AutomaticLimits = Field(default_factory=AutomaticLimits)


class FileRules(Section):
    """D10: the files that are kept from customers and that agents may add."""

    customers: tuple[FileKind, ...] = get_args(FileKind)
    agents: tuple[FileKind, ...] = ("image", "document")
    max_mb: int = Field(default=20, ge=1, le=20)
    most: int = Field(default=20, ge=0, le=100)
