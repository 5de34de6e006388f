"""Log lines that are clean by construction: every text in them is masked before it is written.

Events are named with dots (`ticket.archived`, `delivery.sent`); what belongs to them goes in
`extra`. Errors are written with their type and message, masked like everything else (G4).
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from functions.core.text.masking import redact


class MaskingFormatter(LambdaPowertoolsFormatter):
    """Powertools' JSON lines, with personal data masked as the last step before writing."""

    def serialize(self, log: Any) -> str:
        line: str = super().serialize(redact(dict(log)))
        return line


class StandardOutput(logging.Handler):
    """Writes to standard output as it is now, where Lambda collects lines."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self.handleError(record)


def logger(room: str) -> Logger:
    """The logger of a room."""
    # The level is said here: variables of other programs' (LOG_LEVEL) are none of Deskbell's.
    return Logger(
        service=room,
        level="INFO",
        logger_handler=StandardOutput(),
        logger_formatter=MaskingFormatter(),
    )
