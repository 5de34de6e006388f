"""The mail parser: a raw mail becomes an `InboundMail`. It imports nothing else of Deskbell."""

from functions.intake.mail.parser import InboundMail, parse
from functions.intake.mail.replies import strip_reply

__all__ = ["InboundMail", "parse", "strip_reply"]
