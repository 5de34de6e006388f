"""The mail parser: a raw mail becomes an `InboundMail`. It imports nothing else of Deskbell."""

from functions.core.mail.parser import InboundMail, parse
from functions.core.mail.replies import strip_reply

__all__ = ["InboundMail", "parse", "strip_reply"]
